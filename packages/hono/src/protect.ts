/** Puts the guard of an authorization server in front of a route of Hono. RFC 6750 §3. */
import type { Access, HandleOptions, Requirement } from "@sallyport/oauth-core";
import type { MiddlewareHandler } from "hono";
import type { AdapterOptions } from "./adapter-options.ts";
import { failure } from "./failure.ts";
import { PlainResponse } from "./plain-response.ts";
import { sentRequest } from "./sent-request.ts";

/** The part of an authorization server that guards a route: an `OAuthProxy`, or whatever has these two methods. */
export interface Guard {
  /** The verified access, or the answer to give instead. */
  protect(request: Request, requirement?: Requirement, options?: HandleOptions): Promise<Access | Response>;
  /** The headers that the answers of a protected route need, so that a page of an admitted origin can read them. */
  corsHeaders(request: Request): Record<string, string>;
}

/** What a guarded route knows beside Hono's own: `c.get("auth")`, or `c.var.auth`. */
export interface ProtectedEnv {
  Variables: {
    /** Who is asking, and what they may do. */
    auth: Access;
  };
}

/**
 * A middleware that lets a request through with the verified access in `c.get("auth")`, or answers 401 or 403 with the challenge that
 * tells a client how to get in.
 *
 * The request's body is not touched, and a streamed answer stays one. What the route itself throws is the app's to handle.
 *
 * @param requirement scopes and resource that the token has to have. Default: any valid token of the only resource
 * @example
 * ```ts
 * app.post("/mcp", protect(auth, { scopes: ["mcp:tools"] }), (c) => c.text(`hello ${c.get("auth").subject}`));
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
 */
export function protect(
  auth: Guard,
  requirement: Requirement = {},
  options: AdapterOptions = {},
): MiddlewareHandler<ProtectedEnv> {
  return async (c, next) => {
    const request = sentRequest(c.req, options.strippedPrefix);
    let result: Access | Response;
    try {
      result = await auth.protect(request, requirement, { Response: PlainResponse });
    } catch (error) {
      return failure(error, request, options);
    }
    // Not `instanceof Response`: who replaces the global one, as @hono/node-server does, would turn a refusal into an admission.
    if (!("subject" in result)) return result;
    c.set("auth", result);
    await next();
    for (const [name, value] of Object.entries(auth.corsHeaders(request)))
      c.header(name, value, { append: name === "vary" });
    return undefined;
  };
}
