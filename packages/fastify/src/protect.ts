/** Puts the guard of an authorization server in front of a route of Fastify. RFC 6750 §3. */
import { type AdapterOptions, admit, type Guard } from "@sallyport/node-http";
import type { Access, Requirement } from "@sallyport/oauth-core";
import type { onRequestAsyncHookHandler } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** Who is asking, and what they may do. Set by `protect`, and on no other route. */
    auth: Access;
  }
}

/**
 * A hook that lets a request through with the verified access in `request.auth`, or answers 401 or 403 with the challenge that tells a
 * client how to get in.
 *
 * The request's body is not touched and nothing of the response is sent, so that the route can read and stream as it likes; the CORS
 * headers are set already. What the route itself throws is the app's to handle.
 *
 * @param requirement scopes and resource that the token has to have. Default: any valid token of the only resource
 * @example
 * ```ts
 * app.post("/mcp", { onRequest: protect(auth, { scopes: ["mcp:tools"] }) }, (request) => `hello ${request.auth.subject}`);
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
 */
export function protect(
  auth: Guard,
  requirement: Requirement = {},
  options: AdapterOptions = {},
): onRequestAsyncHookHandler {
  return async (request, reply) => {
    const access = await admit(auth, requirement, { req: request.raw, res: reply.raw }, options);
    if (access === undefined) reply.hijack();
    else request.auth = access;
  };
}
