/** Clauses about lifetimes: never less than the ttl, at most a second more. */

import { neverEarly } from "./lifetime.ts";
import { clause, LONG } from "./stage.ts";

const DAY = 86_400;

export const expiry = [
  clause({
    id: "expiry",
    sentence: "a record is absent at most one second after its ttl, without any cleanup",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      const key = stage.key("record");
      await storage.save(key, "value", 1);
      await stage.advance(2);
      await stage.absent(storage, key, "two seconds after a save with a ttl of 1");
    },
  }),
  clause({
    id: "expiry-never-early",
    sentence: "a record never expires early, not by a fraction of a second",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      await neverEarly(stage, storage, "save", (key, ttl) => storage.save(key, "value", ttl));
    },
  }),
  clause({
    id: "expiry-far",
    sentence: "a ttl of 90 days is no less than that",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      const key = stage.key("record");
      await storage.save(key, "value", 90 * DAY);
      await stage.advance(2);
      await stage.present(storage, key, "value", "two seconds after a save with a ttl of 90 days");
      if (stage.subject.virtualTime !== true) return;
      await stage.advance(90 * DAY - 4);
      await stage.present(storage, key, "value", "two seconds before the end of a ttl of 90 days");
      await stage.advance(3);
      await stage.absent(storage, key, "one second after the end of a ttl of 90 days");
    },
  }),
  clause({
    id: "no-ttl",
    sentence: "a record without ttl does not expire",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      const key = stage.key("record");
      await storage.save(key, "value");
      await stage.advance(stage.subject.virtualTime === true ? 3650 * DAY : 3);
      await storage.cleanup();
      await stage.present(storage, key, "value", "long after a save without ttl");
    },
  }),
  clause({
    id: "save-resets-ttl",
    sentence: "save forgets the lifetime of what was there, a longer and a shorter one",
    waivable: false,
    async play(stage) {
      const storage = await stage.open();
      const [longer, forever, shorter] = [stage.key("longer"), stage.key("forever"), stage.key("shorter")];
      await storage.save(longer, "before", 1);
      await storage.save(longer, "value", LONG);
      await storage.save(forever, "before", 1);
      await storage.save(forever, "value");
      await storage.save(shorter, "before");
      await storage.save(shorter, "value", 1);
      await stage.advance(2);
      await stage.present(storage, longer, "value", "two seconds after a ttl of 1 was overwritten by a longer one");
      await stage.present(storage, forever, "value", "two seconds after a ttl of 1 was overwritten by none");
      await stage.absent(storage, shorter, "two seconds after no ttl was overwritten by a ttl of 1");
    },
  }),
];
