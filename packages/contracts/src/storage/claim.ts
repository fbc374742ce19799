/** Clauses about `claim`: of any number of simultaneous callers exactly one is told `true`. */

import { neverEarly } from "./lifetime.ts";
import { collisions, oneWinner, rounds, turn } from "./race.ts";
import { clause, LONG } from "./stage.ts";

export const claim = [
  clause({
    id: "claim-where-nothing-is",
    sentence: "claim stores where nothing live is, and only there; whoever loses changes nothing",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      const [key, saved] = [stage.key("claimed"), stage.key("saved")];
      await stage.decided(storage.claim(key, { winner: 1 }, LONG), true, "claim of an unused key");
      await stage.decided(storage.claim(key, { winner: 2 }, LONG), false, "a second claim");
      await stage.present(storage, key, { winner: 1 }, "after a second claim");

      for (const value of ["text", "", 0, false, [], {}]) {
        await storage.save(saved, value, LONG);
        await stage.decided(storage.claim(saved, "claimed", LONG), false, `claim of a saved ${JSON.stringify(value)}`);
        await stage.present(storage, saved, value, "after a claim of a saved record");
      }
    },
  }),
  clause({
    id: "claim-after-delete",
    sentence: "claim stores again after a delete",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      const key = stage.key("record");
      await storage.save(key, "before", LONG);
      await storage.delete(key);
      await stage.decided(storage.claim(key, "after", LONG), true, "claim after a delete");
      await stage.present(storage, key, "after", "after that claim");
    },
  }),
  clause({
    id: "claim-after-expiry",
    sentence: "claim stores again after an expiry, without any cleanup",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      const [saved, claimed] = [stage.key("saved"), stage.key("claimed")];
      await storage.save(saved, "before", 1);
      await storage.claim(claimed, "before", 1);
      await stage.advance(2);
      for (const key of [saved, claimed]) {
        await stage.decided(storage.claim(key, "after", LONG), true, "claim of an expired record");
        await stage.present(storage, key, "after", "after that claim");
      }
    },
  }),
  clause({
    id: "claim-ttl",
    sentence: "the ttl of a claim counts as that of a save does, and a lost claim prolongs nothing",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      const [short, forever] = [stage.key("short"), stage.key("forever")];
      await storage.claim(short, "value", 1);
      await storage.claim(short, "loser", LONG);
      await storage.claim(forever, "value");
      await storage.claim(forever, "loser", 1);
      await stage.advance(2);
      await stage.absent(storage, short, "two seconds after a claim with a ttl of 1");
      await stage.present(storage, forever, "value", "two seconds after a claim without ttl");
      await neverEarly(stage, storage, "claim", (key, ttl) => storage.claim(key, "value", ttl));
    },
  }),
  clause({
    id: "claim-one-winner",
    sentence: "of 32 simultaneous claims of one key exactly one is told true, and its value stays",
    waivable: false,
    async play(stage) {
      const storage = await stage.openAtomic();
      await rounds(stage, async (key) => {
        const winner = await oneWinner(stage, "claim", (racer) => storage.claim(key, { racer }, LONG));
        await stage.present(storage, key, { racer: winner }, "after the race");
      });
    },
  }),
  clause({
    id: "claim-one-winner-two-instances",
    sentence: "of 32 simultaneous claims over two instances exactly one is told true, and its value stays",
    waivable: false,
    async play(stage) {
      const instances = [await stage.openAtomic(), await stage.openAtomic()] as const;
      await rounds(stage, async (key) => {
        const winner = await oneWinner(stage, "claim", (racer) => turn(instances, racer).claim(key, { racer }, LONG));
        for (const storage of instances) await stage.present(storage, key, { racer: winner }, "after the race");
      });
    },
  }),
  clause({
    id: "claim-one-winner-after-expiry",
    sentence: "of 32 simultaneous claims of an expired record, over two instances, exactly one is told true",
    waivable: false,
    async play(stage) {
      const instances = [await stage.openAtomic(), await stage.openAtomic()] as const;
      const expired: string[] = [];
      await rounds(stage, async (key) => {
        await instances[0].save(key, "before", 1);
        expired.push(key);
      });
      await stage.advance(2);
      for (const key of expired) {
        const winner = await oneWinner(stage, "claim", (racer) => turn(instances, racer).claim(key, { racer }, LONG));
        await stage.present(instances[1], key, { racer: winner }, "after the race");
      }
    },
  }),
  clause({
    id: "claim-undoes-no-save",
    sentence: "a claim never overwrites what is saved at the same moment",
    waivable: false,
    async play(stage) {
      const [one, other] = [await stage.openAtomic(), await stage.openAtomic()];
      const collided = await collisions(
        stage,
        (key) => one.delete(key),
        (key) => one.claim(key, "claimed", LONG),
        (key) => other.save(key, "saved", LONG),
      );
      // Whichever came first: the save is what stays.
      for (const key of collided) await stage.present(one, key, "saved", "after a claim and a save at the same moment");
    },
  }),
];
