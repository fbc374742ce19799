/** Clauses about what is sealed: who can open it, where, and what of it can be read at rest. */

import type { AtomicTokenStorage, TokenStorage } from "@sallyport/oauth-core";
import type { SealedStorageSubject } from "../storage-subject.ts";
import { oneWinner, RACERS, rounds, turn } from "./race.ts";
import { clause, isPresent, LONG, type Stage } from "./stage.ts";

type SealedStage = Stage<SealedStorageSubject>;

const OLD = "the old key, which is long enough for AES-256";
const FRESH = "the new key, which is long enough for AES-256";
const STRANGE = "another's key, which is long enough for AES-256";

/** Long enough to be found in whatever way it is spelled. */
const SECRET = "MARK-top-secret-0123456789";
const VALUE = { token: SECRET, "ключ \u{1f511}": ["", 0, null, { nested: SECRET }] };

/** An instance of the backend, and what seals over it with such keys. */
async function sealing(
  stage: SealedStage,
  keys: string | readonly string[],
  onUnreadable: (key: string, why: string) => void = () => undefined,
): Promise<{ backend: TokenStorage; storage: AtomicTokenStorage }> {
  const backend = await stage.openAtomic();
  const storage = new stage.subject.EncryptedTokenStorage(backend, keys, { onUnreadable });
  const { claim, replace } = storage;
  if (claim === undefined || replace === undefined) return stage.violated("sealing took claim and replace away");
  return { backend, storage: Object.assign(storage, { claim, replace }) };
}

/** Holds that what lies under a key tells nothing of the secret. */
async function unreadable(stage: SealedStage, backend: TokenStorage, key: string, who: string): Promise<void> {
  const atRest = JSON.stringify(await backend.get(key)) ?? "";
  if (atRest === "") stage.violated(`${who} stored nothing`);
  const spellings = [SECRET, "ключ", Buffer.from(SECRET).toString("hex"), ...inBase64(SECRET)];
  if (spellings.some((spelling) => atRest.includes(spelling)))
    stage.violated(`after ${who} the value lay there for all to read`);
}

/** How a text looks inside of a longer one in base64: it begins at the first, second or third byte of a group. */
function inBase64(text: string): readonly string[] {
  return ["", "_", "__"].map((before) =>
    Buffer.from(before + text)
      .toString("base64url")
      .slice(4, -4),
  );
}

