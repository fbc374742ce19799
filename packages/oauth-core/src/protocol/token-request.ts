/** The token request. RFC 6749 §4.1.3 and §6, RFC 7636 §4.5, RFC 8707 §2. */

import { OAuthProxyError } from "./errors.ts";
import type { Parameters } from "./parameters.ts";
import { parseCodeVerifier } from "./pkce.ts";
import { parseResource } from "./resource.ts";
import { parseScope, type Scope } from "./scope.ts";

const MAX_VALUE_LENGTH = 4096;

/** A code to be redeemed. */
export interface AuthorizationCodeRequest {
  readonly grantType: "authorization_code";
  readonly code: string;
  readonly redirectUri?: string | undefined;
  readonly codeVerifier: string;
  /** In canonical form; empty where the client named none. */
  readonly resources: readonly string[];
}

/** A refresh token to be used. */
export interface RefreshTokenRequest {
  readonly grantType: "refresh_token";
  readonly refreshToken: string;
  /** `undefined` where the client wants what it has. */
  readonly scope?: Scope | undefined;
  /** In canonical form; empty where the client named none. */
  readonly resources: readonly string[];
}

/** What a client may ask the token endpoint for. */
export type TokenRequest = AuthorizationCodeRequest | RefreshTokenRequest;

/**
 * Reads a token request. Who sends it is a matter of `parseClientCredentials`.
 *
 * @throws {OAuthProxyError} `invalid_request`, `unsupported_grant_type`, `invalid_grant` (a missing or malformed verifier),
 * `invalid_scope` or `invalid_target`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3 RFC 6749 §4.1.3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-6 RFC 6749 §6}
 */
export function parseTokenRequest(form: Parameters): TokenRequest {
  switch (bounded(form.get("grant_type"))) {
    case undefined:
      throw new OAuthProxyError("grant_type_missing");
    case "authorization_code":
      return parseAuthorizationCodeRequest(form);
    case "refresh_token":
      return parseRefreshTokenRequest(form);
    default:
      throw new OAuthProxyError("grant_type_unsupported");
  }
}

function parseAuthorizationCodeRequest(form: Parameters): AuthorizationCodeRequest {
  const code = bounded(form.get("code"));
  if (code === undefined) throw new OAuthProxyError("code_missing");
  return {
    grantType: "authorization_code",
    code,
    redirectUri: bounded(form.get("redirect_uri")),
    codeVerifier: parseCodeVerifier(form.get("code_verifier")),
    resources: form.all("resource").map(parseResource),
  };
}

function parseRefreshTokenRequest(form: Parameters): RefreshTokenRequest {
  const refreshToken = bounded(form.get("refresh_token"));
  if (refreshToken === undefined) throw new OAuthProxyError("refresh_token_missing");
  const scope = form.get("scope");
  return {
    grantType: "refresh_token",
    refreshToken,
    scope: scope === undefined ? undefined : parseScope(scope),
    resources: form.all("resource").map(parseResource),
  };
}

/** RFC 6749 Appendix A has no lengths. Nothing that was issued here is this long, so it isn't worth a digest or a lookup. */
function bounded(value: string | undefined): string | undefined {
  if (value !== undefined && value.length > MAX_VALUE_LENGTH) throw new OAuthProxyError("value_too_long");
  return value;
}
