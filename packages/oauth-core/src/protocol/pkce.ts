/** Proof Key for Code Exchange: the code goes only to the program that asked for it. RFC 7636. */

import { createHash } from "node:crypto";
import { OAuthProxyError } from "./errors.ts";
import { sameBytes } from "./same-bytes.ts";

/** RFC 7636 §4.2: base64url without padding of the 32 bytes of a SHA-256 digest. One class, one fixed count: linear. */
const CODE_CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** RFC 7636 §4.1: `code-verifier = 43*128unreserved`. One class, one bounded count: linear. */
const CODE_VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/**
 * Reads `code_challenge` and `code_challenge_method` of an authorization request. PKCE is required of every client.
 *
 * @throws {OAuthProxyError} `invalid_request`; reason `code_challenge_missing`, `code_challenge_method` or `code_challenge_malformed`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.3 RFC 7636 §4.3}
 */
export function parseCodeChallenge(challenge: string | undefined, method: string | undefined): string {
  // RFC 9700 §2.1.1: without a challenge, whoever catches the code can spend it.
  if (challenge === undefined) throw new OAuthProxyError("code_challenge_missing");

  // RFC 7636 §4.3 and §7.2: an absent method means `plain`, and `plain` shows the verifier to everyone who sees the request.
  if (method !== "S256") throw new OAuthProxyError("code_challenge_method");

  // RFC 7636 §4.2: a challenge of one character would be a proof that anybody can guess.
  if (!CODE_CHALLENGE.test(challenge)) throw new OAuthProxyError("code_challenge_malformed");
  return challenge;
}

/**
 * Reads the `code_verifier` of a token request.
 *
 * @throws {OAuthProxyError} `invalid_grant`; reason `code_verifier_missing` or `code_verifier_malformed`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.5 RFC 7636 §4.5}
 */
export function parseCodeVerifier(value: string | undefined): string {
  // RFC 9700 §2.1.1: every code here has a challenge, so a request without verifier is an attempt to go without.
  if (value === undefined) throw new OAuthProxyError("code_verifier_missing");

  // RFC 7636 §4.1 and §7.1: fewer than 43 characters can be searched; more than 128 are only work.
  if (!CODE_VERIFIER.test(value)) throw new OAuthProxyError("code_verifier_malformed");
  return value;
}

/**
 * The `S256` challenge of a verifier.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.2 RFC 7636 §4.2}
 */
export function s256(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}

/**
 * Whether a verifier belongs to a challenge.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.6 RFC 7636 §4.6}
 */
export function verifyCodeVerifier(verifier: string, challenge: string): boolean {
  const encoder = new TextEncoder();
  // RFC 7636 §4.6: equal or not, and in constant time, so that a refusal does not tell how much of the digest was right.
  return sameBytes(encoder.encode(s256(verifier)), encoder.encode(challenge));
}
