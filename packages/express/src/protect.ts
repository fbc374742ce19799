/** Puts the guard of an authorization server in front of an Express route. RFC 6750 §3. */
import { type AdapterOptions, admit, type Guard } from "@sallyport/node-http";
import { type Access, type AuthInfo, type Requirement, toAuthInfo } from "@sallyport/oauth-core";
import type { NextFunction, Request, RequestHandler, Response } from "express";

/** Who is asking, and what they may do: what the MCP SDK reads from `req.auth`, and what our own helpers read. */
export type Auth = AuthInfo & Pick<Access, "subject" | "claims">;

/** A request whose token was verified. */
export type ProtectedRequest = Request & { auth: Auth };

/** A handler that is only reached with a verified token. What it throws, at once or later, goes to Express's error handling. */
export type ProtectedHandler = (req: ProtectedRequest, res: Response, next: NextFunction) => unknown;

/**
 * A middleware that lets a request through with `req.auth`, or answers 401 or 403 with the challenge that tells a client how to get in.
 *
 * The request's body is not touched and nothing of the response is sent; its CORS headers are set. Given the route's handler, it calls that
 * with a request whose `auth` is typed. Without one it calls `next`; Express's own types then know nothing of `auth`, unless the MCP SDK has
 * told them.
 *
 * @param requirement scopes and resource that the token has to have. Default: any valid token of the only resource
 * @example
 * ```ts
 * app.post("/mcp", protect(auth, { scopes: ["mcp:tools"] }, (req, res) => res.send(`hello ${req.auth.subject}`)));
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
 */
export function protect(
  auth: Guard,
  requirement: Requirement,
  handler: ProtectedHandler,
  options?: AdapterOptions,
): RequestHandler;
export function protect(auth: Guard, requirement?: Requirement, options?: AdapterOptions): RequestHandler;
export function protect(
  auth: Guard,
  requirement: Requirement = {},
  handlerOrOptions: ProtectedHandler | AdapterOptions = {},
  optionsBehindHandler: AdapterOptions = {},
): RequestHandler {
  const [handler, options] =
    typeof handlerOrOptions === "function"
      ? [handlerOrOptions, optionsBehindHandler]
      : [(_req: Request, _res: Response, next: NextFunction) => next(), handlerOrOptions];
  return async (req, res, next) => {
    const access = await admit(auth, requirement, { req, res }, options);
    if (access === undefined) return;
    const { subject, claims } = access;
    const verified: Auth = { ...toAuthInfo(access), subject, claims };
    try {
      await handler(Object.assign(req, { auth: verified }), res, next);
    } catch (error) {
      // Express 4 does not look after a promise that is rejected.
      next(error);
    }
  };
}
