/** `PKCEUtils`: PKCE for programs that are clients themselves. RFC 7636. */
import { randomBytes } from "node:crypto";
import { OAuthProxyError } from "./protocol/errors.ts";
import { parseCodeVerifier, s256, verifyCodeVerifier } from "./protocol/pkce.ts";

/** A verifier and its S256 challenge. */
export interface PKCEPair {
  verifier: string;
  challenge: string;
}

/** S256 only: `plain` protects against nobody who can read the request. */
export const PKCEUtils = {
  /** A random verifier of 43 to 128 characters. Default: 128. @throws {RangeError} for any other length */
  generateVerifier(length = 128): string {
    if (!Number.isInteger(length) || length < 43 || length > 128)
      throw new RangeError("a verifier has 43 to 128 characters (RFC 7636 §4.1)");
    return randomBytes(96).toString("base64url").slice(0, length);
  },

  /** The S256 challenge of a verifier. @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.2 RFC 7636 §4.2} */
  generateChallenge(verifier: string): string {
    return s256(verifier);
  },

  /** Both. */
  generatePair(): PKCEPair {
    const verifier = PKCEUtils.generateVerifier();
    return { verifier, challenge: s256(verifier) };
  },

  /** Whether the challenge was made from the verifier; false for any method but S256. @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.6 RFC 7636 §4.6} */
  validateChallenge(verifier: string, challenge: string, method = "S256"): boolean {
    if (method !== "S256") return false;
    try {
      return verifyCodeVerifier(parseCodeVerifier(verifier), challenge);
    } catch (error) {
      if (error instanceof OAuthProxyError) return false;
      throw error;
    }
  },
} as const;
