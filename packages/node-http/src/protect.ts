/** Puts the guard of an authorization server in front of a `node:http` listener. RFC 6750 §3. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Access, Requirement } from "@sallyport/oauth-core";
import { admit, type Guard } from "./admit.ts";
import { type AdapterOptions, contain } from "./answer.ts";
import type { NodeHandler } from "./node-handler.ts";

/** A request whose token was verified. */
export type ProtectedRequest = IncomingMessage & {
  /** Who is asking, and what they may do. */
  auth: Access;
};

/** A listener that is only reached with a verified token. `next` is what the protected listener was called with, if anything. */
export type ProtectedHandler = (req: ProtectedRequest, res: ServerResponse, next?: () => unknown) => unknown;

/**
 * A listener that lets a request through to `handler` with `req.auth`, or answers 401 or 403 with the challenge that tells
 * a client how to get in.
 *
 * The request's body is not touched and nothing of the response is sent, so that `handler` can read and stream as it likes; the CORS
 * headers are set already. What `handler` throws, at once or later, becomes a bare 500.
 *
 * @param requirement scopes and resource that the token has to have; `{}` for any valid token of the only resource
 * @example
 * ```ts
 * const tools = protect(auth, { scopes: ["mcp:tools"] }, (req, res) => res.end(`hello ${req.auth.subject}`));
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
 */
export function protect(
  auth: Guard,
  requirement: Requirement,
  handler: ProtectedHandler,
  options: AdapterOptions = {},
): NodeHandler {
  return async (req, res, next) => {
    const exchange = { req, res };
    const access = await admit(auth, requirement, exchange, options);
    if (access === undefined) return;
    try {
      await handler(Object.assign(req, { auth: access }), res, next);
    } catch (error) {
      await contain(error, exchange, options);
    }
  };
}
