/** The authorization request. RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707 §2. */

import { OAuthProxyError } from "./errors.ts";
import type { Parameters } from "./parameters.ts";
import { parseCodeChallenge } from "./pkce.ts";
import { parseResource } from "./resource.ts";
import { parseScope, type Scope } from "./scope.ts";

const MAX_VALUE_LENGTH = 4096;

/** Who asks, and where the answer shall go. Nothing of it is proven yet. */
export interface AuthorizationTarget {
  readonly clientId: string;
  readonly redirectUri: string | undefined;
  /** `undefined` where none was sent; then none is sent back. */
  readonly state: string | undefined;
}

/** What a client asks for. */
export interface AuthorizationRequest {
  readonly codeChallenge: string;
  readonly scope: Scope;
  /** In canonical form; empty where the client named none. */
  readonly resources: readonly string[];
}

/**
 * Reads who asks. Kept apart from the rest because until client and redirect URI are proven, an error may only be shown to the
 * person and never be sent anywhere.
 *
 * @throws {OAuthProxyError} `invalid_request`; reason `client_id_missing` or `value_too_long`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1 RFC 6749 §4.1.2.1}
 */
export function parseAuthorizationTarget(parameters: Parameters): AuthorizationTarget {
  const clientId = parameters.get("client_id");
  const redirectUri = parameters.get("redirect_uri");
  const state = parameters.get("state");
  if (clientId === undefined) throw new OAuthProxyError("client_id_missing");

  // RFC 6749 Appendix A.5 sets no end to `state`; all of this is remembered for a transaction, so that one would cost memory.
  if ([clientId, redirectUri, state].some((value) => value !== undefined && value.length > MAX_VALUE_LENGTH)) {
    throw new OAuthProxyError("value_too_long");
  }
  return { clientId, redirectUri, state };
}

/**
 * Reads what is asked for. `prompt`, `nonce` and every parameter that is unknown here are accepted and ignored.
 *
 * @throws {OAuthProxyError} `invalid_request`, `unsupported_response_type`, `invalid_scope`, `invalid_target`,
 * `request_not_supported` or `request_uri_not_supported`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1 RFC 6749 §4.1.1}
 */
export function parseAuthorizationRequest(parameters: Parameters): AuthorizationRequest {
  // OpenID Connect Core §6.1 and §6.2: a request object overrides the parameters beside it. Passing over it would show a person
  // another request than the one that the client signed; fetching it would let strangers send this server anywhere.
  if (parameters.get("request") !== undefined) throw new OAuthProxyError("request_not_supported");
  if (parameters.get("request_uri") !== undefined) throw new OAuthProxyError("request_uri_not_supported");

  // RFC 9700 §2.1.2: `code` alone. Any other response type puts a token into a URL.
  const responseType = parameters.get("response_type");
  if (responseType === undefined) throw new OAuthProxyError("response_type_missing");
  if (responseType !== "code") throw new OAuthProxyError("response_type_unsupported");

  // OAuth 2.0 Multiple Response Type Encoding Practices §2.1: a client that asks for `fragment` or `form_post` would never find
  // the code in the query, where it stays in logs.
  const responseMode = parameters.get("response_mode");
  if (responseMode !== undefined && responseMode !== "query") throw new OAuthProxyError("response_mode_unsupported");

  return {
    codeChallenge: parseCodeChallenge(parameters.get("code_challenge"), parameters.get("code_challenge_method")),
    scope: parseScope(parameters.get("scope")),
    resources: parameters.all("resource").map(parseResource),
  };
}
