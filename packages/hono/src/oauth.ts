/** Mounts the endpoints and well-known documents of an authorization server in a Hono app. */
import type { HandleOptions, Reply } from "@sallyport/oauth-core";
import type { Context, MiddlewareHandler } from "hono";
import type { AdapterOptions } from "./adapter-options.ts";
import { failure } from "./failure.ts";
import { PlainResponse, responseOf } from "./plain-response.ts";
import { sentRequest, sentTarget } from "./sent-request.ts";
import { socketAddress } from "./socket-address.ts";

/** The part of an authorization server that answers requests: an `OAuthProxy`, or whatever has its `handle`. */
export interface Endpoints {
  /** Answers a request to one of its endpoints; `undefined` where it is none of them. */
  handle(request: Request, options?: HandleOptions): Promise<Response | undefined>;
  /** Whether `handle` may answer this target and method; `false` is final. Without it, `handle` is asked every time. */
  owns?(target: string, method: string): boolean;
  /** What `handle` answers every such request with, as a fixed document. Without it, `handle` is asked every time. */
  documentAt?(target: string, method: string): Reply | undefined;
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
    const answered = answer(auth, c, options);
    return (answered instanceof Promise ? await answered : answered) ?? next();
  };
}

/** The answer, at once where that is known; `undefined` where the request is none of the server's. */
function answer(
  auth: Endpoints,
  c: Context,
  options: AdapterOptions,
): Promise<Response | undefined> | Response | undefined {
  try {
    const target = sentTarget(c.req, options.strippedPrefix);
    const { method } = c.req.raw;
    if (auth.owns?.(target, method) === false) return undefined;
    const document = auth.documentAt?.(target, method);
    return document === undefined ? ask(auth, c, options) : responseOf(document.body ?? null, document);
  } catch (error) {
    return failure(error, c.req.raw, options);
  }
}

async function ask(auth: Endpoints, c: Context, options: AdapterOptions): Promise<Response | undefined> {
  const { clientAddress = socketAddress, strippedPrefix } = options;
  const request = sentRequest(c.req, strippedPrefix);
  try {
    return await auth.handle(request, { Response: PlainResponse, clientAddress: clientAddress(c) });
  } catch (error) {
    return failure(error, request, options);
  }
}
