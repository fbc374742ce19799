/** The public surface of `@sallyport/jwks`. */
export type { AsymmetricAlgorithm } from "./algorithms.ts";
export { type JWKSVerificationResult, JWKSVerifier } from "./jwks-verifier.ts";
export { KeySetError, type KeySetProblem } from "./key-set-error.ts";
export type { Jwk, SigningAlgorithm } from "./signing-key.ts";
export { SigningKeys, type SigningKeysConfig } from "./signing-keys.ts";
export { StoredKeysError } from "./stored-keys.ts";
export type { TokenFault } from "./token-claims.ts";
export type { IssuerCheck, JWKSVerifierConfig } from "./verifier-options.ts";
