/** A storage whose failures are told apart from everything else that can go wrong. */

import { OAuthProxyError } from "../protocol/errors.ts";
import type { AtomicTokenStorage, KeyPage, ListOptions } from "./token-storage.ts";

/**
 * Passes every verb on, and turns whatever the storage rejects with into `storage_unavailable`, with the storage's own words as `cause`.
 *
 * Clients keep their tokens on `temporarily_unavailable` and throw them away on most other errors: an outage must not look like a refusal.
 */
export class AvailableStorage implements AtomicTokenStorage {
  declare readonly list?: (prefix: string, options?: ListOptions) => Promise<KeyPage>;
  readonly #storage: AtomicTokenStorage;

  constructor(storage: AtomicTokenStorage) {
    this.#storage = storage;
    const { list } = storage;
    if (list !== undefined) this.list = (prefix, options) => answered(() => list.call(storage, prefix, options));
  }

  get(key: string): Promise<unknown> {
    return answered(() => this.#storage.get(key));
  }

  save(key: string, value: unknown, ttl?: number): Promise<void> {
    return answered(() => this.#storage.save(key, value, ttl));
  }

  delete(key: string): Promise<void> {
    return answered(() => this.#storage.delete(key));
  }

  cleanup(): Promise<void> {
    return answered(() => this.#storage.cleanup());
  }

  claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    return answered(() => this.#storage.claim(key, value, ttl));
  }

  replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    return answered(() => this.#storage.replace(key, expected, value, ttl));
  }
}

async function answered<T>(ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw new OAuthProxyError("storage_unavailable", { cause });
  }
}
