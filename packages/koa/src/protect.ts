/** Puts the guard of an authorization server in front of a route of Koa. RFC 6750 §3. */
import { type AdapterOptions, admit, type Guard } from "@sallyport/node-http";
import type { Access, Requirement } from "@sallyport/oauth-core";
import type { Middleware } from "koa";
import { exchangeOf } from "./exchange.ts";

/** What a guarded route finds in `ctx.state`. */
export interface ProtectedState {
  /** Who is asking, and what they may do. */
  auth: Access;
}

/**
 * A middleware that lets a request through with the verified access in `ctx.state.auth`, or answers 401 or 403 with the challenge that
 * tells a client how to get in.
 *
 * The request's body is not touched and nothing of the response is sent, so that the route can read and stream as it likes; the CORS
 * headers are set already. What the route itself throws is the app's to handle.
 *
 * @param requirement scopes and resource that the token has to have. Default: any valid token of the only resource
 * @example
 * ```ts
 * app.use(protect(auth, { scopes: ["mcp:tools"] })).use((ctx) => {
 *   ctx.body = `hello ${ctx.state.auth.subject}`;
 * });
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
 */
export function protect(
  auth: Guard,
  requirement: Requirement = {},
  options: AdapterOptions = {},
): Middleware<ProtectedState> {
  return async (ctx, next) => {
    const access = await admit(auth, requirement, exchangeOf(ctx), options);
    if (access !== undefined) {
      ctx.state.auth = access;
      return next();
    }
    // Answered, down to the last byte: Koa has nothing to add.
    ctx.respond = false;
  };
}
