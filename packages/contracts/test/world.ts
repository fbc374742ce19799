/** Storages to hold the contract against: a world with a clock and a backend, and clients of it. */

import { type AtomicTokenStorage, MemoryTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import type { StorageSubject } from "../src/storage-subject.ts";

/** What the storages of one subject share: a clock, and a backend that can be cut off. */
export class World {
  now = 1_700_000_000;
  reachable = true;
  readonly backend = new MemoryTokenStorage({ now: () => this.now });

  /** A trip to the backend: everybody else gets a turn meanwhile, and it fails where the backend is unreachable. */
  async trip(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (!this.reachable) throw new Error("connection refused");
  }
}

export function subjectOf(open: (world: World) => TokenStorage, world = new World()): StorageSubject {
  return {
    virtualTime: true,
    open: async () => open(world),
    advance: async (seconds) => {
      world.now += seconds;
    },
    fail: async () => {
      world.reachable = false;
      return async () => {
        world.reachable = true;
      };
    },
  };
}

export type Full = Required<AtomicTokenStorage>;

/** A client of the world's backend that keeps the contract, with every optional verb. */
export function sound(world: World): Full {
  const { backend } = world;
  const behind = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    await world.trip();
    return ask();
  };
  return {
    get: (key) => behind(() => backend.get(key)),
    save: (key, value, ttl) => behind(() => backend.save(key, value, ttl)),
    delete: (key) => behind(() => backend.delete(key)),
    cleanup: () => behind(() => backend.cleanup()),
    take: (key) => behind(() => backend.take(key)),
    claim: (key, value, ttl) => behind(() => backend.claim(key, value, ttl)),
    replace: (key, expected, value, ttl) => behind(() => backend.replace(key, expected, value, ttl)),
    list: (prefix, options) => behind(() => backend.list(prefix, options)),
    close: async () => undefined,
  };
}

/** A sound storage with one verb, or a few, gone wrong. */
export function but(spoil: (storage: Full, world: World) => Partial<Full>): (world: World) => TokenStorage {
  return (world) => {
    const storage = sound(world);
    return { ...storage, ...spoil(storage, world) };
  };
}

/** What a custom storage of the documentation looks like: four verbs, no idea of races. */
export class PlainMapStorage implements TokenStorage {
  readonly #world: World;
  readonly #records = new Map<string, { readonly text: string; readonly expiresAt: number }>();

  constructor(world: World) {
    this.#world = world;
  }

  async get(key: string): Promise<unknown> {
    await this.#world.trip();
    const record = this.#records.get(key);
    return record !== undefined && this.#world.now < record.expiresAt ? JSON.parse(record.text) : null;
  }

  async save(key: string, value: unknown, ttl?: number): Promise<void> {
    await this.#world.trip();
    const expiresAt = ttl === undefined ? Number.POSITIVE_INFINITY : this.#world.now + ttl;
    this.#records.set(key, { text: JSON.stringify(value), expiresAt });
  }

  async delete(key: string): Promise<void> {
    await this.#world.trip();
    this.#records.delete(key);
  }

  async cleanup(): Promise<void> {
    await this.#world.trip();
    for (const [key, { expiresAt }] of this.#records) if (expiresAt <= this.#world.now) this.#records.delete(key);
  }
}
