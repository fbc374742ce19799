/** Single use for a storage that can't decide races: a lock per key, within this process. */

import { jsonOf, sameJson } from "./json-value.ts";
import type { AtomicTokenStorage, KeyPage, ListOptions, TokenStorage } from "./token-storage.ts";

type Waiting = Map<string, Promise<void>>;

/** Whoever waits in line does not care how it went; the caller is told through the promise of its own. */
const ignore = (): undefined => undefined;

/** One set of locks per backend, so that two wrappers of it in one process stand in the same queue. */
const locks = new WeakMap<TokenStorage, Waiting>();

/**
 * Gives `claim` and `replace` to a storage that has only `get`, `save`, `delete` and `cleanup`.
 *
 * **It holds within one process.** Calls for one key wait for each other here, so exactly one racer of this process wins. A second
 * process that shares the backend stands in no queue, and a code could then be paid twice: give several processes a storage with
 * atomic verbs of its own. Wrappers of one backend object share their locks; two backend objects over one database do not.
 *
 * Calls for different keys never wait for each other. A call that the backend never settles holds up its key and no other, so the
 * backend should have a time limit of its own.
 */
export class SingleProcessStorage implements AtomicTokenStorage {
  declare readonly take?: NonNullable<TokenStorage["take"]>;
  declare readonly list?: (prefix: string, options?: ListOptions) => Promise<KeyPage>;
  declare readonly close?: () => Promise<void>;
  readonly #backend: TokenStorage;
  readonly #waiting: Waiting;

  constructor(backend: TokenStorage) {
    this.#backend = backend;
    this.#waiting = locks.get(backend) ?? new Map();
    locks.set(backend, this.#waiting);

    const { take, list, close } = backend;
    if (take !== undefined) this.take = (key) => this.#alone(key, () => take.call(backend, key));
    if (list !== undefined) this.list = (prefix, options) => list.call(backend, prefix, options);
    if (close !== undefined) this.close = () => close.call(backend);
  }

  async get(key: string): Promise<unknown> {
    return this.#alone(key, () => this.#backend.get(key));
  }

  async save(key: string, value: unknown, ttl?: number): Promise<void> {
    await this.#alone(key, () => this.#backend.save(key, value, ttl));
  }

  async delete(key: string): Promise<void> {
    await this.#alone(key, () => this.#backend.delete(key));
  }

  async cleanup(): Promise<void> {
    await this.#backend.cleanup();
  }

  async claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    return this.#alone(key, async () => {
      if (isPresent(await this.#backend.get(key))) return false;
      await this.#backend.save(key, value, ttl);
      return true;
    });
  }

  async replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    return this.#alone(key, async () => {
      const live = await this.#backend.get(key);
      if (!isPresent(live) || !sameJson(jsonOf(live), jsonOf(expected))) return false;
      await this.#backend.save(key, value, ttl);
      return true;
    });
  }

  /** Does `work` when everybody who asked for `key` before has finished, well or badly. */
  async #alone<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const result = (this.#waiting.get(key) ?? Promise.resolve()).then(work);
    const finished = result.then(ignore, ignore);
    this.#waiting.set(key, finished);
    try {
      return await result;
    } finally {
      // The last one turns off the light: an idle key costs no memory.
      if (this.#waiting.get(key) === finished) this.#waiting.delete(key);
    }
  }
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
