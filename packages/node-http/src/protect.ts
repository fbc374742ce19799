/** Puts the guard of an authorization server in front of a `node:http` listener. RFC 6750 §3. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Access } from "@sallyport/oauth-core";
import { FastResponse, sendNodeResponse } from "srvx/node";
import { IncomingRequest } from "./incoming-request.ts";
import { listener, type NodeHandler, type NodeHandlerOptions } from "./node-handler.ts";

/** What a route demands of a token. */
export interface Requirement {
  /** All of these, directly or by the scope hierarchy. Default: none. */
  readonly scopes?: readonly string[] | undefined;
  /** The protected resource that the route belongs to. Default: the only one, or else the one whose path the request is under. */
  readonly resource?: string | undefined;
}

/** The part of an authorization server that guards a route: an `OAuthProxy`, or whatever has these two methods. */
export interface Guard {
  /** The verified access, or the answer to give instead. */
  protect(
    request: Request,
    requirement?: Requirement,
    options?: { readonly Response?: typeof FastResponse },
  ): Promise<Access | Response>;
  /** The headers that the answers of a protected route need, so that a page of an admitted origin can read them. */
  corsHeaders(request: Request): Record<string, string>;
}

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
  options: NodeHandlerOptions = {},
): NodeHandler {
  return listener(async (req, res, next) => {
    const request = new IncomingRequest(req, res);
    const result = await auth.protect(request, requirement, { Response: FastResponse });
    if (result instanceof Response) {
      await sendNodeResponse(res, result);
      return;
    }
    for (const [name, value] of Object.entries(auth.corsHeaders(request))) res.setHeader(name, value);
    await handler(Object.assign(req, { auth: result }), res, next);
  }, options);
}
