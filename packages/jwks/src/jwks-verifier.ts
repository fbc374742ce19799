/** `JWKSVerifier`: tokens of another issuer, verified by the keys that it publishes. RFC 7515, RFC 7517, RFC 8725. */
import type { TokenVerificationResult, TokenVerifier } from "@sallyport/oauth-core";
import type { AsymmetricAlgorithm } from "./algorithms.ts";
import type { KeySet, PublicKey } from "./key-set.ts";
import { KeySetError } from "./key-set-error.ts";
import { loadJose } from "./lazy-jose.ts";
import { RemoteKeySet } from "./remote-key-set.ts";
import {
  type CheckedHeader,
  type Claims,
  checkClaims,
  checkHeader,
  checkTime,
  type Expectation,
  type TokenFault,
} from "./token-claims.ts";
import { readToken } from "./token-text.ts";
import { VerifiedTokens } from "./verified-tokens.ts";
import { type JWKSVerifierConfig, resolveVerifierOptions } from "./verifier-options.ts";

/** What {@link JWKSVerifier} found. */
export interface JWKSVerificationResult extends TokenVerificationResult {
  /** Why not, in one word: a {@link TokenFault}; `keys_unavailable`; `internal` where a function of the configuration threw. */
  readonly error?: TokenFault | "keys_unavailable" | "internal" | undefined;
  /** It can't be known right now, and nothing is wrong with the token: answer 503, or clients throw away what is good. */
  readonly temporary?: true | undefined;
  /** What led to it, for the operator: a {@link KeySetError} with `keys_unavailable`. */
  readonly cause?: unknown;
}

/**
 * Verifies tokens: signature, algorithm, type, issuer, audience and time.
 *
 * Keys are fetched when the first token needs them, and verified tokens are remembered, so that the next request with the same one costs a hash.
 * Nothing of a token leads to an address: `jku`, `x5u` and `jwk` in its header are not read.
 *
 * @example
 * ```ts
 * const verifier = new JWKSVerifier({
 *   jwksUri: "https://id.example.com/.well-known/jwks.json",
 *   issuer: "https://id.example.com",
 *   audience: "https://mcp.example.com/mcp",
 * });
 * const { valid, claims, error } = await verifier.verify(token);
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc8725#section-3 RFC 8725 §3}
 */
export class JWKSVerifier implements TokenVerifier {
  readonly #expected: Expectation;
  readonly #now: () => number;
  readonly #keySet: RemoteKeySet;
  readonly #verified = new VerifiedTokens();

  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: JWKSVerifierConfig) {
    const { expected, keySet, now } = resolveVerifierOptions(config);
    this.#expected = expected;
    this.#now = now;
    this.#keySet = new RemoteKeySet(keySet);
  }

  /** Verifies a token. The promise is fulfilled whatever is handed in and whatever fails. The claims are frozen. */
  async verify(token: string): Promise<JWKSVerificationResult> {
    try {
      const outcome = this.#known(token) ?? (await this.#verify(token));
      return typeof outcome === "string" ? { valid: false, error: outcome } : { valid: true, claims: outcome };
    } catch (cause) {
      if (cause instanceof KeySetError) return { valid: false, error: "keys_unavailable", temporary: true, cause };
      return { valid: false, error: "internal", cause };
    }
  }

  /** The way of nearly every call: fresh keys, and a token that was seen before. */
  #known(token: string): Claims | TokenFault | undefined {
    const keys = this.#keySet.fresh;
    return keys === undefined ? undefined : this.#remembered(token, keys);
  }

  #remembered(token: string, keys: KeySet): Claims | TokenFault | undefined {
    const claims = typeof token === "string" ? this.#verified.get(token, keys) : undefined;
    return claims === undefined ? undefined : (checkTime(claims, this.#expected.clockTolerance, this.#now()) ?? claims);
  }

  async #verify(token: string): Promise<Claims | TokenFault> {
    const read = await readToken(token);
    if (read === undefined) return "token_malformed";
    const header = checkHeader(read.header, this.#expected);
    if (typeof header === "string") return header;
    // Nothing of this is believed yet. But what would be refused with a good signature needs none, and makes us fetch nothing.
    const fault = checkClaims(read.claims, this.#expected, this.#now());
    if (fault !== undefined) return fault;

    const keys = await this.#keySet.current();
    const remembered = this.#remembered(token, keys);
    if (remembered !== undefined) return remembered;
    if (await this.#isSignedBy(keys, token, header, read.claims)) return read.claims;

    // Keys rotate: what they do not verify, newer ones may. Whether there are any is asked at most once per cooldown.
    const newer = await this.#keySet.newerThan(keys);
    if (newer !== undefined && (await this.#isSignedBy(newer, token, header, read.claims))) return read.claims;
    return (newer ?? keys).candidates(header.alg, header.kid).length === 0 ? "token_key_unknown" : "token_signature";
  }

  /** Whether one of these keys signed a token; then it is remembered. */
  async #isSignedBy(keys: KeySet, token: string, { alg, kid }: CheckedHeader, claims: Claims): Promise<boolean> {
    for (const key of keys.candidates(alg, kid)) {
      if (!(await isSignature(token, key, alg))) continue;
      this.#verified.remember(token, claims, key, keys);
      return true;
    }
    return false;
  }
}

async function isSignature(token: string, key: PublicKey, algorithm: AsymmetricAlgorithm): Promise<boolean> {
  const { compactVerify, errors } = await loadJose();
  const publicKey = await key.import(algorithm);
  if (publicKey === undefined) return false;
  try {
    await compactVerify(token, publicKey, { algorithms: [algorithm] });
    return true;
  } catch (error) {
    // A TypeError is what a key is answered with that is too short for its algorithm: RFC 7518 §3.3.
    if (error instanceof errors.JOSEError || error instanceof TypeError) return false;
    throw error;
  }
}
