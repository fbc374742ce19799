/** Broken storages: each with the clause that names its defect. */

import { posix } from "node:path";
import { MemoryTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import { SingleProcessStorage } from "../../oauth-core/src/state/single-process-storage.ts";
import { perWorld } from "./per-world.ts";
import { but, type Full, sound, type World } from "./world.ts";

/** A defect: the clause that names it, its description, and the storage that has it. */
export type Defect = readonly [clause: string, defect: string, open: (world: World) => TokenStorage];

/** A sound storage that renames its keys. */
function renaming(rename: (key: string) => string): (world: World) => TokenStorage {
  return but((storage) => ({
    get: (key) => storage.get(rename(key)),
    save: (key, value, ttl) => storage.save(rename(key), value, ttl),
    delete: (key) => storage.delete(rename(key)),
    claim: (key, value, ttl) => storage.claim(rename(key), value, ttl),
    replace: (key, expected, value, ttl) => storage.replace(rename(key), expected, value, ttl),
  }));
}

/** A lock that one verb of all instances takes. */
const lockOf = perWorld(() => {
  let last: Promise<unknown> = Promise.resolve();
  return <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
});

const checkThenClaim =
  (storage: Full): Full["claim"] =>
  async (key, value, ttl) => {
    if ((await storage.get(key)) !== undefined) return false;
    await storage.save(key, value, ttl);
    return true;
  };

const checkThenReplace =
  (storage: Full): Full["replace"] =>
  async (key, expected, value, ttl) => {
    if (JSON.stringify(await storage.get(key)) !== JSON.stringify(expected)) return false;
    await storage.save(key, value, ttl);
    return true;
  };

/** The four verbs of a sound storage behind locks that each instance has for itself. */
const lockedPerInstance = (world: World) => {
  const { get, save, delete: remove, cleanup } = sound(world);
  return new SingleProcessStorage({ get, save, delete: remove, cleanup });
};

const objectsOf = perWorld(() => new Map<string, unknown>());
const claimedOf = perWorld(() => new Set<string>());
const endsOf = perWorld(() => new Map<string, number>());
const knownOf = perWorld(() => new Map<string, number>());
const flooredOf = new WeakMap<World, MemoryTokenStorage>();
const recordOf = perWorld(() => ({}) as Record<string, unknown>);
const DAY = 86_400;

export const defects: readonly Defect[] = [
  // Values
  [
    "round-trip",
    "arrays come back as objects",
    but((storage) => ({
      save: (key, value, ttl) => storage.save(key, Array.isArray(value) ? { ...value } : value, ttl),
    })),
  ],
  [
    "round-trip",
    "what is falsy is taken for absent",
    but((storage) => ({
      get: async (key) => (await storage.get(key)) || undefined,
    })),
  ],
  [
    "absence",
    "what is absent is an empty object",
    but((storage) => ({
      get: async (key) => (await storage.get(key)) ?? {},
    })),
  ],
  [
    "overwrite",
    "save merges objects",
    but((storage) => ({
      save: async (key, value, ttl) => {
        const before = await storage.get(key);
        const merges = typeof before === "object" && typeof value === "object" && !Array.isArray(value);
        await storage.save(key, merges ? { ...before, ...value } : value, ttl);
      },
    })),
  ],
  [
    "delete",
    "delete of nothing rejects",
    but((storage) => ({
      delete: async (key) => {
        if ((await storage.get(key)) === undefined) throw new Error("ENOENT");
        await storage.delete(key);
      },
    })),
  ],
  [
    "delete",
    "delete removes by prefix",
    but((storage) => ({
      delete: async (key) => {
        for (const found of (await storage.list(key)).keys) await storage.delete(found);
      },
    })),
  ],
  [
    "value-isolation",
    "objects are kept by reference",
    but((storage, world) => ({
      get: async (key) => objectsOf(world).get(key),
      save: async (key, value) => void objectsOf(world).set(key, value),
      delete: (key) => storage.delete(key),
    })),
  ],
  [
    "value-isolation",
    "objects are copied on save, and handed out by reference",
    but((_storage, world) => ({
      get: async (key) => objectsOf(world).get(key),
      save: async (key, value) => void objectsOf(world).set(key, structuredClone(value)),
    })),
  ],
  [
    "large-value",
    "a column holds 64 KiB",
    but((storage) => ({
      save: (key, value, ttl) => storage.save(key, typeof value === "string" ? value.slice(0, 65_536) : value, ttl),
    })),
  ],
  [
    "instances",
    "each instance has a cache",
    (world) => {
      const cache = new Map<string, unknown>();
      const storage = sound(world);
      return {
        ...storage,
        get: async (key) => cache.get(key) ?? storage.get(key),
        save: async (key, value, ttl) => {
          cache.set(key, value);
          await storage.save(key, value, ttl);
        },
      };
    },
  ],

  // Keys
  ["keys-distinct", "keys are sanitised", renaming((key) => key.replaceAll(/[^A-Za-z0-9]/g, "_"))],
  ["keys-distinct", "keys are folded to lower case", renaming((key) => key.toLowerCase())],
  ["keys-distinct", "keys are normalised", renaming((key) => key.normalize("NFC"))],
  ["keys-distinct", "keys are trimmed", renaming((key) => key.trim())],
  ["keys-distinct", "keys are decoded", renaming((key) => key.replaceAll("%2F", "/"))],
  ["keys-paths", "keys are resolved like paths", renaming((key) => posix.normalize(key))],
  [
    "keys-prototype",
    "records are the members of an object",
    but((storage, world) => ({
      get: async (key) => recordOf(world)[key],
      save: async (key, value) => {
        recordOf(world)[key] = value;
      },
      delete: async (key) => void Reflect.deleteProperty(recordOf(world), key),
      claim: (key, value, ttl) => storage.claim(key, value, ttl),
    })),
  ],
  ["keys-long", "a key has 255 characters at most", renaming((key) => key.slice(0, 255))],

  // Lifetimes
  ["expiry", "the ttl is ignored", but((storage) => ({ save: (key, value) => storage.save(key, value) }))],
  [
    "expiry",
    "the ttl is taken for milliseconds, the other way round",
    but((storage) => ({
      save: (key, value, ttl) => storage.save(key, value, ttl === undefined ? undefined : ttl * 1000),
    })),
  ],
  [
    "expiry-never-early",
    "instants are cut off to whole seconds",
    (world) => {
      const floored = flooredOf.get(world) ?? new MemoryTokenStorage({ now: () => Math.floor(world.now) });
      flooredOf.set(world, floored);
      return floored;
    },
  ],
  [
    "expiry-far",
    "a long ttl overflows 32 bits of milliseconds",
    but((storage) => ({
      save: (key, value, ttl) => storage.save(key, value, (ttl ?? 0) * 1000 > 2 ** 31 - 1 ? 1 : ttl),
    })),
  ],
  [
    "expiry-far",
    "no ttl is longer than 30 days",
    but((storage) => ({
      save: (key, value, ttl) => storage.save(key, value, ttl === undefined ? ttl : Math.min(ttl, 30 * DAY)),
    })),
  ],
  [
    "no-ttl",
    "without ttl a record lives for a day",
    but((storage) => ({
      save: (key, value, ttl = DAY) => storage.save(key, value, ttl),
    })),
  ],
  [
    "save-resets-ttl",
    "the first ttl of a key is its ttl",
    but((storage, world) => ({
      save: async (key, value, ttl) => {
        const end = endsOf(world).get(key) ?? (ttl === undefined ? undefined : world.now + ttl);
        if (end !== undefined) endsOf(world).set(key, end);
        await storage.save(key, value, end === undefined ? undefined : end - world.now);
      },
    })),
  ],
  [
    "save-resets-ttl",
    "save without ttl keeps the old one",
    but((storage, world) => ({
      save: async (key, value, ttl) => {
        const end = ttl === undefined ? endsOf(world).get(key) : world.now + ttl;
        if (end !== undefined) endsOf(world).set(key, end);
        await storage.save(key, value, end === undefined ? undefined : end - world.now);
      },
    })),
  ],

  // Claim
  [
    "claim-where-nothing-is",
    "claim overwrites",
    but((storage) => ({
      claim: async (key, value, ttl) => {
        await storage.save(key, value, ttl);
        return true;
      },
    })),
  ],
  [
    "claim-where-nothing-is",
    "a lost claim overwrites",
    but((storage) => ({
      claim: async (key, value, ttl) => {
        const won = await storage.claim(key, value, ttl);
        await storage.save(key, value, ttl);
        return won;
      },
    })),
  ],
  [
    "claim-where-nothing-is",
    "what is falsy can be claimed",
    but((storage) => ({
      claim: async (key, value, ttl) => {
        if (await storage.get(key)) return false;
        await storage.save(key, value, ttl);
        return true;
      },
    })),
  ],
  [
    "claim-where-nothing-is",
    "the answer is a count of rows",
    but((storage) => ({
      claim: async (key, value, ttl) => Number(await storage.claim(key, value, ttl)) as unknown as boolean,
    })),
  ],
  [
    "claim-after-delete",
    "a key can be claimed once in its life",
    but((storage, world) => ({
      save: async (key, value, ttl) => {
        claimedOf(world).add(key);
        await storage.save(key, value, ttl);
      },
      claim: async (key, value, ttl) => {
        if (claimedOf(world).has(key)) return false;
        claimedOf(world).add(key);
        return storage.claim(key, value, ttl);
      },
    })),
  ],
  [
    "claim-after-expiry",
    "an expired row blocks its key",
    but((storage, world) => ({
      delete: async (key) => {
        claimedOf(world).delete(key);
        await storage.delete(key);
      },
      claim: async (key, value, ttl) => {
        if (claimedOf(world).has(key)) return false;
        claimedOf(world).add(key);
        return storage.claim(key, value, ttl);
      },
    })),
  ],
  ["claim-ttl", "claim has no ttl", but((storage) => ({ claim: (key, value) => storage.claim(key, value) }))],
  [
    "claim-ttl",
    "a lost claim prolongs",
    but((storage) => ({
      claim: async (key, value, ttl) => {
        const won = await storage.claim(key, value, ttl);
        if (!won) await storage.save(key, await storage.get(key), ttl);
        return won;
      },
    })),
  ],
  ["claim-one-winner", "claim looks, and then saves", but((storage) => ({ claim: checkThenClaim(storage) }))],
  [
    "claim-one-winner",
    "nobody wins",
    but((storage) => ({
      claim: async (key, value, ttl) => {
        await storage.claim(key, value, ttl);
        return false;
      },
    })),
  ],
  ["claim-one-winner-two-instances", "claim has a lock per instance", lockedPerInstance],
  [
    "claim-one-winner-after-expiry",
    "an expired record is looked at, deleted, and then saved anew",
    but((storage, world) => ({
      save: async (key, value, ttl) => {
        knownOf(world).set(key, world.now + (ttl ?? DAY));
        await storage.save(key, value, ttl);
      },
      claim: async (key, value, ttl) => {
        if ((knownOf(world).get(key) ?? world.now) >= world.now) return storage.claim(key, value, ttl);
        await storage.delete(key);
        return checkThenClaim(storage)(key, value, ttl);
      },
    })),
  ],
  [
    "claim-undoes-no-save",
    "claim has a lock that save does not wait for",
    but((storage, world) => ({
      claim: (key, value, ttl) => lockOf(world)(() => checkThenClaim(storage)(key, value, ttl)),
    })),
  ],

  // Replace
  ["replace-expected", "replace never does", but(() => ({ replace: async () => false }))],
  ["replace-expected", "replace says so and does nothing", but(() => ({ replace: async () => true }))],
  [
    "replace-unexpected",
    "replace ignores what is expected",
    but((storage) => ({
      replace: async (key, _expected, value, ttl) => storage.replace(key, await storage.get(key), value, ttl),
    })),
  ],
  [
    "replace-unexpected",
    "replace compares loosely",
    but((storage) => ({
      replace: async (key, expected, value, ttl) => {
        const live = await storage.get(key);
        return String(live) === String(expected) && storage.replace(key, live, value, ttl);
      },
    })),
  ],
  [
    "replace-unexpected",
    "replace compares some members",
    but((storage) => ({
      replace: async (key, expected, value, ttl) => {
        const live = await storage.get(key);
        const part = typeof live === "object" && typeof expected === "object" && live !== null && expected !== null;
        const matches = part && Object.entries(expected).every(([name, member]) => Reflect.get(live, name) === member);
        return storage.replace(key, matches ? live : expected, value, ttl);
      },
    })),
  ],
  [
    "replace-json-equality",
    "replace compares text",
    but((storage, world) => ({
      replace: (key, expected, value, ttl) => lockOf(world)(() => checkThenReplace(storage)(key, expected, value, ttl)),
    })),
  ],
  [
    "replace-absent",
    "replace stores where nothing is",
    but((storage) => ({
      replace: async (key, expected, value, ttl) =>
        (await storage.claim(key, value, ttl)) || storage.replace(key, expected, value, ttl),
    })),
  ],
  [
    "replace-ttl",
    "replace has no ttl",
    but((storage) => ({
      replace: (key, expected, value) => storage.replace(key, expected, value),
    })),
  ],
  [
    "replace-ttl",
    "replace keeps the old ttl",
    but((storage, world) => ({
      save: async (key, value, ttl = 10 * DAY) => {
        endsOf(world).set(key, world.now + ttl);
        await storage.save(key, value, ttl);
      },
      replace: async (key, expected, value) => {
        const left = (endsOf(world).get(key) ?? 0) - world.now;
        return left > 0 && storage.replace(key, expected, value, left);
      },
    })),
  ],
  [
    "replace-ttl",
    "a lost replace prolongs",
    but((storage) => ({
      replace: async (key, expected, value, ttl) => {
        const won = await storage.replace(key, expected, value, ttl);
        const live = await storage.get(key);
        if (!won && live !== undefined) await storage.save(key, live, ttl);
        return won;
      },
    })),
  ],
  ["replace-one-winner", "replace looks, and then saves", but((storage) => ({ replace: checkThenReplace(storage) }))],
  [
    "replace-one-winner",
    "everybody is told true",
    but((storage) => ({
      replace: async (key, expected, value, ttl) => {
        await storage.replace(key, expected, value, ttl);
        return true;
      },
    })),
  ],
  ["replace-one-winner-two-instances", "replace has a lock per instance", lockedPerInstance],
  [
    "replace-loses-no-update",
    "replace looks, and then saves",
    but((storage) => ({ replace: checkThenReplace(storage) })),
  ],
  [
    "replace-undoes-no-save",
    "replace has a lock that save does not wait for",
    but((storage, world) => ({
      replace: (key, expected, value, ttl) => lockOf(world)(() => checkThenReplace(storage)(key, expected, value, ttl)),
    })),
  ],
  [
    "replace-revives-nothing",
    "replace has a lock that delete does not wait for",
    but((storage, world) => ({
      replace: (key, expected, value, ttl) => lockOf(world)(() => checkThenReplace(storage)(key, expected, value, ttl)),
    })),
  ],

  // Take
  ["take", "take leaves the record", but((storage) => ({ take: storage.get }))],
  [
    "take-one-winner",
    "take looks, and then deletes",
    but((storage) => ({
      take: async (key) => {
        const value = await storage.get(key);
        await storage.delete(key);
        return value;
      },
    })),
  ],

  // Cleanup
  [
    "cleanup-keeps-the-living",
    "cleanup removes what has no ttl",
    but((storage, world) => ({
      save: async (key, value, ttl) => {
        knownOf(world).set(key, world.now + (ttl ?? 0));
        await storage.save(key, value, ttl);
      },
      cleanup: async () => {
        for (const [key, end] of knownOf(world)) if (end <= world.now) await storage.delete(key);
      },
    })),
  ],
  [
    "cleanup-amid-writes",
    "cleanup looks for what has expired, and deletes it later",
    but((storage, world) => ({
      save: async (key, value, ttl) => {
        await storage.save(key, value, ttl);
        knownOf(world).set(key, world.now + (ttl ?? DAY));
      },
      cleanup: async () => {
        const expired = [...knownOf(world)].filter(([, end]) => end <= world.now);
        await world.trip();
        for (const [key] of expired) await world.backend.delete(key);
      },
    })),
  ],

  // List
  [
    "list-prefix",
    "a prefix is a pattern",
    but((storage) => ({
      list: async (prefix) => {
        const [start = "", ...others] = prefix.split(/[%_*?]/);
        const { keys } = await storage.list(start);
        return { keys: keys.filter((key) => others.every((part) => key.includes(part))) };
      },
    })),
  ],
  [
    "list-pages",
    "a cursor skips a key",
    but((storage) => ({
      list: async (prefix, options) => {
        const page = await storage.list(prefix, options);
        return page.cursor === undefined ? page : { ...page, cursor: `${page.cursor}~` };
      },
    })),
  ],
  [
    "list-pages",
    "a page begins with the last key of the one before",
    but((storage) => ({
      list: async (prefix, options) => {
        const page = await storage.list(prefix, options);
        return options?.cursor === undefined ? page : { ...page, keys: [options.cursor, ...page.keys] };
      },
    })),
  ],
  [
    "list-pages",
    "a walk goes round in circles",
    but((storage) => ({
      list: async (prefix) => ({ ...(await storage.list(prefix, { limit: 1 })), cursor: "again" }),
    })),
  ],
  [
    "list-amid-changes",
    "a cursor is a number of keys",
    but((_storage, world) => ({
      list: async (prefix, options = {}) => {
        const { keys } = await world.backend.list(prefix, { limit: 1_000_000 });
        const from = Number(options.cursor ?? 0);
        const to = from + (options.limit ?? 1000);
        return to < keys.length ? { keys: keys.slice(from, to), cursor: String(to) } : { keys: keys.slice(from, to) };
      },
    })),
  ],
  [
    "list-the-living",
    "list has what has expired and was not cleaned up",
    but((storage, world) => ({
      save: async (key, value, ttl) => {
        knownOf(world).set(key, world.now);
        await storage.save(key, value, ttl);
      },
      delete: async (key) => {
        knownOf(world).delete(key);
        await storage.delete(key);
      },
      list: async (prefix) => ({ keys: [...knownOf(world).keys()].filter((key) => key.startsWith(prefix)) }),
    })),
  ],

  // Failure
  [
    "unreachable-rejects",
    "an unreachable backend answers absent",
    but((storage) => ({
      get: (key) => storage.get(key).catch(() => undefined),
    })),
  ],
  [
    "unreachable-rejects",
    "a failed claim is a lost one",
    but((storage) => ({
      claim: (key, value, ttl) => storage.claim(key, value, ttl).catch(() => false),
    })),
  ],
  [
    "unreachable-rejects",
    "a failed replace is a lost one",
    but((storage) => ({
      replace: (key, expected, value, ttl) => storage.replace(key, expected, value, ttl).catch(() => false),
    })),
  ],
  [
    "unreachable-rejects",
    "a save is answered before it is done",
    but((storage) => ({
      save: async (key, value, ttl) => void storage.save(key, value, ttl).catch(() => undefined),
    })),
  ],
  [
    "unreachable-rejects",
    "a failed delete is forgotten",
    but((storage) => ({
      delete: (key) => storage.delete(key).catch(() => undefined),
    })),
  ],
  [
    "unreachable-rejects",
    "an unreachable backend lists nothing",
    but((storage) => ({
      list: (prefix, options) => storage.list(prefix, options).catch(() => ({ keys: [] })),
    })),
  ],
  [
    "unreachable-heals",
    "a connection that was lost stays lost",
    but((storage) => {
      let lost = false;
      return {
        get: async (key) => {
          if (lost) throw new Error("the client is closed");
          return storage.get(key).catch((error: unknown) => {
            lost = true;
            throw error;
          });
        },
      };
    }),
  ],
  [
    "unreachable-heals",
    "the backend comes back empty",
    but((storage, world) => ({
      get: (key) =>
        storage.get(key).catch((error: unknown) => {
          world.backend.destroy();
          throw error;
        }),
    })),
  ],
  [
    "close-twice",
    "a second close rejects",
    but(() => {
      let closed = false;
      return {
        close: async () => {
          if (closed) throw new Error("already closed");
          closed = true;
        },
      };
    }),
  ],
  [
    "close-twice",
    "one instance closes the backend of all",
    but((_storage, world) => ({
      close: async () => {
        world.reachable = false;
      },
    })),
  ],
];
