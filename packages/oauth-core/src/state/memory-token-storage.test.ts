import { afterEach, expect, test, vi } from "vitest";
import { MemoryTokenStorage, StorageFullError } from "./memory-token-storage.ts";

/** A storage whose time stands still until it is told otherwise. */
function clocked(options: { maxEntries?: number } = {}) {
  const clock = { now: 1_000_000 };
  return { clock, storage: new MemoryTokenStorage({ ...options, now: () => clock.now }) };
}

async function filled(storage: MemoryTokenStorage, count: number, ttl?: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await storage.save(`filling:${index}`, "value", ttl);
}

/** Counts what is done to any map, while `work` runs. */
async function mapCalls(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const walks = ["entries", "forEach", "keys", "values", Symbol.iterator] as const;
  const spies = {
    get: [vi.spyOn(Map.prototype, "get")],
    set: [vi.spyOn(Map.prototype, "set")],
    delete: [vi.spyOn(Map.prototype, "delete")],
    walk: walks.map((name) => vi.spyOn(Map.prototype, name)),
  };
  await work();
  const counts = Object.entries(spies).map(([name, all]) => [
    name,
    all.reduce((sum, spy) => sum + spy.mock.calls.length, 0),
  ]);
  vi.restoreAllMocks();
  return Object.fromEntries(counts);
}

afterEach(() => {
  vi.restoreAllMocks();
});

test("a get looks at one record, however many there are and however many have expired", async () => {
  const { clock, storage } = clocked();
  await filled(storage, 20_000, 10);
  await storage.save("wanted", "value");
  clock.now += 60;

  expect(await mapCalls(() => storage.get("wanted"))).toEqual({ get: 1, set: 0, delete: 0, walk: 0 });
  expect(await mapCalls(() => storage.get("filling:7"))).toEqual({ get: 1, set: 0, delete: 0, walk: 0 });
  expect(await storage.get("filling:7")).toBeUndefined();
});

test("a write drops at most two expired records, and no verb but list walks over all of them", async () => {
  const { clock, storage } = clocked();
  await filled(storage, 1000, 10);
  await storage.save("kept", "value");
  clock.now += 60;

  expect(await mapCalls(() => storage.save("kept", "other"))).toMatchObject({ set: 1, delete: 2, walk: 0 });
  expect(storage.size).toBe(999);
  expect(await mapCalls(() => storage.claim("claimed", "value"))).toMatchObject({ set: 1, delete: 2, walk: 0 });
  expect(await mapCalls(() => storage.replace("kept", "other", "third"))).toMatchObject({ set: 1, delete: 2, walk: 0 });
  expect(await mapCalls(() => storage.delete("claimed"))).toMatchObject({ delete: 3, walk: 0 });
  expect(storage.size).toBe(993);
});

test("what has expired goes as long as anybody writes, without a cleanup", async () => {
  const { clock, storage } = clocked();
  await filled(storage, 1000, 10);
  clock.now += 60;

  for (let index = 0; index < 1000; index += 1) await storage.save(`fresh:${index}`, "value", 10);
  expect(storage.size).toBe(1000);
});

test("a cleanup drops what has expired, all of it, and looks at nothing that lives", async () => {
  const { clock, storage } = clocked();
  await filled(storage, 500, 10);
  for (let index = 0; index < 500; index += 1) await storage.save(`live:${index}`, "value", 1000);
  clock.now += 10;

  expect(await mapCalls(() => storage.cleanup())).toEqual({ get: 0, set: 0, delete: 500, walk: 0 });
  expect(storage.size).toBe(500);
});

test("a record that is written again and again is held once", async () => {
  const { clock, storage } = clocked();
  for (let index = 0; index < 1000; index += 1) await storage.save("grant", `generation ${index}`, 2_592_000);
  expect(storage.size).toBe(1);
  clock.now += 2_592_000;
  expect(await mapCalls(() => storage.cleanup())).toMatchObject({ delete: 1 });
});

