/** Clauses about `replace`: compare-and-swap, of any number of simultaneous callers exactly one is told `true`. */

import type { AtomicTokenStorage } from "@sallyport/oauth-core";
import { neverEarly } from "./lifetime.ts";
import { collisions, oneWinner, RACERS, rounds, turn } from "./race.ts";
import { clause, LONG, type Stage } from "./stage.ts";

/** Pairs that JSON tells apart and a careless comparison does not. */
const DIFFERENT: readonly (readonly [live: unknown, expected: unknown])[] = [
  [1, "1"],
  ["1", 1],
  [0, false],
  ["", 0],
  ["a", "A"],
  ["a", "a "],
  ["\u00e9", "e\u0301"],
  ["null", {}],
  [
    [1, 2],
    [2, 1],
  ],
  [[1], [1, 1]],
  [["a"], { 0: "a" }],
  [{ a: 1 }, { a: 1, b: 1 }],
  [{ a: 1, b: 1 }, { a: 1 }],
  [{ a: null }, {}],
  [{ a: { b: 1 } }, { a: { b: 2 } }],
  [{ n: 9007199254740991 }, { n: 9007199254740990 }],
];

/** Pairs that are one value as JSON. */
const SAME: readonly (readonly [live: unknown, expected: unknown])[] = [
  [
    { a: 1, b: { c: 2, d: [3] } },
    { b: { d: [3], c: 2 }, a: 1 },
  ],
  [{ a: 1 }, { a: 1, gone: undefined }],
  [1e2, 100],
  ["\u00e9", "\u00e9"],
  [[], []],
];

/** One more by compare-and-swap: reads, and tries again for as long as another caller comes first. */
async function increment(stage: Stage, storage: AtomicTokenStorage, key: string): Promise<void> {
  for (let attempt = 0; attempt < 100 * RACERS; attempt += 1) {
    const read = (await storage.get(key)) as { readonly count: number };
    if (await storage.replace(key, read, { count: read.count + 1 }, LONG)) return;
  }
  stage.violated(`a caller was told false ${100 * RACERS} times, more often than others can have come first`);
}

