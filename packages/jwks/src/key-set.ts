/** A JSON Web Key Set, read with suspicion: of whatever was fetched, the public keys that can verify signatures. RFC 7517 §5. */
import type { CryptoKey } from "jose";
import { type AsymmetricAlgorithm, fits } from "./algorithms.ts";
import { KeySetError } from "./key-set-error.ts";
import { loadJose } from "./lazy-jose.ts";

/** Issuers publish two or three, the largest a few dozen. */
const MOST_KEYS = 100;
/** Keys that one token is tried with. It matters only where it names no key, or several share the name. */
const MOST_CANDIDATES = 8;
const LONGEST_NAME = 1024;

/** The public members of each kind of key, and their longest useful value in characters: 8192 bits of RSA with a 64-bit exponent. */
const MEMBERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  RSA: { n: 1366, e: 11 },
  EC: { x: 88, y: 88 },
  OKP: { x: 43 },
};
const CURVES: Readonly<Record<string, readonly string[]>> = { EC: ["P-256", "P-384", "P-521"], OKP: ["Ed25519"] };
/** RFC 7518 §6.2.2, §6.3.2, §6.4.1. */
const PRIVATE_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** The members of a key that are believed. */
interface PublicJwk {
  readonly kty: string;
  readonly crv?: string;
  readonly kid?: string;
  readonly alg?: string;
  readonly [member: string]: string | undefined;
}

/** One public key. */
export class PublicKey {
  readonly jwk: PublicJwk;
  /** All that it says, so that the same key in the next key set is known to be the same. */
  readonly identity: string;
  readonly #imported = new Map<AsymmetricAlgorithm, Promise<CryptoKey | undefined>>();

  constructor(jwk: PublicJwk) {
    this.jwk = jwk;
    this.identity = JSON.stringify(jwk);
  }

  /** The key as the runtime verifies with it, imported once; `undefined` for numbers that are no key, a point beside the curve. */
  import(algorithm: AsymmetricAlgorithm): Promise<CryptoKey | undefined> {
    let imported = this.#imported.get(algorithm);
    if (imported === undefined) {
      imported = importKey(this.jwk, algorithm);
      this.#imported.set(algorithm, imported);
    }
    return imported;
  }
}

async function importKey(jwk: PublicJwk, algorithm: AsymmetricAlgorithm): Promise<CryptoKey | undefined> {
  const { importJWK } = await loadJose();
  try {
    const key = await importJWK({ ...jwk }, algorithm);
    return "byteLength" in key ? undefined : key;
  } catch {
    // Runtimes differ in what they throw here; whatever it is, one entry of somebody's document verifies nothing, and the others do.
    return undefined;
  }
}

/** The usable keys of one document. */
export class KeySet {
  readonly keys: readonly PublicKey[];
  readonly #identities: ReadonlySet<string>;

  private constructor(keys: readonly PublicKey[]) {
    this.keys = keys;
    this.#identities = new Set(keys.map(({ identity }) => identity));
  }

  /**
   * Reads a document.
   *
   * @param previous keys that are in it as well stay the objects that they are, with what was imported
   * @throws {KeySetError} `malformed` or `no_usable_key`
   * @see {@link https://www.rfc-editor.org/rfc/rfc7517#section-5 RFC 7517 §5} keys that are not understood are ignored
   */
  static parse(text: string, previous?: KeySet): KeySet {
    const entries = entriesOf(text);
    const known = new Map(previous?.keys.map((key) => [key.identity, key]));
    const keys = new Map<string, PublicKey>();
    for (const entry of entries) {
      const jwk = publicJwk(entry);
      if (jwk === undefined) continue;
      const key = new PublicKey(jwk);
      keys.set(key.identity, known.get(key.identity) ?? key);
      if (keys.size > MOST_KEYS) throw new KeySetError("no_usable_key");
    }
    if (keys.size === 0) throw new KeySetError("no_usable_key");
    return new KeySet([...keys.values()]);
  }

  /** Whether it has this very key. */
  has(key: PublicKey): boolean {
    return this.#identities.has(key.identity);
  }

  /** The keys that may have signed a token with this header; none where more fit than anybody should try. */
  candidates(algorithm: AsymmetricAlgorithm, kid: string | undefined): readonly PublicKey[] {
    const candidates = this.keys.filter(
      ({ jwk }) =>
        (kid === undefined || jwk.kid === kid) &&
        // RFC 8725 §3.1: a key is used for the algorithm that it was published for and for no other.
        (jwk.alg === undefined || jwk.alg === algorithm) &&
        fits(algorithm, jwk),
    );
    return candidates.length > MOST_CANDIDATES ? [] : candidates;
  }
}

function entriesOf(text: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new KeySetError("malformed", { cause });
  }
  const keys = isObject(value) ? value["keys"] : undefined;
  if (!Array.isArray(keys)) throw new KeySetError("malformed");
  return keys;
}

/** The believed members of an entry; `undefined` for one that can't or must not verify anything. */
function publicJwk(entry: unknown): PublicJwk | undefined {
  if (!isObject(entry)) return undefined;
  const { kty, crv, kid, alg, use, key_ops: operations } = entry;
  const members = typeof kty === "string" && Object.hasOwn(MEMBERS, kty) ? MEMBERS[kty] : undefined;
  if (typeof kty !== "string" || members === undefined) return undefined;
  // A private key that was published is everybody's; whatever it signs says nothing.
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(entry, member))) return undefined;
  // RFC 7517 §4.2 and §4.3: a key for encryption verifies nothing.
  if (use !== undefined && use !== "sig") return undefined;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) return undefined;
  if (![kid, alg].every((name) => name === undefined || (typeof name === "string" && name.length <= LONGEST_NAME)))
    return undefined;

  const curves = CURVES[kty];
  if (curves !== undefined && !(typeof crv === "string" && curves.includes(crv))) return undefined;
  const values = Object.entries(members).map(([name, longest]) => [name, base64url(entry[name], longest)] as const);
  if (values.some(([, value]) => value === undefined)) return undefined;
  return {
    kty,
    ...(curves === undefined ? {} : { crv: String(crv) }),
    ...(kid === undefined ? {} : { kid: String(kid) }),
    ...(alg === undefined ? {} : { alg: String(alg) }),
    ...Object.fromEntries(values),
  };
}

function base64url(value: unknown, longest: number): string | undefined {
  return typeof value === "string" && value.length <= longest && /^[A-Za-z0-9_-]+$/.test(value) ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
