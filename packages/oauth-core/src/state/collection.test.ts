import { describe, expect, test } from "vitest";
import { Collection, type UnreadableRecord } from "./collection.ts";
import { MemoryTokenStorage } from "./memory-token-storage.ts";
import { KeyRing } from "./sealing.ts";
import type { AtomicTokenStorage } from "./token-storage.ts";

interface Grant {
  readonly subject: string;
  readonly generation: number;
}

const ring = new KeyRing([Buffer.from("a key that is long enough for AES, really")]);

function collection(options: { storage?: AtomicTokenStorage; ring?: KeyRing | undefined; prefix?: string } = {}) {
  const unreadable: UnreadableRecord[] = [];
  const storage = options.storage ?? new MemoryTokenStorage();
  const grants = new Collection<Grant>({
    storage,
    prefix: options.prefix ?? "grant",
    ring: "ring" in options ? options.ring : ring,
    onUnreadable: (record) => unreadable.push(record),
  });
  return { grants, storage, unreadable };
}

/** The storage, and every call that reached it. */
function counted(storage: AtomicTokenStorage) {
  const calls: string[] = [];
  const proxy = new Proxy(storage, {
    get(target, name) {
      const verb: unknown = Reflect.get(target, name);
      if (typeof verb !== "function") return verb;
      return (...given: unknown[]): unknown => {
        calls.push(String(name));
        return Reflect.apply(verb, target, given);
      };
    },
  });
  return { calls, storage: proxy };
}

test("a record comes back as it was saved, under its prefix, sealed", async () => {
  const { grants, storage } = collection();
  await grants.save("g1", { subject: "alice", generation: 1 }, 60);

  const entry = await grants.get("g1");
  expect(entry?.value).toEqual({ subject: "alice", generation: 1 });
  expect(entry?.raw).toBe(await storage.get("grant:g1"));
  expect(entry?.raw).toMatch(/^s1\./);
});

test("without a ring the storage is handed JSON text", async () => {
  const { grants, storage } = collection({ ring: undefined });
  await grants.save("g1", { subject: "alice", generation: 1 }, 60);
  expect(await storage.get("grant:g1")).toBe('{"subject":"alice","generation":1}');
  expect((await grants.get("g1"))?.value.subject).toBe("alice");
});

test("every verb is one call to the storage", async () => {
  const { calls, storage } = counted(new MemoryTokenStorage());
  const { grants } = collection({ storage });
  await grants.claim("g1", { subject: "alice", generation: 1 }, 60);
  const entry = await grants.get("g1");
  if (entry !== undefined) await grants.replace("g1", entry, { subject: "alice", generation: 2 }, 60);
  await grants.save("g1", { subject: "alice", generation: 3 }, 60);
  await grants.delete("g1");
  expect(calls).toEqual(["claim", "get", "replace", "save", "delete"]);
});

test("of 32 racers that read the same record one replaces it", async () => {
  const { grants } = collection();
  await grants.save("g1", { subject: "alice", generation: 0 }, 60);
  const swaps = await Promise.all(
    Array.from({ length: 32 }, async (_, racer) => {
      const entry = await grants.get("g1");
      return entry !== undefined && grants.replace("g1", entry, { subject: "alice", generation: racer + 1 }, 60);
    }),
  );
  const winner = swaps.findIndex((swap) => swap);
  expect(swaps.filter(Boolean)).toHaveLength(1);
  expect((await grants.get("g1"))?.value.generation).toBe(winner + 1);
});

test("a record that was saved again with the same value is another record", async () => {
  const { grants } = collection();
  const value = { subject: "alice", generation: 1 };
  await grants.save("g1", value, 60);
  const entry = await grants.get("g1");
  await grants.save("g1", value, 60);
  expect(entry).toBeDefined();
  expect(entry && (await grants.replace("g1", entry, { ...value, generation: 2 }, 60))).toBeUndefined();
});

test("whoever writes is given what is stored, and can write on without reading it", async () => {
  const { grants } = collection();
  const first = await grants.claim("g1", { subject: "alice", generation: 1 }, 60);
  expect(first).toEqual(await grants.get("g1"));
  const second = first && (await grants.replace("g1", first, { subject: "alice", generation: 2 }, 60));
  expect(second).toEqual(await grants.get("g1"));
  const third = second && (await grants.replace("g1", second, { subject: "alice", generation: 3 }, 60));
  expect(third?.value.generation).toBe(3);
  // What it was before is nothing to go on from.
  expect(second && (await grants.replace("g1", second, { subject: "alice", generation: 4 }, 60))).toBeUndefined();
});

