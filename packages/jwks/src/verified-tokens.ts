/** Tokens whose signature has been verified, so that the next request with one costs a hash instead. */
import { hash } from "node:crypto";
import type { KeySet, PublicKey } from "./key-set.ts";
import type { Claims } from "./token-claims.ts";

/** Tokens that are remembered; the oldest is forgotten first. */
const MOST_TOKENS = 10_000;
/** Longer ones are not remembered, so that the memory stays bounded in bytes as well. */
const LONGEST_TOKEN = 8192;

interface Verified {
  readonly claims: Claims;
  readonly key: PublicKey;
  /** The key set in which the key was last seen. */
  seenIn: KeySet;
}

/** A bounded memory of signatures. It holds no token: only the digest of the whole of it, signature included, and its claims. */
export class VerifiedTokens {
  readonly #verified = new Map<string, Verified>();

  /** The claims of a token, if a key that is still published has verified it. Whether its time has come or gone is for the caller to see. */
  get(token: string, keys: KeySet): Claims | undefined {
    if (this.#verified.size === 0) return undefined;
    const name = digest(token);
    const verified = this.#verified.get(name);
    if (verified === undefined) return undefined;
    if (verified.seenIn !== keys) {
      // An issuer takes a key back by publishing it no longer. What it signed goes with it.
      if (!keys.has(verified.key)) {
        this.#verified.delete(name);
        return undefined;
      }
      verified.seenIn = keys;
    }
    return verified.claims;
  }

  remember(token: string, claims: Claims, key: PublicKey, keys: KeySet): void {
    if (token.length > LONGEST_TOKEN) return;
    this.#verified.set(digest(token), { claims, key, seenIn: keys });
    if (this.#verified.size <= MOST_TOKENS) return;
    for (const oldest of this.#verified.keys()) {
      this.#verified.delete(oldest);
      return;
    }
  }
}

function digest(token: string): string {
  return hash("sha256", token, "base64url");
}
