/** Mounts the endpoints and well-known documents of an authorization server in a Hono app. */
import type { HandleOptions } from "@sallyport/oauth-core";
import type { MiddlewareHandler } from "hono";
import type { AdapterOptions } from "./adapter-options.ts";
import { failure } from "./failure.ts";
import { PlainResponse } from "./plain-response.ts";
import { sentRequest } from "./sent-request.ts";

/** The part of an authorization server that answers requests: an `OAuthProxy`, or whatever has its `handle`. */
export interface Endpoints {
  /** Answers a request to one of its endpoints; `undefined` where it is none of them. */
  handle(request: Request, options?: HandleOptions): Promise<Response | undefined>;
}

/**
 * A middleware for every endpoint and well-known document of `auth`. Everything else goes to `next` untouched.
 *
 * Use it at the root of the app, because the well-known documents live there. What counts is the path of the request's URL, so that a base
 * path of the app changes nothing. A body that was read before through `c.req` is recovered; one that was read past it is refused.
 *
 * @example
 * ```ts
 * app.use(oauth(auth));
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3 RFC 8414 §3}
 */
export function oauth(auth: Endpoints, options: AdapterOptions = {}): MiddlewareHandler {
  return async (c, next) => {
    const request = sentRequest(c.req, options.strippedPrefix);
    try {
      const response = await auth.handle(request, { Response: PlainResponse });
      if (response !== undefined) return response;
    } catch (error) {
      return failure(error, request, options);
    }
    return next();
  };
}
