import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import { isAtomic, type TokenStorage } from "@sallyport/oauth-core";
import { refusesWhatNoStorageTakes } from "@sallyport/test-servers/storage-proofs";
import { describe, expect, test, vi } from "vitest";
import { databaseIn, opened, place } from "../test/place.ts";
import { DiskStore, type DiskStoreOptions } from "./disk-store.ts";
import { DiskStoreError } from "./disk-store-error.ts";

/** A store whose time stands still until it is told otherwise. */
function clocked(options: Partial<DiskStoreOptions> = {}) {
  const clock = { now: 1_800_000_000 };
  return { clock, store: opened({ ...options, now: () => clock.now }) };
}

const many = (count: number, verb: (index: number) => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, (_, index) => verb(index)));

describe("options", () => {
  test("the names and defaults of the guide are enough", async () => {
    const directory = place();
    const store: TokenStorage = new DiskStore({ directory });
    expect(isAtomic(store)).toBe(true);
    await store.save("key", "value");
    await store.close?.();
    expect(readdirSync(directory)).toEqual(["sallyport.sqlite"]);
  });

  test("fileExtension is how the database file ends, so that several can share a directory", async () => {
    const directory = place();
    const [json, other] = [
      opened({ directory, fileExtension: ".json" }),
      opened({ directory, fileExtension: ".a-b.db" }),
    ];
    await json.save("key", "value");
    expect(await other.get("key")).toBeUndefined();
    expect(existsSync(join(directory, "sallyport.json"))).toBe(true);
    expect(existsSync(join(directory, "sallyport.a-b.db"))).toBe(true);
  });

  test("an option that can't work is refused by its name", () => {
    const directory = place();
    for (const fileExtension of ["", "json", ".", "..", "./x", ".x/../../y", ".a\0", ". "]) {
      expect(() => new DiskStore({ directory, fileExtension })).toThrow(/^fileExtension:/);
    }
    for (const value of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
      expect(() => new DiskStore({ directory, cleanupIntervalMs: value })).toThrow(/^cleanupIntervalMs:/);
      expect(() => new DiskStore({ directory, busyTimeoutMs: value })).toThrow(/^busyTimeoutMs:/);
    }
    for (const wrong of ["", "a\0b"]) expect(() => new DiskStore({ directory: wrong })).toThrow(/^directory:/);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("without a clock of its own it goes by the system's, to the fraction of a second", async () => {
    const store = opened();
    vi.useFakeTimers({ now: 1_800_000_000_900, toFake: ["Date"] });
    try {
      await store.save("key", "value", 1);
      vi.setSystemTime(1_800_000_001_899);
      expect(await store.get("key")).toBe("value");
      vi.setSystemTime(1_800_000_001_900);
      expect(await store.get("key")).toBeUndefined();
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("what a get sees", () => {
  test("it sees what the same instance was asked to write before it, resolved or not", async () => {
    const store = opened();
    void store.save("key", "first");
    expect(await store.get("key")).toBe("first");
    void store.save("key", "second");
    void store.delete("key");
    expect(await store.get("key")).toBeUndefined();
    const [claimed, seen] = await Promise.all([store.claim("key", "third"), store.get("key")]);
    expect([claimed, seen]).toEqual([true, "third"]);
  });

  test("it does not wait for writes of other keys", async () => {
    const store = opened();
    await store.save("key", "value");
    const order: string[] = [];
    await Promise.all([
      store.save("other", "value").then(() => order.push("save")),
      store.get("key").then(() => order.push("get")),
    ]);
    expect(order).toEqual(["get", "save"]);
  });

  test("where that write fails it sees the value that was there", async () => {
    let failures = 0;
    const store = opened({
      now: () => {
        if (failures === 0) return 1_800_000_000;
        failures -= 1;
        throw new RangeError("the clock has stopped");
      },
    });
    await store.save("key", "before");
    failures = 1;
    const [saved, seen] = await Promise.allSettled([store.save("key", "after"), store.get("key")]);
    expect(saved).toMatchObject({ status: "rejected", reason: expect.any(RangeError) });
    expect(seen).toEqual({ status: "fulfilled", value: "before" });
  });

  describe("in the moment in which another process repairs the log", () => {
    const locked = Object.assign(new Error("database is locked"), { code: "ERR_SQLITE_ERROR", errcode: 261 });
    const repairing = (): never => {
      throw locked;
    };

    test("it comes again", async () => {
      const store = opened();
      await store.save("key", "value");
      const statement = vi.spyOn(StatementSync.prototype, "get");
      for (let look = 0; look < 3; look += 1) statement.mockImplementationOnce(repairing);
      expect(await store.get("key")).toBe("value");
      statement.mockRestore();
    });

    test("it does not wait without end", async () => {
      const store = opened({ busyTimeoutMs: 20 });
      const statement = vi.spyOn(StatementSync.prototype, "get").mockImplementation(repairing);
      await expect(store.get("key")).rejects.toMatchObject({ reason: "busy", cause: locked });
      statement.mockRestore();
    });
  });

  test("another instance sees it as soon as it is resolved", async () => {
    const directory = place();
    const [one, other] = [opened({ directory }), opened({ directory })];
    for (let round = 0; round < 20; round += 1) {
      await one.save("key", round);
      expect(await other.get("key")).toBe(round);
    }
  });
});

describe("keys", () => {
  const keys = [
    "",
    "\0",
    "a\0",
    "a\0b",
    "\ud800",
    "\udc00",
    "\ud800\ud800",
    "\ufffd",
    "\uffff",
    "🚪",
    "a".repeat(100_000),
  ];

  test("any string is a key of its own: NUL, halves of characters and the empty one too", async () => {
    const store = opened();
    for (const [index, key] of keys.entries()) expect(await store.claim(key, index, 60)).toBe(true);
    for (const [index, key] of keys.entries()) expect(await store.get(key)).toBe(index);
    expect([...(await store.list("")).keys].sort()).toEqual([...keys].sort());
    expect((await store.list("a\0")).keys).toEqual(["a\0", "a\0b"]);
    expect((await store.list("\ud800")).keys).toEqual(["\ud800", "\ud800\ud800"]);
  });
});

describe("values", () => {
  test("what no storage takes is refused, and what was there stays", async () => {
    await refusesWhatNoStorageTakes(opened());
  });

  test("a record without ttl never expires, and one with years of it not for years", async () => {
    const { clock, store } = clocked();
    await store.save("forever", "value");
    await store.save("years", "value", 30 * 31_536_000);
    await store.save("longest", "value", Number.MAX_SAFE_INTEGER);
    clock.now += 30 * 31_536_000 - 1;
    await store.cleanup();
    expect(await many(3, (index) => store.get(["forever", "years", "longest"][index] ?? ""))).toEqual(
      Array(3).fill("value"),
    );
    clock.now += 1;
    await store.cleanup();
    expect([await store.get("forever"), await store.get("years"), await store.size()]).toEqual(["value", undefined, 2]);
  });
});

describe("cleanup", () => {
  test("it removes what has expired in many small steps, and other work goes on between them", async () => {
    const directory = place();
    const { clock, store } = clocked({ directory });
    const count = 10;
    await many(count, (index) => store.save(`dying:${index}`, "value", 10));
    await store.save("living", "value", 1000);
    clock.now += 10;

    // Each look at the clock is a millisecond later, so that one removal takes longer than a step may.
    let milliseconds = 0;
    const stopwatch = vi.spyOn(performance, "now").mockImplementation(() => {
      milliseconds += 1;
      return milliseconds;
    });
    let cleaned = false;
    const cleaning = store.cleanup().then(() => {
      cleaned = true;
    });
    let turns = 0;
    for (; !cleaned; turns += 1) {
      await nextTurn();
      expect(await store.get("living")).toBe("value");
    }
    await cleaning;
    stopwatch.mockRestore();
    expect(turns).toBeGreaterThanOrEqual(count);
    expect(await store.size()).toBe(1);
  });

  test("where nothing has expired it writes nothing and takes no lock", async () => {
    const directory = place();
    const store = opened({ directory, busyTimeoutMs: 1 });
    await many(100, (index) => store.save(`key:${index}`, "value", index % 2 === 0 ? 1000 : undefined));
    const other = new DatabaseSync(databaseIn(directory));
    other.exec("BEGIN IMMEDIATE");
    await store.cleanup();
    other.exec("ROLLBACK");
    other.close();
    expect(await store.size()).toBe(100);
  });

  test("the timer does it every cleanupIntervalMs, in the database and not only by name", async () => {
    const directory = place();
    const { clock, store } = clocked({ directory, cleanupIntervalMs: 1 });
    await many(100, (index) => store.save(`key:${index}`, "value", 10));
    await store.save("living", "value");
    clock.now += 10;
    const other = new DatabaseSync(databaseIn(directory));
    const left = other.prepare("SELECT count(*) AS count FROM records");
    await vi.waitFor(() => expect(left.get()?.["count"]).toBe(1));
    other.close();
    expect(await store.get("living")).toBe("value");
  });

  test("a clean-up of the timer that fails harms nobody, and the next one goes on", async () => {
    const directory = place();
    const { clock, store } = clocked({ directory, cleanupIntervalMs: 1, busyTimeoutMs: 1 });
    await store.save("dying", "value", 10);
    const other = new DatabaseSync(databaseIn(directory));
    other.exec("BEGIN IMMEDIATE");
    clock.now += 10;
    // A write of ours has been given up in the same way: several of the timer's have by then.
    await expect(store.save("key", "value")).rejects.toMatchObject({ reason: "busy" });
    other.exec("ROLLBACK");
    const left = other.prepare("SELECT count(*) AS count FROM records");
    await vi.waitFor(() => expect(left.get()?.["count"]).toBe(0));
    other.close();
  });
});

test("size is how many live, whether the expired were removed or not", async () => {
  const { clock, store } = clocked();
  expect(await store.size()).toBe(0);
  await many(10, (index) => store.save(`key:${index}`, "value", index < 4 ? 10 : undefined));
  expect(await store.size()).toBe(10);
  clock.now += 10;
  expect(await store.size()).toBe(6);
  await store.cleanup();
  expect(await store.size()).toBe(6);
});

test("a page has at most as many keys as were asked for, and expired ones only make it shorter", async () => {
  const { clock, store } = clocked();
  for (const [index, key] of ["a:1", "a:2", "a:3", "a:4", "a:5", "b:1"].entries()) {
    await store.save(key, "value", index % 2 === 0 ? 10 : undefined);
  }
  expect(await store.list("a:", { limit: 2 })).toEqual({ keys: ["a:1", "a:2"], cursor: "a:2" });
  expect(await store.list("a:", { limit: 5 })).toEqual({ keys: ["a:1", "a:2", "a:3", "a:4", "a:5"] });
  clock.now += 10;
  expect(await store.list("a:", { limit: 1 })).toEqual({ keys: [], cursor: "a:1" });
  expect(await store.list("a:", { limit: 2, cursor: "a:2" })).toEqual({ keys: ["a:4"], cursor: "a:4" });
  for (const limit of [0, -1, Number.NaN]) {
    expect(await store.list("a:", { limit, cursor: "a:3" })).toEqual({ keys: ["a:4"], cursor: "a:4" });
  }
  expect(await store.list("b:", { cursor: "a:2" })).toEqual({ keys: ["b:1"] });
});

describe("close", () => {
  test("it finishes what was asked for before, and rejects what is asked for after", async () => {
    const directory = place();
    const store = new DiskStore({ directory });
    const before = [store.save("key", "value"), store.get("key"), store.claim("other", 1), store.list("none")];
    const closing = store.close();
    const closed = expect.objectContaining({ reason: "closed", path: databaseIn(directory) });
    const after = [
      ...[store.get("key"), store.save("key", 1), store.delete("key"), store.claim("key", 1), store.take("key")],
      ...[store.replace("key", 1, 2), store.cleanup(), store.list(""), store.size()],
    ];
    for (const { reason } of (await Promise.allSettled(after)) as PromiseRejectedResult[])
      expect(reason).toEqual(closed);
    expect(await Promise.all(before)).toEqual([undefined, "value", true, { keys: [] }]);
    await closing;
    expect(readdirSync(directory)).toEqual(["sallyport.sqlite"]);
    expect(await opened({ directory }).get("key")).toBe("value");
  });

  test("destroy is the same, and any number of either is one", async () => {
    const store = opened();
    const first = store.close();
    expect(store.destroy()).toBe(first);
    await Promise.all([first, store.close(), store.destroy()]);
    await store.close();
    await expect(store.get("key")).rejects.toBeInstanceOf(DiskStoreError);
  });

  test("it leaves no timer behind", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const store = opened();
      expect(vi.getTimerCount()).toBe(1);
      await store.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test("a clean-up in the middle of its work says that it was cut off", async () => {
    const { clock, store } = clocked();
    await many(3000, (index) => store.save(`key:${index}`, "value", 10));
    clock.now += 10;
    const cleaning = store.cleanup();
    await nextTurn();
    await store.close();
    await expect(cleaning).rejects.toMatchObject({ reason: "closed" });
  });
});