test("a claim is won once, and again after a delete", async () => {
  const { grants } = collection();
  const value = { subject: "alice", generation: 1 };
  expect(await grants.claim("g1", value, 60)).toBeDefined();
  expect(await grants.claim("g1", value, 60)).toBeUndefined();
  await grants.delete("g1");
  expect(await grants.get("g1")).toBeUndefined();
  expect(await grants.claim("g1", value, 60)).toBeDefined();
});

test("a record ends after its lifetime, and a replacement has a lifetime of its own", async () => {
  let now = 1000;
  const { grants } = collection({ storage: new MemoryTokenStorage({ now: () => now }) });
  await grants.claim("g1", { subject: "alice", generation: 1 }, 60);
  const entry = await grants.get("g1");
  now += 59;
  expect(entry && (await grants.replace("g1", entry, { subject: "alice", generation: 2 }, 60))).toBeDefined();
  now += 59;
  expect((await grants.get("g1"))?.value.generation).toBe(2);
  now += 1;
  expect(await grants.get("g1")).toBeUndefined();
});

test("a record of one kind does not open as one of another", async () => {
  const { grants, storage } = collection();
  await grants.save("1", { subject: "alice", generation: 1 }, 60);
  await storage.save("code:1", await storage.get("grant:1"));
  const codes = collection({ storage, prefix: "code" });
  expect(await codes.grants.get("1")).toBeUndefined();
  expect(codes.unreadable).toEqual([{ key: "code:1", why: "damaged" }]);
});

test("a record that can't be read is absent and reported, stands in the way of a claim, and stays", async () => {
  const { grants, storage } = collection();
  await grants.save("g1", { subject: "alice", generation: 1 }, 60);
  const stranger = collection({
    storage,
    ring: new KeyRing([Buffer.from("another key that is long enough for AES, too")]),
  });

  expect(await stranger.grants.get("g1")).toBeUndefined();
  expect(stranger.unreadable).toEqual([{ key: "grant:g1", why: "key" }]);
  expect(await stranger.grants.claim("g1", { subject: "mallory", generation: 1 }, 60)).toBeUndefined();
  expect((await grants.get("g1"))?.value.subject).toBe("alice");
});

test.each([
  ["not a string", { subject: "alice" }, ring],
  ["never sealed", '{"subject":"alice"}', ring],
  ["sealed before encryption was turned off", "s1.AAAAAAAA.AAAA", undefined],
])("a record that is %s is damaged", async (_, raw, keys) => {
  const { grants, storage, unreadable } = collection({ ring: keys });
  await storage.save("grant:g1", raw);
  expect(await grants.get("g1")).toBeUndefined();
  expect(unreadable).toEqual([{ key: "grant:g1", why: "damaged" }]);
});

test("null from a storage means absent, and is no damage", async () => {
  const storage = Object.assign(new MemoryTokenStorage(), { get: async () => null });
  const { grants, unreadable } = collection({ storage });
  expect(await grants.get("g1")).toBeUndefined();
  expect(unreadable).toEqual([]);
});

test("an unreachable storage is not an absent record", async () => {
  const storage = Object.assign(new MemoryTokenStorage(), {
    get: async () => {
      throw new Error("connection refused");
    },
  });
  await expect(collection({ storage }).grants.get("g1")).rejects.toThrow("connection refused");
});

test("a lifetime that is none is refused before anything reaches the storage", async () => {
  const { calls, storage } = counted(new MemoryTokenStorage());
  const { grants } = collection({ storage });
  const value = { subject: "alice", generation: 1 };
  await expect(grants.save("g1", value, 0)).rejects.toThrow(RangeError);
  await expect(grants.claim("g1", value, Number.NaN)).rejects.toThrow(RangeError);
  await expect(grants.replace("g1", { value, raw: "x" }, value, 1.5)).rejects.toThrow(RangeError);
  expect(calls).toEqual([]);
});

