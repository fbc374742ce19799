/** Mounts the endpoints and well-known documents of an authorization server in a Koa app. */
import { type AdapterOptions, answer, type Endpoints, endpointsOf } from "@sallyport/node-http";
import type { Middleware } from "koa";
import { exchangeOf } from "./exchange.ts";

/**
 * A middleware for every endpoint and well-known document of `auth`. Everything else goes to `next` untouched.
 *
 * Use it at the root of the app, because the well-known documents live there. What counts is the path as it was sent, so that koa-mount
 * changes nothing. In front of body parsers is best; a body that one has consumed is recovered.
 *
 * @example
 * ```ts
 * app.use(oauth(auth));
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3 RFC 8414 §3}
 */
export function oauth(auth: Endpoints, options: AdapterOptions = {}): Middleware {
  const handle = endpointsOf(auth);
  return (ctx, next) => {
    const settle = (isAnswered: boolean) => {
      if (!isAnswered) return next();
      // Answered, down to the last byte: Koa has nothing to add.
      ctx.respond = false;
      return undefined;
    };
    const answered = answer(handle, exchangeOf(ctx), options);
    // Known at once, it goes on at once: even a promise costs more than all the rest.
    return typeof answered === "boolean" ? settle(answered) : answered.then(settle);
  };
}
