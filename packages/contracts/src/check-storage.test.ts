import { MemoryTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { checkStorage } from "./check-storage.ts";
import { storageContract } from "./storage-contract.ts";
import type { StorageSubject } from "./storage-subject.ts";

function subjectOf(spoil: (storage: MemoryTokenStorage) => Partial<TokenStorage> = () => ({})): StorageSubject {
  let now = 1_700_000_000;
  const storage = new MemoryTokenStorage({ now: () => now });
  return {
    virtualTime: true,
    open: async () => Object.assign(storage, spoil(storage)),
    advance: async (seconds) => {
      now += seconds;
    },
  };
}

test("every clause has a result, in the order of the contract", async () => {
  const results = await checkStorage(subjectOf());
  expect(results.map(({ clause }) => clause)).toEqual(storageContract);
  expect(results.filter(({ outcome }) => outcome === "broken")).toEqual([]);
});

test("what does not apply is said to, with the reason", async () => {
  const results = await checkStorage(subjectOf());
  const reasons = results.flatMap((result) =>
    result.outcome === "not applicable" ? [`${result.clause.id}: ${result.reason}`] : [],
  );
  expect(reasons).toEqual([
    "unreachable-rejects: the subject has no fail",
    "unreachable-heals: the subject has no fail",
    "close-twice: the subject has no close",
  ]);
});

test("a broken clause is told with what was seen, and the others are still run", async () => {
  const results = await checkStorage(subjectOf(() => ({ cleanup: () => Promise.reject(new Error("not today")) })));
  const broken = results.flatMap((result) => (result.outcome === "broken" ? [result] : []));
  expect(broken.map(({ clause }) => clause.id)).toEqual(["no-ttl", "cleanup-keeps-the-living", "cleanup-amid-writes"]);
  expect(broken[0]?.violation.seen).toContain("not today");
  expect(results).toHaveLength(storageContract.length);
});

test("a waived clause is not run, and keeps its reason", async () => {
  const waive = { "large-value": "the backend holds 256 KiB per value" };
  let largest = 0;
  const results = await checkStorage(
    subjectOf((storage) => ({
      save: async (key, value, ttl) => {
        largest = Math.max(largest, JSON.stringify(value).length);
        await MemoryTokenStorage.prototype.save.call(storage, key, value, ttl);
      },
    })),
    { waive },
  );
  expect(results.find(({ clause }) => clause.id === "large-value")).toMatchObject({
    outcome: "waived",
    reason: waive["large-value"],
  });
  expect(largest).toBeLessThan(2 ** 20);
});

test.each([
  ["a clause that does not exist", { "no-such-clause": "a reason" }, "no-such-clause"],
  ["a clause that decides races", { "claim-one-winner": "it is hard" }, "can't be waived"],
  ["a clause without a reason", { "large-value": " " }, "needs a reason"],
])("waiving %s is refused before anything is run", async (_, waive, words) => {
  let opened = 0;
  const subject = {
    ...subjectOf(),
    open: async () => {
      opened += 1;
      return new MemoryTokenStorage();
    },
  };
  await expect(checkStorage(subject, { waive })).rejects.toThrow(words);
  expect(opened).toBe(0);
});

test("an error of the subject itself is no verdict on the storage", async () => {
  const subject: StorageSubject = { ...subjectOf(), open: () => Promise.reject(new Error("no database here")) };
  await expect(checkStorage(subject)).rejects.toThrow("no database here");
});