describe("where the storage fails", () => {
  const value = { subject: "alice", generation: 1 };
  const lost = new Error("connection reset");

  /** A storage of which one verb does its deed, or not, and then fails; and what happens before it is asked again. */
  function failing(
    verb: "claim" | "replace",
    options: { deed: boolean; meanwhile?: (storage: AtomicTokenStorage) => Promise<unknown> },
  ) {
    const inner = new MemoryTokenStorage();
    const { calls, storage } = counted(
      Object.assign(new MemoryTokenStorage(), {
        get: (key: string) => inner.get(key),
        save: (key: string, saved: unknown, ttl?: number) => inner.save(key, saved, ttl),
        claim: (key: string, claimed: unknown, ttl?: number) => inner.claim(key, claimed, ttl),
        replace: (key: string, expected: unknown, next: unknown, ttl?: number) =>
          inner.replace(key, expected, next, ttl),
        [verb]: async (...given: unknown[]) => {
          if (options.deed) await Reflect.apply(inner[verb], inner, given);
          await options.meanwhile?.(inner);
          throw lost;
        },
      }),
    );
    return { inner, calls, storage, other: collection({ storage: inner }).grants };
  }

  test("a claim that was stored is won, by one read", async () => {
    const { calls, storage } = failing("claim", { deed: true });
    const { grants } = collection({ storage });
    expect(await grants.claim("g1", value, 60)).toEqual(await grants.get("g1"));
    expect(calls).toEqual(["claim", "get", "get"]);
  });

  test("a claim is lost where another's record is there, though it says the same", async () => {
    const { storage, other } = failing("claim", { deed: false });
    await other.save("g1", value, 60);
    expect(await collection({ storage }).grants.claim("g1", value, 60)).toBeUndefined();
  });

  test("of a claim that left nothing behind nothing is known", async () => {
    const { calls, storage } = failing("claim", { deed: false });
    await expect(collection({ storage }).grants.claim("g1", value, 60)).rejects.toBe(lost);
    expect(calls).toEqual(["claim", "get"]);
  });

  test("a replace that was stored has happened, by one read", async () => {
    const { calls, storage, other } = failing("replace", { deed: true });
    await other.save("g1", value, 60);
    const { grants } = collection({ storage });
    const entry = await grants.get("g1");
    const replaced = entry && (await grants.replace("g1", entry, { ...value, generation: 2 }, 60));
    expect(calls).toEqual(["get", "replace", "get"]);
    expect(replaced).toEqual(await grants.get("g1"));
  });

  test.each([
    ["what was read is still there", false, undefined],
    ["somebody went on from it", true, { subject: "alice", generation: 3 }],
    ["it is gone", true, null],
  ])("of a replace after which %s nothing is known", async (_, deed, then) => {
    const { storage, other } = failing("replace", {
      deed,
      meanwhile: async () => {
        if (then === null) await other.delete("g1");
        else if (then !== undefined) await other.save("g1", then, 60);
      },
    });
    await other.save("g1", value, 60);
    const { grants } = collection({ storage });
    const entry = await grants.get("g1");
    await expect(grants.replace("g1", entry ?? { value, raw: "" }, { ...value, generation: 2 }, 60)).rejects.toBe(lost);
  });

  test("and fails again, the caller is told how its own call failed", async () => {
    const { inner, storage } = failing("claim", { deed: true });
    inner.get = () => Promise.reject(new Error("still down"));
    await expect(collection({ storage }).grants.claim("g1", value, 60)).rejects.toBe(lost);
  });

  test("and nothing is sealed, two callers may have written one text: it is not asked", async () => {
    for (const verb of ["claim", "replace"] as const) {
      const { calls, inner, storage } = failing(verb, { deed: true });
      const { grants } = collection({ storage, ring: undefined });
      if (verb === "claim") await expect(grants.claim("g1", value, 60)).rejects.toBe(lost);
      else {
        await inner.save("grant:g1", "{}");
        await expect(grants.replace("g1", { value, raw: "{}" }, value, 60)).rejects.toBe(lost);
      }
      expect(calls).toEqual([verb]);
    }
  });
});

test("ids are listed by what they begin with, page by page, without their prefix", async () => {
  const { grants, storage } = collection();
  for (const id of ["a1", "a2", "a3", "b1"]) await grants.save(id, { subject: "alice", generation: 1 }, 60);
  await storage.save("grants:a4", "of another kind");
  const first = await grants.list("a", { limit: 2 });
  expect(first.ids).toHaveLength(2);
  const second = await grants.list("a", { limit: 2, cursor: first.cursor });
  expect([...first.ids, ...second.ids].sort()).toEqual(["a1", "a2", "a3"]);
  expect(second.cursor).toBeUndefined();
});

test("a storage that can't list is named", async () => {
  const { get, save, delete: remove, cleanup, claim, replace } = new MemoryTokenStorage();
  const storage: AtomicTokenStorage = { get, save, delete: remove, cleanup, claim, replace };
  await expect(collection({ storage }).grants.list("a")).rejects.toThrow(/^tokenStorage: has no list/);
});
