/** Clauses about `close`, where a storage has it. */

import { clause, LONG } from "./stage.ts";

export const close = [
  clause({
    id: "close-twice",
    sentence: "a second close does nothing, and other instances work on",
    needs: "close",
    async play(stage) {
      const [one, other] = [await stage.open(), await stage.open()];
      const key = stage.key("record");
      await one.save(key, "value", LONG);
      await one.close?.();
      await one.close?.();
      await Promise.all([one.close?.(), one.close?.()]);
      await stage.present(other, key, "value", "by another instance after the first was closed");
    },
  }),
];
