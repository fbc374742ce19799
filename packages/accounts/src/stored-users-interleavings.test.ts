/** Stored users, call by call, in every order that chance thinks of: names stay one person's, whoever gets stuck, dies or is overtaken. */

import { MemoryTokenStorage } from "@sallyport/oauth-core";
import type { AtomicTokenStorage } from "@sallyport/oauth-core/storage";
import fc from "fast-check";
import { expect, test } from "vitest";
import { newKey, person, type Surroundings, usersOver } from "../test/stored-users.ts";
import { Turns } from "../test/turns.ts";
import type { StoredUsers } from "./stored-users.ts";
import type { User } from "./user-store.ts";

/** Enough to find most of the steps that must not be left out; the others have tests of their own. */
const RUNS = 1000;
const IDS = ["anna", "bert", "cleo"];
const NAMES = ["one", "two"];
const [older, newer] = [newKey(), newKey()];
const settings: readonly Surroundings[] = [{ keys: [older, newer] }, { keys: [newer, older] }];

/** What one process does, with which settings, and after how many calls it dies. */
const deed = fc.record({
  verb: fc.constantFrom("create", "rename", "rename", "nameless", "disable", "reseal"),
  id: fc.constantFrom(...IDS),
  name: fc.constantFrom(...NAMES),
  setting: fc.nat(settings.length - 1),
  lives: fc.option(fc.nat(12), { nil: Number.POSITIVE_INFINITY, freq: 3 }),
});
type Deed = typeof deed extends fc.Arbitrary<infer Value> ? Value : never;

const anna = (username: string): User => someone("anna", username);
const someone = (id: string, username: string | undefined): User =>
  person({ id, username, email: `${id}@example.com` });

async function done(users: StoredUsers, { verb, id, name }: Deed): Promise<string> {
  if (verb === "create") return `${id} ${await users.create(someone(id, name))}`;
  if (verb === "reseal") return `resealed ${await users.reseal()}`;
  const user = await users.find(id);
  if (user === undefined) return "nobody";
  const change =
    verb === "rename" ? { username: name } : verb === "nameless" ? { username: undefined } : { disabled: true };
  return `${id} ${await users.update({ ...user, ...change })}`;
}

/** A way to the storage on which every call waits for its turn, and which ends after some calls, before or after what the last one does. */
function wayTo(storage: AtomicTokenStorage, turn: () => Promise<unknown>, lives: number): AtomicTokenStorage {
  let calls = 0;
  const call = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    await turn();
    calls += 1;
    if (calls > lives) throw new Error("dead");
    const answer = await ask();
    if (calls === lives && lives % 2 === 0) throw new Error("dead");
    return answer;
  };
  return {
    get: (key) => call(() => storage.get(key)),
    save: (key, value, ttl) => call(() => storage.save(key, value, ttl)),
    delete: (key) => call(() => storage.delete(key)),
    cleanup: () => storage.cleanup(),
    claim: (key, value, ttl) => call(() => storage.claim(key, value, ttl)),
    replace: (key, expected, value, ttl) => call(() => storage.replace(key, expected, value, ttl)),
    list: (prefix, options) => call(async () => (await storage.list?.(prefix, options)) ?? { keys: [] }),
  };
}

/** After everything: each name is one person's, who is found by it, and what is nobody's can be had. */
async function inOrder(users: StoredUsers, outcomes: readonly string[], someDied: boolean): Promise<void> {
  const everybody = (await users.list()).users;
  for (const user of everybody) {
    if (user.username !== undefined) expect(await users.findByLogin({ username: user.username })).toEqual(user);
    expect(await users.findByLogin({ email: user.email ?? "" })).toEqual(user);
    const updates = outcomes.filter((outcome) => outcome === `${user.id} updated`).length;
    if (!someDied) expect(user.version).toBe(updates);
    else expect(user.version).toBeGreaterThanOrEqual(updates);
  }
  for (const id of IDS) {
    const created = outcomes.filter((outcome) => outcome === `${id} created`).length;
    expect(created).toBeLessThanOrEqual(id === "anna" ? 0 : 1);
    if (created === 1 || id === "anna") expect(everybody.map((user) => user.id)).toContain(id);
  }
  for (const name of NAMES) {
    const holders = everybody.filter(({ username }) => username === name).length;
    expect(holders).toBeLessThanOrEqual(1);
    expect(await users.create(person({ username: name }))).toBe(holders === 0 ? "created" : "taken");
  }
}

const order = fc.record({
  order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
  overtaken: fc.array(fc.nat(40), { minLength: 1, maxLength: 4 }),
});

test.each([
  ["where nobody is ever slow enough to be taken for dead", 0],
  ["where minutes pass between calls, and everybody is", 61],
  ["where some are", 20],
])("%s", { timeout: 120_000 }, async (_, seconds) => {
  await fc.assert(
    fc.asyncProperty(
      order,
      fc.array(deed, { minLength: 2, maxLength: 4 }),
      fc.boolean(),
      async (theirOrder, deeds, unsealed) => {
        let now = 1_800_000_000;
        const storage = new MemoryTokenStorage({ now: () => now });
        const clock = { now: () => now };
        const pause = async (): Promise<void> => undefined;
        const afterwards = usersOver(storage, { ...settings[0], unsealed, runtime: { ...clock, pause } });
        await afterwards.create(anna("one"));

        const turns = new Turns(theirOrder);
        const running = deeds.map((one, worker) => {
          const turn = async (): Promise<void> => {
            await turns.next(worker);
            now += seconds;
          };
          const way = wayTo(storage, turn, one.lives);
          return done(usersOver(way, { ...settings[one.setting], unsealed, runtime: { ...clock, pause: turn } }), one);
        });
        const settled = await turns.until(Promise.allSettled(running));

        const outcomes = settled.map((one) => (one.status === "fulfilled" ? one.value : String(one.reason)));
        for (const outcome of outcomes)
          expect(outcome).toMatch(/^(\w+ (created|taken|updated|stale|\d+)|nobody|Error: dead)$/);
        now += 61;
        await inOrder(
          afterwards,
          outcomes,
          deeds.some(({ lives }) => Number.isFinite(lives)),
        );
      },
    ),
    { numRuns: RUNS },
  );
});
