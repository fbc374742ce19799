import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { userDefects } from "../test/user-defects.ts";
import { soundUsers, userSubject, usersBut } from "../test/user-world.ts";
import { ContractViolation, type UserStoreSubject, userStoreContract } from "./users.ts";

/** How a clause of that name judges a store. */
async function verdict(id: string, subject: UserStoreSubject): Promise<unknown> {
  const clause = userStoreContract.find((candidate) => candidate.id === id);
  return clause?.check(subject).then(
    () => "kept",
    (error: unknown) => error,
  );
}

afterEach(() => {
  vi.useRealTimers();
});

describe("a sound store keeps every clause", () => {
  for (const clause of userStoreContract) test(clause.sentence, () => clause.check(userSubject(soundUsers)));
});

test("clauses look at nobody but their own people, so that one store serves all of them", async () => {
  const subject = userSubject(soundUsers);
  for (const clause of userStoreContract) await clause.check(subject);
});

describe("a broken store breaks the clause that names its defect", () => {
  test.each(userDefects)("%s: %s", async (id, _, open) => {
    const seen = await verdict(id, userSubject(open));
    expect(seen).toBeInstanceOf(ContractViolation);
    expect(seen).toMatchObject({ clause: id, seen: expect.stringMatching(/./) });
  });

  test("every clause has a store that breaks it", () => {
    const named = new Set(userDefects.map(([id]) => id));
    expect(userStoreContract.filter(({ id }) => !named.has(id)).map(({ id }) => id)).toEqual([]);
  });
});

test("unreachable-rejects: a call that never settles is broken too", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const hanging = usersBut((store, world) => ({
    find: (id) => (world.reachable ? store.find(id) : new Promise(() => undefined)),
  }));
  const seen = verdict("unreachable-rejects", userSubject(hanging));
  await vi.waitFor(() => expect(vi.getTimerCount()).toBe(1));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await seen).toMatchObject({ seen: expect.stringContaining("had not settled") });
});

test("an error of the store is the cause of the violation", async () => {
  const cause = new Error("disk full");
  const full = usersBut(() => ({ create: () => Promise.reject(cause) }));
  expect(await verdict("user-round-trip", userSubject(full))).toMatchObject({ name: "ContractViolation", cause });
});

test("no clause can be waived, and each has a name and a sentence of its own", () => {
  expect(userStoreContract.filter(({ waivable }) => waivable)).toEqual([]);
  for (const facts of [userStoreContract.map(({ id }) => id), userStoreContract.map(({ sentence }) => sentence)])
    expect(new Set(facts).size).toBe(userStoreContract.length);
});

test("the README has every clause, as it is", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const chapter = readme.split(/^## /m).find((part) => part.startsWith("The contract of user stores")) ?? "";
  const rows = userStoreContract.map(
    ({ id, sentence, needs }) =>
      `| \`${id}\` | ${sentence}${needs === undefined ? "" : ` (where there is \`${needs}\`)`} |`,
  );
  expect(chapter.split("\n").filter((line) => line.startsWith("| `"))).toEqual(rows);
});
