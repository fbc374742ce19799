/** Access tokens as JWTs: which claims they must have, and whether these are for us. RFC 9068. */

import { OAuthProxyError, type Reason } from "./errors.ts";

/**
 * The claims of an access token.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2 RFC 9068 §2.2}
 */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | string[];
  readonly client_id: string;
  readonly scope?: string;
  readonly jti: string;
  /** In seconds since 1970. */
  readonly exp: number;
  /** In seconds since 1970. */
  readonly iat: number;
  /** In seconds since 1970. */
  readonly nbf?: number;
  readonly [claim: string]: unknown;
}

/** What a token has to say to be accepted. */
export interface AccessTokenExpectation {
  readonly issuer: string;
  /** `undefined` accepts every audience: for the server that issued the token, never for a protected resource. */
  readonly audience: string | undefined;
  /** In whole seconds since 1970. */
  readonly now: number;
}

/** RFC 9068 §4: the media type, with or without its prefix; media types have no case. */
const ACCESS_TOKEN_TYPES: ReadonlySet<string> = new Set(["at+jwt", "application/at+jwt"]);

/**
 * Checks header and claims of a token whose signature has been verified.
 *
 * @throws {OAuthProxyError} `invalid_token`; reason `token_type_wrong`, `token_malformed`, `token_issuer`, `token_audience`,
 * `token_expired` or `token_not_yet_valid`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-4 RFC 9068 §4}
 */
export function checkAccessTokenClaims(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  expected: AccessTokenExpectation,
): AccessTokenClaims {
  // RFC 9068 §4: the type first. An ID token, a state or a client id may be signed with the same key and is no access token.
  demand(typeof header.typ === "string" && ACCESS_TOKEN_TYPES.has(header.typ.toLowerCase()), "token_type_wrong");

  // RFC 9068 §2.2: every one of these is required. `exp: "9999999999"` is larger than any number, or smaller, as the language likes.
  if (!isAccessTokenClaims(claims)) throw new OAuthProxyError("token_malformed");

  // RFC 9068 §4: exactly, without normalising; other issuers may have our name as a prefix.
  demand(claims.iss === expected.issuer, "token_issuer");

  // RFC 9068 §4: a token for another resource, carried here by that resource, opens nothing.
  demand(expected.audience === undefined || audiences(claims).includes(expected.audience), "token_audience");

  // RFC 7519 §4.1.4 and §4.1.5: from `nbf` on, and until before `exp`.
  demand(claims.exp > expected.now, "token_expired");
  demand(claims.nbf === undefined || claims.nbf <= expected.now, "token_not_yet_valid");
  return claims;
}

function demand(condition: boolean, otherwise: Reason): void {
  if (!condition) throw new OAuthProxyError(otherwise);
}

function isAccessTokenClaims(claims: Readonly<Record<string, unknown>>): claims is AccessTokenClaims {
  const texts = [claims.iss, claims.sub, claims.client_id, claims.jti];
  return (
    texts.every(isText) &&
    (isText(claims.aud) || (Array.isArray(claims.aud) && claims.aud.length > 0 && claims.aud.every(isText))) &&
    (claims.scope === undefined || typeof claims.scope === "string") &&
    isInstant(claims.exp) &&
    isInstant(claims.iat) &&
    (claims.nbf === undefined || isInstant(claims.nbf))
  );
}

function audiences({ aud }: AccessTokenClaims): readonly string[] {
  return typeof aud === "string" ? [aud] : aud;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isInstant(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
