import { readFileSync } from "node:fs";
import { EncryptedTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { SingleProcessStorage } from "../../oauth-core/src/state/single-process-storage.ts";
import { defects } from "../test/defects.ts";
import { but, PlainMapStorage, sound, subjectOf, World } from "../test/world.ts";
import { ContractViolation } from "./clause.ts";
import { sealedStorageContract } from "./sealed-storage-contract.ts";
import { storageContract } from "./storage-contract.ts";
import type { StorageSubject } from "./storage-subject.ts";

const KEY = "a key that is long enough for AES, really";

/** Four verbs, made atomic within this process; every instance is another wrapper of the one backend. */
function locked(wrap: (storage: TokenStorage) => TokenStorage = (storage) => storage): StorageSubject {
  const world = new World();
  const backend = new PlainMapStorage(world);
  return subjectOf(() => wrap(new SingleProcessStorage(backend)), world);
}

/** Memory, which nothing can make unreachable. */
function inMemory(wrap: (storage: TokenStorage) => TokenStorage): StorageSubject {
  return { ...subjectOf(({ backend }) => wrap(backend)), fail: undefined };
}

describe.each<[string, StorageSubject]>([
  ["MemoryTokenStorage", inMemory((storage) => storage)],
  ["EncryptedTokenStorage over memory", inMemory((storage) => new EncryptedTokenStorage(storage, KEY))],
  ["EncryptedTokenStorage over a remote storage", subjectOf((world) => new EncryptedTokenStorage(sound(world), KEY))],
  ["SingleProcessStorage over a storage with four verbs", locked()],
  ["EncryptedTokenStorage over that", locked((storage) => new EncryptedTokenStorage(storage, KEY))],
  ["a remote storage with every optional verb", subjectOf(sound)],
])("%s", (_, subject) => {
  for (const clause of storageContract) test(clause.sentence, () => clause.check(subject));
});

/** How a clause of that name judges a storage. */
async function verdict(id: string, subject: StorageSubject): Promise<unknown> {
  const clause = storageContract.find((candidate) => candidate.id === id);
  return clause?.check(subject).then(
    () => "kept",
    (error: unknown) => error,
  );
}

describe("a broken storage breaks the clause that names its defect", () => {
  test.each(defects)("%s: %s", async (id, _, open) => {
    const seen = await verdict(id, subjectOf(open));
    expect(seen).toBeInstanceOf(ContractViolation);
    expect(seen).toMatchObject({ clause: id, seen: expect.stringMatching(/./) });
  });

  test("every clause has a storage that breaks it", () => {
    const named = new Set(defects.map(([id]) => id));
    expect(storageContract.filter(({ id }) => !named.has(id)).map(({ id }) => id)).toEqual([]);
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test("unreachable-rejects: a call that never settles is broken too", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const hanging = but((storage, world) => ({
    get: (key) => (world.reachable ? storage.get(key) : new Promise(() => undefined)),
  }));
  const seen = verdict("unreachable-rejects", subjectOf(hanging));
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await seen).toMatchObject({ seen: expect.stringContaining("had not settled") });
});

test("expiry-never-early: a machine on which every look comes too late is told so, and nobody is blamed for one", async () => {
  const sluggish = subjectOf(({ backend }) => backend);
  const real = performance.now.bind(performance);
  let late = 0;
  vi.spyOn(performance, "now").mockImplementation(() => real() + late);
  // Each look happens when the record's time is over.
  const subject = {
    ...sluggish,
    advance: async (seconds: number) => {
      late += seconds * 2000;
      await sluggish.advance(seconds * 2);
    },
  };
  expect(await verdict("expiry-never-early", subject)).toMatchObject({
    seen: expect.stringContaining("too late to tell"),
  });
});

test("without claim and replace a storage breaks every clause about them", async () => {
  const world = new World();
  const subject = subjectOf(() => new PlainMapStorage(world), world);
  const atomic = storageContract.filter(({ id }) => /^(claim|replace)-/.test(id));
  expect(atomic.length).toBeGreaterThan(10);
  for (const { id } of atomic) {
    expect(await verdict(id, subject)).toMatchObject({ seen: "a storage without claim and replace" });
  }
});

test("an error of the storage is the cause of the violation", async () => {
  const cause = new Error("disk full");
  const full = but(() => ({ save: () => Promise.reject(cause) }));
  expect(await verdict("round-trip", subjectOf(full))).toMatchObject({ name: "ContractViolation", cause });
});

test("every instance that a clause opens is closed again, by a broken clause too", async () => {
  for (const spoiled of [{}, { get: async () => "wrong" }]) {
    let open = 0;
    const counted = (world: World): TokenStorage => {
      open += 1;
      let closed = false;
      const close = async () => {
        if (!closed) open -= 1;
        closed = true;
      };
      return { ...sound(world), ...spoiled, close };
    };
    for (const { id } of storageContract) await verdict(id, subjectOf(counted));
    expect(open).toBe(0);
  }
});

test("what decides races can't be waived", () => {
  const waivable = storageContract.filter((clause) => clause.waivable).map(({ id }) => id);
  expect(waivable.filter((id) => /^(claim|replace|take)/.test(id))).toEqual([]);
  expect(waivable).toContain("value-isolation");
});

test("clauses have names and sentences of their own", () => {
  const all = [...storageContract, ...sealedStorageContract];
  for (const facts of [all.map(({ id }) => id), all.map(({ sentence }) => sentence)]) {
    expect(new Set(facts).size).toBe(all.length);
  }
});

test("the README has every clause, as it is", () => {
  const rows = [...storageContract, ...sealedStorageContract].map(
    ({ id, sentence, waivable, needs }) =>
      `| \`${id}\` | ${sentence}${needs === undefined ? "" : ` (where there is \`${needs}\`)`} | ${waivable ? "yes" : "no"} |`,
  );
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  expect(readme.split("\n").filter((line) => /^\| `[a-z]+(-[a-z]+)*` \| .* \| (yes|no) \|$/.test(line))).toEqual(rows);
});
