/** Sealing as a storage: wraps a backend, and what the backend sees is sealed. */

import { jsonOf, jsonText, sameJson } from "./json-value.ts";
import { KeyRing, open, seal, type Unreadable } from "./sealing.ts";
import type { KeyPage, ListOptions, TokenStorage } from "./token-storage.ts";

/** Who is told of records that can't be read. */
export interface EncryptedTokenStorageOptions {
  /** Told the first time that a record can't be read, once for each reason: a wrong key makes every record one of these. */
  readonly onUnreadable?: ((key: string, why: Unreadable) => void) | undefined;
}

/**
 * Encrypts the values of any storage with AES-256-GCM. Keys stay readable: let them name nothing secret.
 *
 * `OAuthProxy` seals what it stores by itself; this class is for programs that use a storage of their own beside it.
 *
 * - A record opens only under the key that it was saved under: one that was copied elsewhere is unreadable there.
 * - A record that can't be read is absent to `get` and `take`, stands in the way of `claim`, equals nothing for `replace`, and is left
 *   alone, so that an instance with the wrong key destroys nothing.
 * - `claim`, `replace`, `take`, `list` and `close` are here exactly where the backend has them: encryption adds no atomicity.
 */
export class EncryptedTokenStorage implements TokenStorage {
  declare readonly claim?: (key: string, value: unknown, ttl?: number) => Promise<boolean>;
  declare readonly replace?: (key: string, expected: unknown, value: unknown, ttl?: number) => Promise<boolean>;
  declare readonly take?: (key: string) => Promise<unknown>;
  declare readonly list?: (prefix: string, options?: ListOptions) => Promise<KeyPage>;
  declare readonly close?: () => Promise<void>;
  readonly #backend: TokenStorage;
  readonly #ring: KeyRing;
  readonly #onUnreadable: ((key: string, why: Unreadable) => void) | undefined;
  readonly #told = new Set<Unreadable>();

  /**
   * @param encryptionKey at least 32 bytes of a random secret, as text or bytes; of a list the first seals and all open. A passphrase
   *   goes through `JWTIssuer.deriveKey` first.
   * @throws {ConfigurationError} naming `encryptionKey`, where a key is missing or too weak.
   */
  constructor(
    backend: TokenStorage,
    encryptionKey: string | Uint8Array | readonly (string | Uint8Array)[],
    options: EncryptedTokenStorageOptions = {},
  ) {
    this.#backend = backend;
    this.#ring = new KeyRing(keysOf(encryptionKey));
    this.#onUnreadable = options.onUnreadable;

    const { claim, replace, take, list, close } = backend;
    if (claim !== undefined)
      this.claim = async (key, value, ttl) => claim.call(backend, key, this.#seal(key, value), ttl);
    if (replace !== undefined) {
      this.replace = (key, expected, value, ttl) =>
        this.#replace(key, jsonOf(expected), (raw) => replace.call(backend, key, raw, this.#seal(key, value), ttl));
    }
    if (take !== undefined) this.take = (key) => this.#take(key, () => take.call(backend, key));
    if (list !== undefined) this.list = (prefix, page) => list.call(backend, prefix, page);
    if (close !== undefined) this.close = () => close.call(backend);
  }

  async get(key: string): Promise<unknown> {
    return this.#open(key, await this.#backend.get(key));
  }

  async save(key: string, value: unknown, ttl?: number): Promise<void> {
    await this.#backend.save(key, this.#seal(key, value), ttl);
  }

  async delete(key: string): Promise<void> {
    await this.#backend.delete(key);
  }

  async cleanup(): Promise<void> {
    await this.#backend.cleanup();
  }

  /**
   * Two seals of one value differ, so the backend is told to expect the very seal that was read. Where it has changed meanwhile it may
   * still say what is expected (somebody replaced a value by itself): look again. Each further round means that another caller got
   * through, so somebody always advances.
   */
  async #replace(key: string, expected: unknown, swap: (raw: unknown) => Promise<boolean>): Promise<boolean> {
    for (;;) {
      const raw = await this.#backend.get(key);
      const live = this.#open(key, raw);
      if (live === undefined || !sameJson(live, expected)) return false;
      if (await swap(raw)) return true;
    }
  }

  /** Looks before it takes: what this key ring can't read has to stay for the one that can. */
  async #take(key: string, take: () => Promise<unknown>): Promise<unknown> {
    const seen = this.#open(key, await this.#backend.get(key));
    return seen === undefined ? undefined : this.#open(key, await take());
  }

  #seal(key: string, value: unknown): string {
    return seal(this.#ring, key, jsonText(value));
  }

  #open(key: string, raw: unknown): unknown {
    if (raw === undefined || raw === null) return undefined;
    const opened = typeof raw === "string" ? open(this.#ring, key, raw) : { unreadable: "damaged" as const };
    if ("plaintext" in opened) return JSON.parse(opened.plaintext);

    if (!this.#told.has(opened.unreadable)) {
      this.#told.add(opened.unreadable);
      this.#onUnreadable?.(key, opened.unreadable);
    }
    return undefined;
  }
}

function keysOf(encryptionKey: string | Uint8Array | readonly (string | Uint8Array)[]): readonly Uint8Array[] {
  const keys =
    typeof encryptionKey === "string" || encryptionKey instanceof Uint8Array ? [encryptionKey] : encryptionKey;
  return keys.map((key) => (typeof key === "string" ? Buffer.from(key, "utf8") : key));
}
