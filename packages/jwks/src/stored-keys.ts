/** Signing keys at rest: one record for all of them, so that every change is one compare-and-swap; read with suspicion. */
import type { Turn } from "./rotation.ts";
import { type Jwk, SigningKey } from "./signing-key.ts";

/** A key with its place in the order. */
export interface TimedKey extends Turn {
  readonly key: SigningKey;
  /** The private key, as it is stored. */
  readonly jwk: Jwk;
}

/** The stored keys exist and can't be used: the operator has to look. New ones in their place would refuse every token that is out. */
export class StoredKeysError extends Error {
  override readonly name = "StoredKeysError";
}

const VERSION = 1;
/** Three are usual. `SigningKeys` refuses lifetimes that would need as many. */
const MOST_KEYS = 64;

/** The record. */
export function formatKeys(keys: readonly TimedKey[]): unknown {
  return {
    version: VERSION,
    keys: keys.map(({ jwk, signsFrom, tokenTtl }) => ({ jwk, signsFrom, tokenTtl })),
  };
}

/**
 * The keys of a record.
 *
 * @param known keys that were read before: importing one costs as much as a signature
 * @throws {StoredKeysError} for anything that {@link formatKeys} does not write
 */
export function parseKeys(record: unknown, known: readonly TimedKey[]): readonly TimedKey[] {
  const { version, keys } = objectOf(record);
  if (version !== VERSION) throw new StoredKeysError("The record of the signing keys is of another version.");
  if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS) throw damaged();
  const timed = keys.map((entry) => parseKey(entry, known));
  const kids = new Set(timed.map(({ key }) => key.kid));
  const inOrder = timed.every(({ signsFrom }, index) => index === 0 || signsFrom > (timed[index - 1]?.signsFrom ?? 0));
  if (kids.size < timed.length || !inOrder) throw damaged();
  return timed;
}

function parseKey(entry: unknown, known: readonly TimedKey[]): TimedKey {
  const { jwk, signsFrom, tokenTtl } = objectOf(entry);
  if (!isSeconds(signsFrom) || !isSeconds(tokenTtl)) throw damaged();
  const stored = objectOf(jwk);
  const text = JSON.stringify(stored);
  const key = known.find((other) => JSON.stringify(other.jwk) === text)?.key ?? importKey(stored);
  return { key, jwk: stored, alg: key.alg, signsFrom, tokenTtl };
}

/** The name is not asked of the record: it follows from the key. */
function importKey({ kid, ...jwk }: Jwk): SigningKey {
  let key: SigningKey;
  try {
    key = new SigningKey(jwk);
  } catch (cause) {
    throw damaged(cause);
  }
  if (!key.signs || key.kid !== kid) throw damaged();
  return key;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw damaged();
  return { ...value };
}

function isSeconds(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function damaged(cause?: unknown): StoredKeysError {
  return new StoredKeysError("The record of the signing keys is damaged.", cause === undefined ? {} : { cause });
}
