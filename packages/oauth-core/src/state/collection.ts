/** Typed collections: one kind of record each, sealed on the way out, opened on the way in, changed by compare-and-swap. */

import { ConfigurationError } from "../protocol/errors.ts";
import { isOutdated, type KeyRing, open, seal, type Unreadable } from "./sealing.ts";
import { type AtomicTokenStorage, assertTtl, type ListOptions } from "./token-storage.ts";

/** A record as it is stored. */
export interface Entry<T> {
  /** What it says; of one that was just written, what was given. */
  readonly value: T;
  /** Exactly what the storage holds: what {@link Collection.replace} expects to find there. */
  readonly raw: unknown;
  /** It is sealed with a key that seals no more: a record that is seldom written has to be, before that key is taken away. */
  readonly outdated?: true;
}

/** A record that can't be read, and why. The key is a digest, safe to log. */
export interface UnreadableRecord {
  readonly key: string;
  readonly why: Unreadable;
}

/** What a collection is made of. */
export interface CollectionOptions {
  readonly storage: AtomicTokenStorage;
  /** The kind of record, as the first part of every key: `grant`. Without a colon, so that two kinds never share a key. */
  readonly prefix: string;
  /** The keys to seal with; `undefined` only where the operator turned encryption off by name, then records are JSON text. */
  readonly ring: KeyRing | undefined;
  /** Told of each record that was met and can't be read. It stays where it is. */
  readonly onUnreadable?: ((record: UnreadableRecord) => void) | undefined;
}

/**
 * Records of one kind. Every call is one round trip to the storage; a `claim` or `replace` that failed is two.
 *
 * The storage is always handed a string. A seal has a random nonce, so no two of them are equal: `replace` therefore succeeds only
 * where the record is the very one that was read, not merely one that says the same.
 */
export class Collection<T> {
  readonly #storage: AtomicTokenStorage;
  readonly #prefix: string;
  readonly #ring: KeyRing | undefined;
  readonly #onUnreadable: ((record: UnreadableRecord) => void) | undefined;

  constructor(options: CollectionOptions) {
    this.#storage = options.storage;
    this.#prefix = options.prefix;
    this.#ring = options.ring;
    this.#onUnreadable = options.onUnreadable;
  }

  /**
   * The record of that id. One that can't be read is absent here and reported; it still stands in the way of {@link Collection.claim}.
   *
   * @throws whatever the storage rejects with: an unreachable storage is not an absent record.
   */
  async get(id: string): Promise<Entry<T> | undefined> {
    const key = this.#key(id);
    const raw = await this.#storage.get(key);
    if (raw === undefined || raw === null) return undefined;

    const opened = this.#open(key, raw);
    if ("plaintext" in opened)
      return { value: opened.plaintext, raw, ...(this.#isOutdated(raw) && { outdated: true }) };
    this.#onUnreadable?.({ key, why: opened.unreadable });
    return undefined;
  }

  /** Stores a record for `ttl` seconds, or for good without one, whatever was there. */
  async save(id: string, value: T, ttl?: number): Promise<void> {
    assertTtl(ttl);
    const key = this.#key(id);
    await this.#storage.save(key, this.#seal(key, value), ttl);
  }

  /**
   * Stores a record for `ttl` seconds, or for good, where nothing live is: of any number of racers exactly one is given the
   * entry as it is stored, and the others `undefined`.
   *
   * Where the storage fails, it may have done the deed all the same. It is then asked once what is there: the very seal of this call means that it
   * won, any other that it lost.
   *
   * @throws what the storage rejected with, where nothing is there, it fails again, or nothing is sealed and so whose a record is can't be known.
   */
  async claim<U extends T>(id: string, value: U, ttl?: number): Promise<Entry<U> | undefined> {
    assertTtl(ttl);
    const key = this.#key(id);
    const written = { value, raw: this.#seal(key, value) };
    try {
      return (await this.#storage.claim(key, written.raw, ttl)) ? written : undefined;
    } catch (error) {
      const live = await this.#lookBack(key);
      if (live === undefined || live === null) throw error;
      return live === written.raw ? written : undefined;
    }
  }

  /**
   * Stores a record for `ttl` seconds, or for good, where the storage still holds exactly `entry`: of any number of racers that read the same entry
   * exactly one is given the entry that it has become. On `undefined`, read again and decide again.
   *
   * Where the storage fails, it is asked once what is there, and the very seal of this call means that it won.
   *
   * @throws what the storage rejected with, where anything else is there: somebody may have gone on from what this call stored, and whoever
   *   is given nothing has changed nothing.
   */
  async replace<U extends T>(id: string, entry: Entry<T>, value: U, ttl?: number): Promise<Entry<U> | undefined> {
    assertTtl(ttl);
    const key = this.#key(id);
    const written = { value, raw: this.#seal(key, value) };
    try {
      return (await this.#storage.replace(key, entry.raw, written.raw, ttl)) ? written : undefined;
    } catch (error) {
      if ((await this.#lookBack(key)) === written.raw) return written;
      throw error;
    }
  }

  /**
   * The ids that begin with `prefix`, page by page, live ones and whatever else the storage still names. For operators: no request waits for it.
   *
   * @throws {ConfigurationError} naming `tokenStorage`, where the storage has no `list`
   */
  async list(
    prefix: string,
    options: ListOptions = {},
  ): Promise<{ ids: readonly string[]; cursor: string | undefined }> {
    const { list } = this.#storage;
    if (list === undefined)
      throw new ConfigurationError("tokenStorage", "has no list, without which nothing can be looked for");
    const { keys, cursor } = await list.call(this.#storage, this.#key(prefix), options);
    return { ids: keys.map((key) => key.slice(this.#key("").length)), cursor };
  }

  /** Removes a record. That there is none is no error. */
  async delete(id: string): Promise<void> {
    await this.#storage.delete(this.#key(id));
  }

  /**
   * What is there after a write that failed; `undefined` where that tells nothing. Only a seal can be recognised, by its nonce: without a ring
   * another caller may have written the same text.
   */
  async #lookBack(key: string): Promise<unknown> {
    if (this.#ring === undefined) return undefined;
    try {
      return await this.#storage.get(key);
    } catch {
      // It fails still. What the caller has to know is how its own call failed.
      return undefined;
    }
  }

  #key(id: string): string {
    return `${this.#prefix}:${id}`;
  }

  #seal(key: string, value: T): string {
    const text = JSON.stringify(value);
    return this.#ring === undefined ? text : seal(this.#ring, key, text);
  }

  #isOutdated(raw: unknown): boolean {
    return this.#ring !== undefined && typeof raw === "string" && isOutdated(this.#ring, raw);
  }

  #open(key: string, raw: unknown): { readonly plaintext: T } | { readonly unreadable: Unreadable } {
    if (typeof raw !== "string") return { unreadable: "damaged" };
    const opened = this.#ring === undefined ? { plaintext: raw } : open(this.#ring, key, raw);
    if ("unreadable" in opened) return opened;
    try {
      return { plaintext: JSON.parse(opened.plaintext) as T };
    } catch {
      // Only without a ring: a seal that opens holds what `#seal` put in. A record that was sealed before encryption was turned off ends here.
      return { unreadable: "damaged" };
    }
  }
}
