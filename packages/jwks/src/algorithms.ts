/** The signature algorithms that can be verified with a public key, and which keys each takes. RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2. */

/** An asymmetric algorithm. `none` and the HMAC family are not among them and can't be configured. */
export type AsymmetricAlgorithm =
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA"
  | "Ed25519";

interface KeyKind {
  readonly kty: "RSA" | "EC" | "OKP";
  readonly crv?: string;
}

const KEY_KINDS: Readonly<Record<AsymmetricAlgorithm, KeyKind>> = {
  RS256: { kty: "RSA" },
  RS384: { kty: "RSA" },
  RS512: { kty: "RSA" },
  PS256: { kty: "RSA" },
  PS384: { kty: "RSA" },
  PS512: { kty: "RSA" },
  ES256: { kty: "EC", crv: "P-256" },
  ES384: { kty: "EC", crv: "P-384" },
  ES512: { kty: "EC", crv: "P-521" },
  EdDSA: { kty: "OKP", crv: "Ed25519" },
  Ed25519: { kty: "OKP", crv: "Ed25519" },
};

/** All of them. */
export const ASYMMETRIC_ALGORITHMS = Object.keys(KEY_KINDS) as readonly AsymmetricAlgorithm[];

/** Whether a name, from wherever it comes, is one of them. */
export function isAsymmetric(name: unknown): name is AsymmetricAlgorithm {
  return typeof name === "string" && Object.hasOwn(KEY_KINDS, name);
}

/** Whether a key of this kind verifies signatures of this algorithm. */
export function fits(algorithm: AsymmetricAlgorithm, key: { readonly kty: string; readonly crv?: string }): boolean {
  const { kty, crv } = KEY_KINDS[algorithm];
  return key.kty === kty && key.crv === crv;
}
