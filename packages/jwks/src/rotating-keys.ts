/** Signing keys that are made here, kept in the storage, shared by all replicas, and replaced before anybody has to notice. */
import type { SigningHappening, SigningKeyRecords } from "@sallyport/oauth-core";
import { nextTurn, type RotationPolicy, signingAt, stillNeeded } from "./rotation.ts";
import type { KeySource, SigningKeySet } from "./signer.ts";
import { type Jwk, newSigningKey, SigningKey } from "./signing-key.ts";
import { formatKeys, parseKeys, StoredKeysError, type TimedKey } from "./stored-keys.ts";

export interface RotatingKeysOptions {
  readonly records: SigningKeyRecords;
  /** Whole seconds since 1970. */
  readonly now: () => number;
  readonly policy: RotationPolicy;
  readonly observe: (happening: SigningHappening) => void;
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

/** Which keys serve in one second: worked out once for all requests in it. */
interface Serving {
  readonly at: number;
  readonly of: Held;
  readonly set: SigningKeySet;
}

/** One set of keys, over all replicas that share a storage. */
export class RotatingKeys implements KeySource {
  readonly #options: RotatingKeysOptions;
  #held: Held | undefined;
  #serving: Serving | undefined;
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

  get present(): SigningKeySet | undefined {
    return this.#failure === undefined && this.#isTried(LOOK_AGAIN_AFTER) ? this.#set() : undefined;
  }

  /**
   * Takes a key back at once, whether it signs, will, or has: another one takes its place, and its tokens count no more; here from now on, and with every other
   * replica as soon as it looks again.
   *
   * @returns whether there was such a key
   * @throws what the storage rejects with, or {@link StoredKeysError}: it may have been done all the same, and can be done again
   */
  async retire(kid: string): Promise<boolean> {
    // Instead of any look at the record, and not beside one: what that has seen before would come back into the memory after it.
    while (this.#reading !== undefined) await this.#reading;
    const retiring = this.#agree(kid).then(({ keys, retired }) => {
      this.#hold(keys);
      return retired;
    });
    this.#reading = retiring
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return retiring;
  }

  async #keys(lookAfter: number): Promise<SigningKeySet> {
    if (!this.#isTried(lookAfter)) await this.#readOnce();
    const set = this.#set();
    if (set === undefined) throw this.#failure?.cause ?? new StoredKeysError("There are no signing keys.");
    return set;
  }

  #isTried(lookAfter: number): boolean {
    return this.#triedAt !== undefined && this.#isWithin(this.#triedAt, lookAfter);
  }

  /** What is in memory, as long as it is safe. */
  #set(): SigningKeySet | undefined {
    const { now, policy } = this.#options;
    const at = now();
    const held = this.#held;
    // Every key is published for so long before it signs: whoever has looked since then knows all that can be in use.
    if (held === undefined || !this.#isWithin(held.readAt, policy.publishBefore)) return undefined;
    if (this.#serving?.at === at && this.#serving.of === held) return this.#serving.set;
    const signing = signingAt(held.keys, at);
    if (signing === undefined) return undefined;
    const set = { signing: signing.key, published: stillNeeded(held.keys, at, policy).map(({ key }) => key) };
    this.#serving = { at, of: held, set };
    return set;
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
      this.#hold((await this.#agree()).keys);
    } catch (cause) {
      if (this.#failure === undefined) observe({ type: "signing_keys.unavailable", cause });
      this.#failure = { cause };
      this.#triedAt = now();
    }
  }

  #hold(keys: readonly TimedKey[]): void {
    const now = this.#options.now();
    this.#held = { keys, readAt: now };
    this.#triedAt = now;
    this.#failure = undefined;
  }

  /** The keys that all replicas agree on, after whatever was due has been done to them, by this replica or another, and without one that is unwanted. */
  async #agree(unwanted?: string): Promise<{ readonly keys: readonly TimedKey[]; readonly retired: boolean }> {
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
      const wanted = stored.filter(({ key }) => key.kid !== unwanted);
      const due = await this.#renewed(wanted, make);
      const retired = wanted.length < stored.length;
      if (due === wanted && !retired && entry?.outdated !== true) return { keys: stored, retired };
      const done =
        entry === undefined
          ? await records.claim(RECORD, formatKeys(due), ttl)
          : await records.replace(RECORD, entry, formatKeys(due), ttl);
      if (!done) continue;
      this.#tell(stored, due);
      return { keys: due, retired };
    }
    // Absent to `get` and in the way of `claim`: it is there, sealed with another key or damaged.
    throw new StoredKeysError("The record of the signing keys is there, and can not be read or changed.");
  }

  /** The keys with what is due done to them; the very same list where nothing is. */
  async #renewed(stored: readonly TimedKey[], make: () => Promise<Jwk>): Promise<readonly TimedKey[]> {
    const { now, policy } = this.#options;
    const needed = stillNeeded(stored, now(), policy);
    const signsFrom = nextTurn(needed, now(), policy);
    if (signsFrom === undefined) return needed.length < stored.length ? needed : stored;
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
