/** The storage of one process: a map, and a heap of what expires next. */

import { type Expiring, ExpiryHeap } from "./expiry-heap.ts";
import { jsonOf, sameJson } from "./json-value.ts";
import { type AtomicTokenStorage, assertTtl, type KeyPage, type ListOptions } from "./token-storage.ts";

const DEFAULT_MAX_ENTRIES = 1_000_000;
const DEFAULT_PAGE = 1000;
/** Expired records dropped per write. More than a write can add, so that what has expired shrinks as long as anybody writes. */
const DROPS_PER_WRITE = 2;

/** How large the storage may grow, and what time it is. */
export interface MemoryTokenStorageOptions {
  /** The most records that are held. Default 1,000,000. */
  readonly maxEntries?: number | undefined;
  /** The time in seconds since 1970; fractions count. Default: the system's clock. */
  readonly now?: (() => number) | undefined;
}

interface MemoryEntry extends Expiring {
  readonly key: string;
  readonly value: unknown;
}

/**
 * Remembers everything in this process and forgets it with it. For development, tests, and servers that may ask everyone to sign in
 * again after a restart.
 *
 * - JavaScript runs one step at a time and each verb is one step: exactly one of any number of racers wins a `claim` or `replace`.
 * - `get` looks at one record. A write drops at most two expired ones. There is no timer and no pass over everything, save in `list`.
 * - Full means full: a **new** key is refused, whatever it is for, and existing ones keep working. Nothing live is ever evicted, so a
 *   flood of registrations or sign-ins logs nobody out.
 */
export class MemoryTokenStorage implements AtomicTokenStorage {
  readonly #entries = new Map<string, MemoryEntry>();
  readonly #expiring = new ExpiryHeap<MemoryEntry>();
  readonly #maxEntries: number;
  readonly #now: () => number;

  constructor(options: MemoryTokenStorageOptions = {}) {
    this.#maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES;
    this.#now = options.now ?? (() => Date.now() / 1000);
  }

  /** How many records are held, those included that have expired and were not dropped yet. */
  get size(): number {
    return this.#entries.size;
  }

  async get(key: string): Promise<unknown> {
    return this.#copy(this.#live(key));
  }

  /** @throws {StorageFullError} for a new key where there is no room. */
  async save(key: string, value: unknown, ttl?: number): Promise<void> {
    this.#store(key, value, ttl);
  }

  async delete(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#drop(entry);
    this.#dropExpired(DROPS_PER_WRITE);
  }

  async cleanup(): Promise<void> {
    this.#dropExpired(Number.POSITIVE_INFINITY);
  }

  async take(key: string): Promise<unknown> {
    const entry = this.#live(key);
    if (entry !== undefined) this.#drop(entry);
    return this.#copy(entry);
  }

  /** @throws {StorageFullError} for a new key where there is no room. */
  async claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    if (this.#live(key) !== undefined) return false;
    this.#store(key, value, ttl);
    return true;
  }

  async replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    const entry = this.#live(key);
    if (entry === undefined || !sameJson(entry.value, jsonOf(expected))) return false;
    this.#store(key, value, ttl);
    return true;
  }

  /** Pages in the order of the keys. Each page is a pass over everything that is held. */
  async list(prefix: string, options: ListOptions = {}): Promise<KeyPage> {
    const { cursor, limit = DEFAULT_PAGE } = options;
    const now = this.#now();
    const keys = [...this.#entries.values()]
      .filter(
        (entry) =>
          now < entry.expiresAt && entry.key.startsWith(prefix) && (cursor === undefined || entry.key > cursor),
      )
      .map((entry) => entry.key)
      .sort(byCodeUnit);
    const page = keys.slice(0, Math.max(1, limit));
    const last = page.at(-1);
    return page.length < keys.length && last !== undefined ? { keys: page, cursor: last } : { keys: page };
  }

  /** Forgets everything. The storage can be used again, empty. */
  destroy(): void {
    this.#entries.clear();
    this.#expiring.clear();
  }

  #live(key: string): MemoryEntry | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#now() < entry.expiresAt ? entry : undefined;
  }

  #copy(entry: MemoryEntry | undefined): unknown {
    return entry === undefined ? undefined : jsonOf(entry.value);
  }

  #store(key: string, value: unknown, ttl: number | undefined): void {
    assertTtl(ttl);
    // Everything that can fail comes before the first change.
    const copy = jsonOf(value);
    this.#dropExpired(DROPS_PER_WRITE);
    const previous = this.#entries.get(key);
    if (previous === undefined && this.#entries.size >= this.#maxEntries) throw new StorageFullError(this.#maxEntries);

    if (previous !== undefined) this.#expiring.remove(previous);
    const entry: MemoryEntry = {
      key,
      value: copy,
      expiresAt: ttl === undefined ? Number.POSITIVE_INFINITY : this.#now() + ttl,
      slot: -1,
    };
    this.#entries.set(key, entry);
    if (ttl !== undefined) this.#expiring.push(entry);
  }

  #drop(entry: MemoryEntry): void {
    this.#expiring.remove(entry);
    this.#entries.delete(entry.key);
  }

  #dropExpired(atMost: number): void {
    const now = this.#now();
    for (let dropped = 0; dropped < atMost; dropped += 1) {
      const next = this.#expiring.peek();
      if (next === undefined || now < next.expiresAt) return;
      this.#drop(next);
    }
  }
}

/** The storage holds as many records as it may. New keys are refused until some expire; existing ones work. */
export class StorageFullError extends Error {
  override readonly name = "StorageFullError";

  constructor(maxEntries: number) {
    super(`The memory storage holds maxEntries (${maxEntries}) records and takes no new ones until some expire.`);
  }
}

function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : 1;
}