export const replace = [
  clause({
    id: "replace-expected",
    sentence: "replace stores where the live value still is the expected one",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      const key = stage.key("record");
      await storage.save(key, "first", LONG);
      await stage.decided(storage.replace(key, "first", { second: true }, LONG), true, "replace of the expected value");
      await stage.present(storage, key, { second: true }, "after a replace");
      await stage.decided(storage.replace(key, { second: true }, "third", LONG), true, "replace of a replaced value");
      await stage.present(storage, key, "third", "after a second replace");
    },
  }),
  clause({
    id: "replace-unexpected",
    sentence: "replace of any other value is false and changes nothing",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      for (const [index, [live, expected]] of DIFFERENT.entries()) {
        const key = stage.key(`record ${index}`);
        await storage.save(key, live, LONG);
        const who = `replace of ${JSON.stringify(live)} that expected ${JSON.stringify(expected)}`;
        await stage.decided(storage.replace(key, expected, "replaced", LONG), false, who);
        await stage.present(storage, key, live, "after a replace that expected something else");
      }
    },
  }),
  clause({
    id: "replace-json-equality",
    sentence: "replace compares as JSON does: neither the order of members nor the spelling of a number matters",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      for (const [index, [live, expected]] of SAME.entries()) {
        const key = stage.key(`record ${index}`);
        await storage.save(key, live, LONG);
        const who = `replace of ${JSON.stringify(live)} that expected ${JSON.stringify(expected)}`;
        await stage.decided(storage.replace(key, expected, "replaced", LONG), true, who);
      }
    },
  }),
  clause({
    id: "replace-absent",
    sentence: "replace where nothing live is, never or no longer, is false and stores nothing",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      const [never, deleted, expired] = [stage.key("never"), stage.key("deleted"), stage.key("expired")];
      await storage.save(deleted, "value", LONG);
      await storage.delete(deleted);
      await storage.save(expired, "value", 1);
      await stage.advance(2);
      for (const key of [never, deleted, expired]) {
        await stage.decided(storage.replace(key, "value", "replaced", LONG), false, "replace where nothing live was");
        await stage.absent(storage, key, "after a replace where nothing live was");
      }
    },
  }),
  clause({
    id: "replace-ttl",
    sentence: "the ttl of a replace counts from then on, and a lost replace prolongs nothing",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      const [longer, shorter, forever, lost] = [
        stage.key("longer"),
        stage.key("shorter"),
        stage.key("forever"),
        stage.key("lost"),
      ];
      await storage.save(longer, "before", 1);
      await storage.replace(longer, "before", "after", LONG);
      await storage.save(shorter, "before", LONG);
      await storage.replace(shorter, "before", "after", 1);
      await storage.save(forever, "before", 1);
      await storage.replace(forever, "before", "after");
      await storage.save(lost, "before", 1);
      await storage.replace(lost, "something else", "after", LONG);
      await stage.advance(2);
      await stage.present(storage, longer, "after", "two seconds after a ttl of 1 was replaced by a longer one");
      await stage.absent(storage, shorter, "two seconds after a longer ttl was replaced by a ttl of 1");
      await stage.present(storage, forever, "after", "two seconds after a ttl of 1 was replaced by none");
      await stage.absent(storage, lost, "two seconds after a save with a ttl of 1 and a lost replace");

      await neverEarly(stage, storage, "replace", async (key, ttl) => {
        await storage.save(key, "before", LONG);
        await storage.replace(key, "before", "after", ttl);
      });
    },
  }),
  clause({
    id: "replace-one-winner",
    sentence: "of 32 simultaneous replaces that expect the same value exactly one is told true, and its value stays",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      await rounds(stage, async (key) => {
        await storage.save(key, "before", LONG);
        const winner = await oneWinner(stage, "replace", (racer) => storage.replace(key, "before", { racer }, LONG));
        await stage.present(storage, key, { racer: winner }, "after the race");
      });
    },
  }),
  clause({
    id: "replace-one-winner-two-instances",
    sentence: "of 32 simultaneous replaces over two instances exactly one is told true, and its value stays",
    waivable: false,
    async play(stage) {
      const instances = [await stage.openAtomic(), await stage.openAtomic()] as const;
      await rounds(stage, async (key) => {
        await instances[0].save(key, "before", LONG);
        const run = (racer: number) => turn(instances, racer).replace(key, "before", { racer }, LONG);
        const winner = await oneWinner(stage, "replace", run);
        for (const storage of instances) await stage.present(storage, key, { racer: winner }, "after the race");
      });
    },
  }),
  clause({
    id: "replace-loses-no-update",
    sentence: "32 simultaneous increments by read and replace, over two instances, are 32 more",
    waivable: false,
    async play(stage) {
      const instances = [await stage.openAtomic(), await stage.openAtomic()] as const;
      const key = stage.key("counter");
      await instances[0].save(key, { count: 0 }, LONG);
      await Promise.all(Array.from({ length: RACERS }, (_, racer) => increment(stage, turn(instances, racer), key)));
      await stage.present(instances[0], key, { count: RACERS }, `after ${RACERS} increments`);
    },
  }),
  clause({
    id: "replace-undoes-no-save",
    sentence: "a replace never overwrites what is saved at the same moment",
    waivable: false,
    async play(stage) {
      const [one, other] = [await stage.openAtomic(), await stage.openAtomic()];
      const collided = await collisions(
        stage,
        (key) => one.save(key, "before", LONG),
        (key) => one.replace(key, "before", "replaced", LONG),
        (key) => other.save(key, "saved", LONG),
      );
      // Whichever came first: the save is what stays.
      for (const key of collided) {
        await stage.present(one, key, "saved", "after a replace and a save at the same moment");
      }
    },
  }),
  clause({
    id: "replace-revives-nothing",
    sentence: "a replace never revives what is deleted at the same moment",
    waivable: false,
    async play(stage) {
      const [one, other] = [await stage.openAtomic(), await stage.openAtomic()];
      const collided = await collisions(
        stage,
        (key) => one.save(key, "before", LONG),
        (key) => one.replace(key, "before", "replaced", LONG),
        (key) => other.delete(key),
      );
      // Whichever came first: in the end there is nothing. A grant that is revoked during its refresh stays revoked.
      for (const key of collided) await stage.absent(one, key, "after a replace and a delete at the same moment");
    },
  }),
];