export const sealed = [
  clause<SealedStorageSubject>({
    id: "sealed-round-trip",
    sentence: "what is sealed comes back as it was saved, by another instance as well, and lives as long",
    waivable: false,
    async play(stage) {
      const [{ storage }, other] = [await sealing(stage, OLD), await sealing(stage, OLD)];
      const key = stage.key("record");
      for (const value of [VALUE, "text", "", 0, false, [], {}, "x".repeat(100_000)]) {
        await storage.save(key, value, LONG);
        await stage.present(other.storage, key, value, "through another instance");
      }
      const brief = [stage.key("saved"), stage.key("claimed"), stage.key("replaced")] as const;
      await storage.save(brief[0], VALUE, 1);
      await storage.claim(brief[1], VALUE, 1);
      await storage.save(brief[2], VALUE, LONG);
      await storage.replace(brief[2], VALUE, "other", 1);
      await stage.advance(2.5);
      for (const gone of brief) await stage.absent(other.storage, gone, "after its ttl");
      await stage.present(storage, key, "x".repeat(100_000), "an hour before its end");
      await storage.delete(key);
      await stage.absent(other.storage, key, "after a delete");
    },
  }),
  clause<SealedStorageSubject>({
    id: "sealed-at-rest",
    sentence:
      "at rest nothing of a value can be read, whichever verb stored it, and the same value never lies there twice alike",
    waivable: false,
    async play(stage) {
      const { backend, storage } = await sealing(stage, OLD);
      const [saved, claimed, replaced] = [stage.key("saved"), stage.key("claimed"), stage.key("replaced")];
      await storage.save(saved, VALUE, LONG);
      await storage.claim(claimed, VALUE, LONG);
      await storage.save(replaced, "before", LONG);
      await storage.replace(replaced, "before", VALUE, LONG);
      await unreadable(stage, backend, saved, "save");
      await unreadable(stage, backend, claimed, "claim");
      await unreadable(stage, backend, replaced, "replace");
      const before = await backend.get(saved);
      await storage.save(saved, VALUE, LONG);
      if ((await backend.get(saved)) === before) stage.violated("the same value was sealed to the same text twice");
    },
  }),
  clause<SealedStorageSubject>({
    id: "sealed-rotation",
    sentence: "the old key opens, the new key seals, and what the new key sealed needs the old one no more",
    waivable: false,
    async play(stage) {
      const [before, rotated, after] = [
        await sealing(stage, OLD),
        await sealing(stage, [FRESH, OLD]),
        await sealing(stage, FRESH),
      ];
      const [kept, renewed, made] = [stage.key("kept"), stage.key("renewed"), stage.key("made")];
      await before.storage.save(kept, VALUE, LONG);
      await before.storage.save(renewed, VALUE, LONG);
      await stage.present(rotated.storage, kept, VALUE, "by the old key");
      await stage.decided(rotated.storage.replace(renewed, VALUE, "renewed", LONG), true, "a replace with the new key");
      await stage.decided(rotated.storage.claim(made, VALUE, LONG), true, "a claim with the new key");
      await stage.present(after.storage, renewed, "renewed", "by the new key alone");
      await stage.present(after.storage, made, VALUE, "by the new key alone");
      await stage.absent(after.storage, kept, "without the old key");
      await stage.absent(before.storage, made, "without the new key");
      await stage.present(rotated.storage, kept, VALUE, "by the old key, afterwards");
    },
  }),
  clause<SealedStorageSubject>({
    id: "sealed-wrong-key",
    sentence: "a wrong key reads nothing, leaves every record as it is, and says so once",
    waivable: false,
    async play(stage) {
      const told: string[] = [];
      const owner = await sealing(stage, OLD);
      const stranger = await sealing(stage, STRANGE, (_, why) => told.push(why));
      const keys = [stage.key("one"), stage.key("two"), stage.key("three")];
      for (const key of keys) await owner.storage.save(key, VALUE, LONG);
      const atRest = await Promise.all(keys.map((key) => owner.backend.get(key)));
      for (const key of keys) {
        await stage.absent(stranger.storage, key, "with a wrong key");
        await stage.decided(stranger.storage.claim(key, "mine", LONG), false, "a claim with a wrong key");
        await stage.decided(stranger.storage.replace(key, VALUE, "mine", LONG), false, "a replace with a wrong key");
        if (isPresent(await stranger.storage.take?.(key))) stage.violated("a wrong key took a record");
      }
      await stranger.storage.cleanup();
      for (const [index, key] of keys.entries()) {
        stage.same(await owner.backend.get(key), atRest[index], "the backend, after all that with a wrong key,");
        await stage.present(owner.storage, key, VALUE, "with the right key, afterwards");
      }
      if (told.join() !== "key")
        stage.violated(`of the wrong key was told [${told.join(", ")}] instead of "key", once`);
    },
  }),
  clause<SealedStorageSubject>({
    id: "sealed-in-place",
    sentence: "a record that was copied to another key, or changed, does not open there, and is left alone",
    waivable: false,
    async play(stage) {
      const told: string[] = [];
      const { backend, storage } = await sealing(stage, OLD, (_, why) => told.push(why));
      const [victim, thief, changed] = [stage.key("victim"), stage.key("thief"), stage.key("changed")];
      await storage.save(victim, VALUE, LONG);
      const raw = await backend.get(victim);
      if (typeof raw !== "string") return stage.violated("what was sealed came back from the backend as no text");
      await backend.save(thief, raw, LONG);
      const middle = Math.trunc(raw.length / 2);
      await backend.save(
        changed,
        raw.slice(0, middle) + (raw[middle] === "A" ? "B" : "A") + raw.slice(middle + 1),
        LONG,
      );
      for (const key of [thief, changed]) {
        await stage.absent(storage, key, "of a record that was not sealed for its key");
        await stage.decided(storage.claim(key, "mine", LONG), false, "a claim over such a record");
      }
      stage.same(await backend.get(thief), raw, "the backend, afterwards,");
      await stage.present(storage, victim, VALUE, "in its place");
      if (told.join() !== "damaged") stage.violated(`of it was told [${told.join(", ")}] instead of "damaged", once`);
    },
  }),
  clause<SealedStorageSubject>({
    id: "sealed-claim-one-winner",
    sentence: "of 32 simultaneous claims over two instances, one of them rotated already, exactly one is told true",
    waivable: false,
    async play(stage) {
      const instances = [await sealing(stage, [OLD, FRESH]), await sealing(stage, [FRESH, OLD])] as const;
      await rounds(stage, async (key) => {
        const winner = await oneWinner(stage, "claim", (racer) =>
          turn(instances, racer).storage.claim(key, `racer ${racer}`, LONG),
        );
        for (const { storage } of instances) await stage.present(storage, key, `racer ${winner}`, "after the race");
      });
    },
  }),
  clause<SealedStorageSubject>({
    id: "sealed-replace-loses-no-update",
    sentence:
      "32 simultaneous increments by read and replace, over two instances, one of them rotated already, are 32 more",
    waivable: false,
    async play(stage) {
      const instances = [await sealing(stage, [OLD, FRESH]), await sealing(stage, [FRESH, OLD])] as const;
      const key = stage.key("counter");
      await instances[0].storage.save(key, { count: 0 }, LONG);
      const increments = Array.from({ length: RACERS }, async (_, racer) => {
        const { storage } = turn(instances, racer);
        for (;;) {
          const { count } = (await storage.get(key)) as { count: number };
          if (await storage.replace(key, { count }, { count: count + 1 }, LONG)) return;
        }
      });
      await Promise.all(increments);
      for (const { storage } of instances) await stage.present(storage, key, { count: RACERS }, "after the increments");
      await stage.decided(
        instances[0].storage.replace(key, { count: 0 }, "other", LONG),
        false,
        "a replace of an older value",
      );
    },
  }),
  clause<SealedStorageSubject>({
    id: "sealed-take-one-winner",
    sentence: "of 32 simultaneous takes over two instances exactly one receives what was sealed",
    waivable: false,
    needs: "take",
    async play(stage) {
      const instances = [await sealing(stage, [OLD, FRESH]), await sealing(stage, [FRESH, OLD])] as const;
      await rounds(stage, async (key) => {
        await instances[0].storage.save(key, VALUE, LONG);
        const takes = Array.from({ length: RACERS }, (_, racer) => turn(instances, racer).storage.take?.(key));
        const received = (await Promise.all(takes)).filter(isPresent);
        if (received.length !== 1) stage.violated(`${received.length} of ${RACERS} callers of take received the value`);
        stage.same(received[0], VALUE, "take");
        await stage.absent(instances[1].storage, key, "after a take");
      });
    },
  }),
  clause<SealedStorageSubject>({
    id: "sealed-list",
    sentence: "list names what is sealed like anything else",
    needs: "list",
    async play(stage) {
      const { storage } = await sealing(stage, OLD);
      const keys = Array.from({ length: 5 }, (_, index) => stage.key(String(index)));
      for (const key of keys) await storage.save(key, VALUE, LONG);
      if (storage.list === undefined) return stage.violated("sealing took list away");
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await storage.list(stage.key(""), { cursor, limit: 2 });
        seen.push(...page.keys);
        cursor = page.cursor;
      } while (cursor !== undefined);
      stage.same(seen.sort(), keys.sort(), "list");
    },
  }),
];
