/** Clauses about `cleanup`: it removes what has expired and nothing else. */

import { clause, LONG } from "./stage.ts";

const RECORDS = 150;

const numbered = (make: (index: number) => string): readonly string[] =>
  Array.from({ length: RECORDS }, (_, index) => make(index));

export const cleanup = [
  clause({
    id: "cleanup-keeps-the-living",
    sentence: "cleanup removes nothing that lives",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      const living = numbered((index) => stage.key(`living ${index}`));
      for (const [index, key] of living.entries()) {
        await storage.save(key, { index }, index % 2 === 0 ? LONG : undefined);
        await storage.save(stage.key(`dying ${index}`), { index }, 1);
      }
      await storage.cleanup();
      await stage.advance(2);
      await storage.cleanup();
      await storage.cleanup();
      for (const [index, key] of living.entries())
        await stage.present(storage, key, { index }, "of a living record after a cleanup");
      for (const [index] of living.entries())
        await stage.absent(storage, stage.key(`dying ${index}`), "of an expired record after a cleanup");
    },
  }),
  clause({
    id: "cleanup-amid-writes",
    sentence: "cleanup removes nothing that is stored while it runs, in the place of an expired record neither",
    waivable: false,
    async play(stage) {
      const [writer, cleaner] = [await stage.open(), await stage.open()];
      const keys = numbered((index) => stage.key(`record ${index}`));
      await Promise.all(keys.map((key) => writer.save(key, "expired", 1)));
      await stage.advance(2);
      await Promise.all(
        keys.flatMap((key, index) => [
          writer.save(key, { index }, LONG),
          ...(index % 10 === 0 ? [cleaner.cleanup()] : []),
        ]),
      );
      await cleaner.cleanup();
      for (const [index, key] of keys.entries()) {
        await stage.present(writer, key, { index }, "of a record that was stored during a cleanup");
      }
    },
  }),
];
