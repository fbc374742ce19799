/** Clauses about `take`, where a storage has it: reads and removes in one step. */

import type { TokenStorage } from "@sallyport/oauth-core";
import { RACERS, rounds, turn } from "./race.ts";
import { clause, isPresent, LONG } from "./stage.ts";

export const take = [
  clause({
    id: "take",
    sentence: "take answers what is there and removes it; where nothing live is it answers nothing",
    waivable: false,
    needs: "take",
    async play(stage) {
      const storage = await stage.open();
      const [key, expired] = [stage.key("record"), stage.key("expired")];
      await storage.save(key, { a: 1 }, LONG);
      await storage.save(expired, "value", 1);
      stage.same(await storage.take?.(key), { a: 1 }, "take");
      await stage.absent(storage, key, "after a take");
      await stage.advance(2);
      for (const gone of [key, expired, stage.key("never saved")]) {
        if (isPresent(await storage.take?.(gone))) stage.violated("take answered a value where nothing live was");
      }
    },
  }),
  clause({
    id: "take-one-winner",
    sentence: "of 32 simultaneous takes over two instances exactly one receives the value",
    waivable: false,
    needs: "take",
    async play(stage) {
      const instances: readonly [TokenStorage, TokenStorage] = [await stage.open(), await stage.open()];
      await rounds(stage, async (key) => {
        await instances[0].save(key, "value", LONG);
        const takes = Array.from({ length: RACERS }, (_, racer) => turn(instances, racer).take?.(key));
        const received = (await Promise.all(takes)).filter(isPresent).length;
        if (received !== 1) stage.violated(`${received} of ${RACERS} simultaneous callers of take received the value`);
        await stage.absent(instances[0], key, "after the race");
      });
    },
  }),
];
