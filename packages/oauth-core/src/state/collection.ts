/** Typed collections: one kind of record each, sealed on the way out, opened on the way in, changed by compare-and-swap. */

import { type KeyRing, open, seal, type Unreadable } from "./sealing.ts";
import { type AtomicTokenStorage, assertTtl } from "./token-storage.ts";

/** A record as it was read. */
export interface Entry<T> {
  /** What it says. */
  readonly value: T;
  /** Exactly what the storage holds: what {@link Collection.replace} expects to find there. */
  readonly raw: unknown;
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
 * Records of one kind. Every call is one round trip to the storage.
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
    if ("plaintext" in opened) return { value: opened.plaintext, raw };
    this.#onUnreadable?.({ key, why: opened.unreadable });
    return undefined;
  }

  /** Stores a record for `ttl` seconds, whatever was there. */
  async save(id: string, value: T, ttl: number): Promise<void> {
    assertTtl(ttl);
    const key = this.#key(id);
    await this.#storage.save(key, this.#seal(key, value), ttl);
  }

  /** Stores a record for `ttl` seconds where nothing live is: of any number of racers exactly one is told `true`. */
  async claim(id: string, value: T, ttl: number): Promise<boolean> {
    assertTtl(ttl);
    const key = this.#key(id);
    return this.#storage.claim(key, this.#seal(key, value), ttl);
  }

  /**
   * Stores a record for `ttl` seconds where the storage still holds exactly `entry`: of any number of racers that read the same entry
   * exactly one is told `true`. On `false`, read again and decide again.
   */
  async replace(id: string, entry: Entry<T>, value: T, ttl: number): Promise<boolean> {
    assertTtl(ttl);
    const key = this.#key(id);
    return this.#storage.replace(key, entry.raw, this.#seal(key, value), ttl);
  }

  /** Removes a record. That there is none is no error. */
  async delete(id: string): Promise<void> {
    await this.#storage.delete(this.#key(id));
  }

  #key(id: string): string {
    return `${this.#prefix}:${id}`;
  }

  #seal(key: string, value: T): string {
    const text = JSON.stringify(value);
    return this.#ring === undefined ? text : seal(this.#ring, key, text);
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