test("full: a new key is refused, and existing ones keep working", async () => {
  const { storage } = clocked({ maxEntries: 3 });
  await filled(storage, 3);

  await expect(storage.save("flood", "value", 60)).rejects.toThrow(StorageFullError);
  await expect(storage.claim("flood", "value", 60)).rejects.toThrow(/maxEntries \(3\)/);
  expect(await storage.get("flood")).toBeUndefined();

  await storage.save("filling:0", "changed");
  expect(await storage.replace("filling:1", "value", "changed")).toBe(true);
  expect(await storage.claim("filling:2", "other")).toBe(false);
  expect(await storage.get("filling:0")).toBe("changed");
  expect(await storage.get("filling:1")).toBe("changed");
  expect(await storage.get("filling:2")).toBe("value");
});

test("full: what has expired makes room at once", async () => {
  const { clock, storage } = clocked({ maxEntries: 3 });
  await filled(storage, 3, 10);
  clock.now += 10;
  expect(await storage.claim("new", "value", 10)).toBe(true);
});

test("full: a delete makes room at once", async () => {
  const { storage } = clocked({ maxEntries: 1 });
  await filled(storage, 1);
  await storage.delete("filling:0");
  await storage.save("new", "value");
  expect(await storage.get("new")).toBe("value");
});

test("a fraction of a second counts: what is saved late in a second lives as long as everything else", async () => {
  const { clock, storage } = clocked();
  clock.now += 0.9;
  await storage.save("late", "value", 1);
  clock.now += 0.9;
  expect(await storage.get("late")).toBe("value");
  clock.now += 0.1;
  expect(await storage.get("late")).toBeUndefined();
});

test("without a clock of its own it goes by the system's", async () => {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  try {
    const storage = new MemoryTokenStorage();
    await storage.save("key", "value", 60);
    vi.setSystemTime(1_700_000_059_999);
    expect(await storage.get("key")).toBe("value");
    vi.setSystemTime(1_700_000_060_000);
    expect(await storage.get("key")).toBeUndefined();
  } finally {
    vi.useRealTimers();
  }
});

test("no timer is ever set, so that the process exits", async () => {
  const timers = [
    vi.spyOn(globalThis, "setTimeout"),
    vi.spyOn(globalThis, "setInterval"),
    vi.spyOn(globalThis, "setImmediate"),
  ];
  const storage = new MemoryTokenStorage();
  await storage.save("key", "value", 1);
  await storage.cleanup();
  storage.destroy();
  for (const timer of timers) expect(timer).not.toHaveBeenCalled();
});

test("a lifetime of zero is refused, and what was there stays", async () => {
  const { storage } = clocked();
  await storage.save("key", "value");
  await expect(storage.save("key", "other", 0)).rejects.toThrow(RangeError);
  await expect(storage.replace("key", "value", "other", -1)).rejects.toThrow(RangeError);
  expect(await storage.get("key")).toBe("value");
});

test("what JSON can't carry is refused, and what was there stays", async () => {
  const { storage } = clocked();
  await storage.save("key", "value");
  for (const value of [undefined, null, 1n, () => "x"]) {
    await expect(storage.save("key", value)).rejects.toThrow(TypeError);
  }
  expect(await storage.get("key")).toBe("value");
});

test("a page of keys is in order, has at most as many as were asked for, and the last has no cursor", async () => {
  const { storage } = clocked();
  for (const key of ["b:1", "a:3", "a:1", "a:2"]) await storage.save(key, "value");
  const first = await storage.list("a:", { limit: 2 });
  expect(first).toEqual({ keys: ["a:1", "a:2"], cursor: "a:2" });
  expect(await storage.list("a:", { limit: 2, cursor: first.cursor })).toEqual({ keys: ["a:3"] });
  expect(await storage.list("c:")).toEqual({ keys: [] });
});

test("destroyed, it has forgotten everything, and may be used again", async () => {
  const { clock, storage } = clocked();
  await filled(storage, 10, 10);
  storage.destroy();
  storage.destroy();
  expect(storage.size).toBe(0);
  expect(await storage.get("filling:1")).toBeUndefined();

  await storage.save("key", "value", 10);
  clock.now += 10;
  await storage.cleanup();
  expect(storage.size).toBe(0);
});
