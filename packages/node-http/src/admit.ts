/** The guard of an authorization server over `node:http`: lets an exchange in, or answers it with the challenge. RFC 6750 §3. */
import type { Access, Requirement } from "@sallyport/oauth-core";
import { FastResponse } from "srvx/node";
import { type AdapterOptions, contain } from "./answer.ts";
import type { Exchange } from "./exchange.ts";
import { IncomingRequest } from "./incoming-request.ts";
import { send } from "./send.ts";

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

/**
 * The verified access of an exchange whose body is untouched and of whose answer only the CORS headers are set; or `undefined`, where it was
 * answered with 401, 403, or a bare 500. Never rejected.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
 */
export async function admit(
  auth: Guard,
  requirement: Requirement,
  exchange: Exchange,
  options: AdapterOptions = {},
): Promise<Access | undefined> {
  try {
    const request = new IncomingRequest(exchange, options.strippedPrefix);
    const result = await auth.protect(request, requirement, { Response: FastResponse });
    // Not `instanceof Response`: where a framework has replaced the global one, a refusal would be none, and would let everybody in.
    if ("token" in result) {
      for (const [name, value] of Object.entries(auth.corsHeaders(request))) exchange.res.setHeader(name, value);
      return result;
    }
    await send(exchange.res, result);
  } catch (error) {
    await contain(error, exchange, options);
  }
  return undefined;
}
