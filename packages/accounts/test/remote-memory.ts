/** Memory that behaves as if it were far away: everybody else gets a turn during each call, and it can be cut off. */

import { MemoryTokenStorage } from "@sallyport/oauth-core";
import type { AtomicTokenStorage, KeyPage, ListOptions } from "@sallyport/oauth-core/storage";

/** A storage for tests, which also tells what lies in it and lets a test step in between two calls. */
export class RemoteMemory implements AtomicTokenStorage {
  reachable = true;
  /** Called with each call before it is made: its verb and its key. */
  before: (verb: string, key: string) => Promise<void> | void = () => undefined;
  /** The calls that were made. */
  readonly calls: string[] = [];
  readonly #backend: MemoryTokenStorage;

  constructor(now?: () => number) {
    this.#backend = new MemoryTokenStorage(now === undefined ? {} : { now });
  }

  get(key: string): Promise<unknown> {
    return this.#behind("get", key, () => this.#backend.get(key));
  }

  save(key: string, value: unknown, ttl?: number): Promise<void> {
    return this.#behind("save", key, () => this.#backend.save(key, value, ttl));
  }

  delete(key: string): Promise<void> {
    return this.#behind("delete", key, () => this.#backend.delete(key));
  }

  cleanup(): Promise<void> {
    return this.#backend.cleanup();
  }

  claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    return this.#behind("claim", key, () => this.#backend.claim(key, value, ttl));
  }

  replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    return this.#behind("replace", key, () => this.#backend.replace(key, expected, value, ttl));
  }

  list(prefix: string, options?: ListOptions): Promise<KeyPage> {
    return this.#behind("list", prefix, () => this.#backend.list(prefix, options));
  }

  /** Everything that lies there, by its key. */
  async dump(): Promise<ReadonlyMap<string, unknown>> {
    const { keys } = await this.#backend.list("", { limit: 100_000 });
    return new Map(await Promise.all(keys.map(async (key) => [key, await this.#backend.get(key)] as const)));
  }

  async #behind<Answer>(verb: string, key: string, ask: () => Promise<Answer>): Promise<Answer> {
    await this.before(verb, key);
    await new Promise<void>((resolve) => setImmediate(resolve));
    if (!this.reachable) throw new Error("connection refused");
    this.calls.push(`${verb} ${key}`);
    return ask();
  }
}
