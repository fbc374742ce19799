import { expect, test } from "vitest";
import { MemoryTokenStorage } from "./memory-token-storage.ts";
import { SingleProcessStorage } from "./single-process-storage.ts";
import type { TokenStorage } from "./token-storage.ts";

/** A storage with the four documented verbs, each of which waits in a queue until the test lets it through. */
class Gated implements TokenStorage {
  readonly calls: string[] = [];
  readonly #values = new Map<string, unknown>();
  readonly #gates: (() => void)[] = [];
  #open = false;
  failing: Error | undefined;

  /** Lets everything through that waits, and that is still to come. */
  release(): void {
    this.#open = true;
    for (const pass of this.#gates.splice(0)) pass();
  }

  async get(key: string) {
    await this.#enter(`get ${key}`);
    return this.#values.get(key);
  }

  async save(key: string, value: unknown) {
    await this.#enter(`save ${key}`);
    this.#values.set(key, value);
  }

  async delete(key: string) {
    await this.#enter(`delete ${key}`);
    this.#values.delete(key);
  }

  async cleanup() {
    await this.#enter("cleanup");
  }

  async #enter(call: string): Promise<void> {
    this.calls.push(call);
    if (!this.#open) await new Promise<void>((pass) => this.#gates.push(pass));
    if (this.failing !== undefined) throw this.failing;
  }
}

/** Lets everything happen that needs nobody else. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

test("calls for one key wait for each other, whatever the verb; those for other keys do not", async () => {
  const backend = new Gated();
  const storage = new SingleProcessStorage(backend);
  const all = [
    storage.claim("a", 1),
    storage.get("a"),
    storage.delete("a"),
    storage.replace("a", 1, 2),
    storage.save("b", 1),
    storage.cleanup(),
  ];
  await settle();
  expect(backend.calls.sort()).toEqual(["cleanup", "get a", "save b"]);

  backend.release();
  expect(await Promise.all(all)).toEqual([true, 1, undefined, false, undefined, undefined]);
  expect(backend.calls.slice(3)).toEqual(["save a", "get a", "delete a", "get a"]);
});

test("of 32 racers one claims, over two wrappers of one backend as well", async () => {
  const backend = new Gated();
  const wrappers = [new SingleProcessStorage(backend), new SingleProcessStorage(backend)];
  const racers = Array.from({ length: 32 }, (_, racer) => wrappers[racer % 2]?.claim("code", racer));
  backend.release();
  expect((await Promise.all(racers)).filter((won) => won === true)).toHaveLength(1);
});

test("a call that fails fails for its caller only, and the next one has its turn", async () => {
  const backend = new Gated();
  const storage = new SingleProcessStorage(backend);
  backend.release();
  backend.failing = new Error("the disk is gone");
  await expect(storage.claim("a", 1)).rejects.toThrow("the disk is gone");
  const waiting = [storage.claim("a", 1), storage.claim("a", 2)];
  await expect(waiting[0]).rejects.toThrow("the disk is gone");
  await expect(waiting[1]).rejects.toThrow("the disk is gone");

  backend.failing = undefined;
  expect(await storage.claim("a", 3)).toBe(true);
  expect(await storage.get("a")).toBe(3);
});

test("a key that nobody waits for leaves nothing behind", async () => {
  const kept: Map<unknown, unknown>[] = [];
  const set = Map.prototype.set;
  Map.prototype.set = function (this: Map<unknown, unknown>, key: unknown, value: unknown) {
    if (value instanceof Promise) kept.push(this);
    return set.call(this, key, value);
  };
  try {
    const storage = new SingleProcessStorage(new MemoryTokenStorage());
    await Promise.all(Array.from({ length: 100 }, (_, index) => storage.claim(`key ${index % 10}`, "value", 60)));
  } finally {
    Map.prototype.set = set;
  }
  expect(kept.length).toBeGreaterThanOrEqual(100);
  expect(new Set(kept.map((waiting) => waiting.size))).toEqual(new Set([0]));
});

test("take, list and close are there exactly where the backend has them", async () => {
  const bare = new SingleProcessStorage(new Gated());
  expect([bare.take, bare.list, bare.close]).toEqual([undefined, undefined, undefined]);
  expect("take" in bare).toBe(false);

  let closed = 0;
  const backend = Object.assign(new MemoryTokenStorage(), {
    close: async () => {
      closed += 1;
    },
  });
  const full = new SingleProcessStorage(backend);
  await full.save("a:1", "value");
  expect(await full.list?.("a:")).toEqual({ keys: ["a:1"] });
  expect(await full.take?.("a:1")).toBe("value");
  expect(await full.get("a:1")).toBeUndefined();
  await full.close?.();
  expect(closed).toBe(1);
});
