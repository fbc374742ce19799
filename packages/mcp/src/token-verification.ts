/** Verifies one bearer token for one resource, for middlewares that take the token out of the request themselves. RFC 6750 §2.1, RFC 8707 §2. */
import { type AuthInfo, toAuthInfo } from "@sallyport/oauth-core";
import type { Authority } from "./authority.ts";
import { vouchFor } from "./upstream-tokens.ts";

/** Why a token does not let anybody in. */
export interface TokenRefusal {
  /** `invalid_token` is the token's fault; `server_error` means that it can't be known just now, and that the token may be good. */
  readonly code: "invalid_token" | "server_error";
  readonly description: string;
}

/** How a token is verified. */
export interface VerifierOptions {
  /** The resource that tokens have to be for; one of the server's. Default: the only one. */
  readonly resource?: string | undefined;
}

/** RFC 6750 §2.1: what can be a bearer token at all. Anything else could not have been one of ours, and must not get into a header. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** The verified token, with all scopes that its own contain; or why not. */
export async function verifyToken(auth: Authority, token: string, resource: string): Promise<AuthInfo | TokenRefusal> {
  if (!TOKEN.test(token)) return { code: "invalid_token", description: "The access token is not valid." };
  const headers = { authorization: `Bearer ${token}` };
  const access = await auth.protect(new Request(resource, { method: "POST", headers }), { resource });
  // Not `instanceof Response`: where a framework has replaced the global one, a refusal would be none.
  if (!("token" in access)) return refusalOf(access);
  // The SDK compares scopes word by word; RFC 6750 §3.1 leaves it to us that a broad one contains a narrow one.
  const authInfo = toAuthInfo({ ...access, scopes: auth.impliedScopes(access.scopes) });
  vouchFor(authInfo, auth);
  return authInfo;
}

async function refusalOf(answer: Response): Promise<TokenRefusal> {
  const { error_description: description }: { error_description?: unknown } = JSON.parse((await answer.text()) || "{}");
  const text = typeof description === "string" ? description : "The server can not answer right now.";
  // A storage that is down says nothing about the token. Told that it is invalid, a client throws it away.
  return { code: answer.status === 401 ? "invalid_token" : "server_error", description: text };
}
