/** Signing keys that are made here, kept in the storage, shared by all replicas, and replaced before anybody has to notice. */
import { nextTurn, type RotationPolicy, signingAt, stillNeeded } from "./rotation.ts";
import type { KeySource, SigningKeySet } from "./signer.ts";
import { type Jwk, newSigningKey, type SigningAlgorithm, SigningKey } from "./signing-key.ts";
import { formatKeys, parseKeys, StoredKeysError, type TimedKey } from "./stored-keys.ts";

/** A record as it was read: what it says, and what the storage holds. */
export interface KeyRecord {
  readonly value: unknown;
  readonly raw: unknown;
}

/**
 * Where the keys are kept: a sealed collection of the core. `get` answers `undefined` for a record that can't be read, and `claim`
 * answers `false` for it: it is still there.
 */
export interface KeyRecords {
  get(id: string): Promise<KeyRecord | undefined>;
  /** Stores where nothing live is: of any number of racers exactly one is told `true`. */
  claim(id: string, value: unknown, ttl: number): Promise<boolean>;
  /** Stores where the record is still the one that was read. */
  replace(id: string, entry: KeyRecord, value: unknown, ttl: number): Promise<boolean>;
}

/** What happened to the keys. */
export type KeyHappening =
  /** Also at the very first one, with `signsFrom` now. In seconds since 1970. */
  | {
      readonly type: "signing_key.published";
      readonly kid: string;
      readonly alg: SigningAlgorithm;
      readonly signsFrom: number;
    }
  /** Its last token has expired; nobody needs it any more. */
  | { readonly type: "signing_key.retired"; readonly kid: string }
  /** They can't be had or read. What is in memory serves for as long as that is safe. */
  | { readonly type: "signing_keys.unavailable"; readonly cause: unknown };

export interface RotatingKeysOptions {
  readonly records: KeyRecords;
  /** Whole seconds since 1970. */
  readonly now: () => number;
  readonly policy: RotationPolicy;
  readonly observe: (happening: KeyHappening) => void;
}

const RECORD = "current";
/** Seconds after which the record is read again. */
const LOOK_AGAIN_AFTER = 60;
/** Seconds after which it is read again because of a failure, or of a token whose key is not known. */
const LOOK_SOONER_AFTER = 5;
/** How often a lost race is run again. Each round that is lost is one that another replica has won. */
const MOST_ROUNDS = 8;

interface Held {
  readonly keys: readonly TimedKey[];
  readonly readAt: number;
}

/** One set of keys, over all replicas that share a storage. */
export class RotatingKeys implements KeySource {
  readonly #options: RotatingKeysOptions;
  #held: Held | undefined;
  #triedAt: number | undefined;
  #failure: { readonly cause: unknown } | undefined;
  #reading: Promise<void> | undefined;

  constructor(options: RotatingKeysOptions) {
    this.#options = options;
  }

  /** @throws what the storage rejects with, or {@link StoredKeysError}, where there are no keys that can safely be used */
  keys(): Promise<SigningKeySet> {
    return this.#keys(this.#failure === undefined ? LOOK_AGAIN_AFTER : LOOK_SOONER_AFTER);
  }

  newerKeys(): Promise<SigningKeySet> {
    return this.#keys(LOOK_SOONER_AFTER);
  }

  async #keys(lookAfter: number): Promise<SigningKeySet> {
    if (this.#triedAt === undefined || !this.#isWithin(this.#triedAt, lookAfter)) await this.#readOnce();
    const { now, policy } = this.#options;
    // Every key is published for so long before it signs: whoever has looked since then knows all that can be in use.
    if (this.#held === undefined || !this.#isWithin(this.#held.readAt, policy.publishBefore))
      throw this.#failure?.cause ?? new StoredKeysError("There are no signing keys.");
    const signing = signingAt(this.#held.keys, now());
    if (signing === undefined) throw new StoredKeysError("There are no signing keys.");
    return { signing: signing.key, published: stillNeeded(this.#held.keys, now(), policy).map(({ key }) => key) };
  }

  /** Without a sign: a clock that is set back must not keep old keys in use for as long as that lasts. */
  #isWithin(moment: number, duration: number): boolean {
    return Math.abs(this.#options.now() - moment) < duration;
  }

  #readOnce(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Never rejects: what went wrong is remembered, and told once. */
  async #read(): Promise<void> {
    const { now, observe } = this.#options;
    try {
      this.#held = { keys: await this.#agree(), readAt: now() };
      this.#failure = undefined;
    } catch (cause) {
      if (this.#failure === undefined) observe({ type: "signing_keys.unavailable", cause });
      this.#failure = { cause };
    }
    this.#triedAt = now();
  }

  /** The keys that all replicas agree on, after whatever was due has been done to them, by this replica or another. */
  async #agree(): Promise<readonly TimedKey[]> {
    const { records, policy } = this.#options;
    // A record that nobody renewed for so long has no key that signed a token which is still alive.
    const ttl = 2 * policy.rotationInterval + policy.tokenTtl;
    let made: Promise<Jwk> | undefined;
    const make = () => {
      made ??= newSigningKey(policy.alg);
      return made;
    };
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const entry = await records.get(RECORD);
      const stored = entry === undefined ? [] : parseKeys(entry.value, this.#held?.keys ?? []);
      const due = await this.#renewed(stored, make);
      if (due === undefined) return stored;
      const done =
        entry === undefined
          ? await records.claim(RECORD, formatKeys(due), ttl)
          : await records.replace(RECORD, entry, formatKeys(due), ttl);
      if (!done) continue;
      this.#tell(stored, due);
      return due;
    }
    // Absent to `get` and in the way of `claim`: it is there, sealed with another key or damaged.
    throw new StoredKeysError("The record of the signing keys is there, and can not be read or changed.");
  }

  /** The keys with what is due done to them; `undefined` where nothing is. */
  async #renewed(stored: readonly TimedKey[], make: () => Promise<Jwk>): Promise<readonly TimedKey[] | undefined> {
    const { now, policy } = this.#options;
    const needed = stillNeeded(stored, now(), policy);
    const signsFrom = nextTurn(needed, now(), policy);
    if (signsFrom === undefined) return needed.length < stored.length ? needed : undefined;
    const jwk = await make();
    return [...needed, { key: new SigningKey(jwk), jwk, alg: policy.alg, signsFrom, tokenTtl: policy.tokenTtl }];
  }

  #tell(before: readonly TimedKey[], after: readonly TimedKey[]): void {
    const { observe } = this.#options;
    for (const { key, alg, signsFrom } of after.filter((one) => !before.includes(one)))
      observe({ type: "signing_key.published", kid: key.kid, alg, signsFrom });
    for (const { key } of before.filter((one) => !after.includes(one)))
      observe({ type: "signing_key.retired", kid: key.kid });
  }
}
