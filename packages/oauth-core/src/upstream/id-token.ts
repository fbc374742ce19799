/** The checks on an ID token that came directly from the token endpoint. OpenID Connect Core §3.1.3.7. */
import type { Claims } from "../domain/identity-provider.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { readJwtClaims } from "../protocol/jwt.ts";
import type { IssuerCheck } from "./descriptor.ts";

export interface ExpectedIdToken {
  /** The upstream's issuer, where it is known. */
  readonly issuer: string | IssuerCheck | undefined;
  readonly clientId: string;
  /** Undefined at a refresh, where none is repeated. */
  readonly nonce: string | undefined;
  readonly now: number;
}

export type IdToken = Readonly<Record<string, unknown>> & { readonly sub: string };

/** How far the upstream's clock may be off, in seconds. */
const CLOCK_SKEW = 120;

/**
 * Reads an ID token and refuses one that is not for us, not of this sign-in, not of this upstream, or over.
 *
 * Its signature is looked at elsewhere, if at all: it was received from the token endpoint over TLS, which OpenID Connect Core §3.1.3.7 item 6 lets stand
 * in its place. One that comes any other way must never be handed to this function.
 *
 * @throws {OAuthProxyError} `upstream_identity`
 */
export function checkIdToken(token: string, expected: ExpectedIdToken): IdToken {
  const claims = readJwtClaims(token);
  if (claims === undefined) throw new OAuthProxyError("upstream_identity");
  const { iss, sub, aud, azp, exp, iat, nonce } = claims;
  const audiences = Array.isArray(aud) ? aud : [aud];
  const problem =
    // Another tenant's token, swapped in.
    (expected.issuer !== undefined && !isIssuer(expected.issuer, iss, claims) && "iss") ||
    // A token that another application obtained. §3.1.3.7 items 3 to 5.
    (!audiences.includes(expected.clientId) && "aud") ||
    ((azp !== undefined || audiences.length > 1) && azp !== expected.clientId && "azp") ||
    ((typeof exp !== "number" || exp + CLOCK_SKEW <= expected.now) && "exp") ||
    (iat !== undefined && (typeof iat !== "number" || iat - CLOCK_SKEW > expected.now) && "iat") ||
    // A code or token of another sign-in, injected into this one. Item 11.
    (expected.nonce !== undefined && nonce !== expected.nonce && "nonce") ||
    ((typeof sub !== "string" || sub.length === 0 || sub.length > 255) && "sub");
  if (problem !== false) throw new OAuthProxyError("upstream_identity", { cause: new Error(`ID token: ${problem}`) });
  return claims as IdToken;
}

/** Compared character for character, or by the description's own check. RFC 9207 §2.4, OpenID Connect Core §3.1.3.7 item 2. */
export function isIssuer(expected: string | IssuerCheck, issuer: unknown, claims: Claims | undefined): boolean {
  return typeof expected === "string"
    ? issuer === expected
    : typeof issuer === "string" && expected(issuer, claims) === true;
}
