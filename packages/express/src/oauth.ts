/** Mounts the endpoints and well-known documents of an authorization server in Express. RFC 8414 §3. */
import { type AdapterOptions, answer, type Endpoints, endpointsOf } from "@sallyport/node-http";
import type { RequestHandler } from "express";

/**
 * A middleware for every endpoint and well-known document of `auth`. Requests for anything else go to `next`, untouched and unread.
 *
 * Mount it without a path, because the well-known documents live at the root. In front of body parsers is best; a form or a JSON body that
 * one has consumed is recovered.
 *
 * @example
 * ```ts
 * app.use(oauth(auth));
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3 RFC 8414 §3}
 */
export function oauth(auth: Endpoints, options: AdapterOptions = {}): RequestHandler {
  const handle = endpointsOf(auth);
  return (req, res, next) => {
    const settle = (isAnswered: boolean) => (isAnswered ? undefined : next());
    const answered = answer(handle, { req, res, peer: req }, options);
    // Known at once, it goes on at once: even a promise costs more than all the rest.
    return typeof answered === "boolean" ? settle(answered) : answered.then(settle);
  };
}
