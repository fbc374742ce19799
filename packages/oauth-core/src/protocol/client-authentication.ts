/** Client authentication at the token endpoint and its neighbours. RFC 6749 §2.3. */

import type { TokenEndpointAuthMethod } from "./client-metadata.ts";
import { OAuthProxyError } from "./errors.ts";
import type { Parameters } from "./parameters.ts";
import { decodeBase64, decodeFormText, decodeUtf8 } from "./strict-decoding.ts";

/** One way to read what a client sent. `clientSecret` is `undefined` only where none was sent. */
export interface ClientCredential {
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
}

/** How a client authenticated, and as whom. */
export interface ClientCredentials {
  readonly method: TokenEndpointAuthMethod;
  /**
   * What the credentials may mean, most likely first, and never empty. RFC 6749 §2.3.1 has id and secret percent-encoded inside of
   * Basic, most clients do not do that, and only a comparison can tell.
   */
  readonly candidates: readonly ClientCredential[];
}

const MAX_CREDENTIALS_LENGTH = 8192;

/** RFC 7617 §2: the scheme in any case, then one token68. The class and `=` exclude each other: linear. */
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

/**
 * Reads the client's credentials from the `Authorization` header and the form.
 *
 * Whether the client exists, whether the secret is right, and whether the method is the registered one is for the caller to decide.
 *
 * @throws {OAuthProxyError} `invalid_client`, reason `client_credentials_missing`, `client_credentials_malformed` or
 * `client_auth_method` (a client assertion); `invalid_request`, reason `client_credentials_several`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3 RFC 6749 §2.3}
 */
export function parseClientCredentials(authorization: string | undefined, form: Parameters): ClientCredentials {
  const clientId = form.get("client_id");
  const clientSecret = form.get("client_secret");
  const asserts = form.get("client_assertion") !== undefined || form.get("client_assertion_type") !== undefined;

  // RFC 6749 §2.3: not more than one method in a request. Otherwise one identity could be checked and the other one used.
  const methods = [authorization !== undefined, clientSecret !== undefined, asserts].filter(Boolean);
  if (methods.length > 1) throw new OAuthProxyError("client_credentials_several");

  // RFC 7521 §4.2: an assertion that nobody verifies must not be passed over, as if the client were a public one.
  if (asserts) throw new OAuthProxyError("client_auth_method");

  if (authorization !== undefined)
    return { method: "client_secret_basic", candidates: parseBasic(authorization, clientId) };
  if (clientId === undefined) {
    throw new OAuthProxyError(
      clientSecret === undefined ? "client_credentials_missing" : "client_credentials_malformed",
    );
  }
  if (clientId.length + (clientSecret?.length ?? 0) > MAX_CREDENTIALS_LENGTH) {
    throw new OAuthProxyError("client_credentials_malformed");
  }
  return clientSecret === undefined
    ? { method: "none", candidates: [{ clientId }] }
    : { method: "client_secret_post", candidates: [{ clientId, clientSecret }] };
}

function parseBasic(authorization: string, bodyClientId: string | undefined): readonly ClientCredential[] {
  const encoded = authorization.length > MAX_CREDENTIALS_LENGTH ? undefined : BASIC.exec(authorization)?.[1];
  const bytes = encoded === undefined ? undefined : decodeBase64(encoded);
  const pair = bytes === undefined ? undefined : decodeUtf8(bytes);
  const raw = pair === undefined ? undefined : splitPair(pair);
  if (raw === undefined) throw new OAuthProxyError("client_credentials_malformed");

  const decoded = formDecoded(raw);
  const candidates = decoded === undefined ? [raw] : [raw, decoded];

  // RFC 6749 §2.3: a `client_id` in the body beside Basic is harmless while it says the same. Another one is an attempt to
  // authenticate as one client and to act as another.
  const agreeing = candidates.filter(({ clientId }) => bodyClientId === undefined || clientId === bodyClientId);
  if (agreeing.length === 0) throw new OAuthProxyError("client_credentials_several");
  return agreeing;
}

interface Pair {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** RFC 7617 §2: the first colon ends the id, and control characters are not allowed: they would end up in logs and names of keys. */
function splitPair(pair: string): Pair | undefined {
  const colon = pair.indexOf(":");
  if (colon < 1 || /\p{Cc}/u.test(pair)) return undefined;
  return { clientId: pair.slice(0, colon), clientSecret: pair.slice(colon + 1) };
}

/** The other reading; `undefined` where it is none, or the same. RFC 6749 Appendix B. */
function formDecoded(raw: Pair): Pair | undefined {
  const clientId = decodeFormText(raw.clientId);
  const clientSecret = decodeFormText(raw.clientSecret);
  if (clientId === undefined || clientSecret === undefined || /\p{Cc}/u.test(clientId + clientSecret)) return undefined;
  return clientId === raw.clientId && clientSecret === raw.clientSecret ? undefined : { clientId, clientSecret };
}
