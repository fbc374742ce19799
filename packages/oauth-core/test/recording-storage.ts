/** A storage with a memory of its own: everything that it was ever handed. */
import { MemoryTokenStorage } from "../src/state/memory-token-storage.ts";

export class RecordingStorage extends MemoryTokenStorage {
  readonly #handed: string[] = [];

  /** All keys and values that were ever written, as text. */
  get dump(): string {
    return this.#handed.join("\n");
  }

  override save(key: string, value: unknown, ttl?: number): Promise<void> {
    this.#handed.push(key, JSON.stringify(value));
    return super.save(key, value, ttl);
  }

  override claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    this.#handed.push(key, JSON.stringify(value));
    return super.claim(key, value, ttl);
  }

  override replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    this.#handed.push(key, JSON.stringify(value));
    return super.replace(key, expected, value, ttl);
  }
}
