/** Clauses about `list`, where a storage has it: exact prefixes, and walks that come to an end. */

import type { TokenStorage } from "@sallyport/oauth-core";
import { clause, LONG, type Stage } from "./stage.ts";

/** What a pattern language of some database would read as more than itself. */
const WILDCARDS = ["%", "_", "*", "?", "[a-z]", "^", "\\", "'", ".", "+", "(", "$", "{", "|"];

/** Pages after which a walk that has not ended is going round in circles. */
const MOST_PAGES = 10_000;

/** Every key of every page; `between` is called after each page but the last. */
async function walk(
  stage: Stage,
  storage: TokenStorage,
  prefix: string,
  limit?: number,
  between: (page: number) => Promise<unknown> = async () => undefined,
): Promise<readonly string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const answer = await storage.list?.(prefix, { cursor, limit });
    keys.push(...(answer?.keys ?? []));
    cursor = answer?.cursor;
    if (cursor === undefined) return keys;
    await between(page);
  }
  return stage.violated(`list had named another cursor after ${MOST_PAGES} pages`);
}

/** Holds that a walk met exactly the expected keys, each of them once. */
function exactly(stage: Stage, seen: readonly string[], expected: readonly string[], what: string): void {
  const twice = seen.filter((key, index) => seen.indexOf(key) !== index);
  const missing = expected.filter((key) => !seen.includes(key));
  const foreign = seen.filter((key) => !expected.includes(key));
  for (const [words, keys] of Object.entries({
    "more than once": twice,
    "not at all": missing,
    "although it should not": foreign,
  })) {
    if (keys.length > 0)
      stage.violated(`list, ${what}, had ${keys.length} keys ${words}, such as ${JSON.stringify(keys[0])}`);
  }
}

export const list = [
  clause({
    id: "list-prefix",
    sentence: "list has the keys that begin with exactly the prefix, and no wildcard in it means anything",
    needs: "list",
    async play(stage) {
      const storage = await stage.open();
      const own = [stage.key("a:1"), stage.key("a:2"), stage.key("a:")];
      const foreign = [stage.key("ab:1"), stage.key("A:1"), stage.key("a"), stage.key("b:a:1"), `x${stage.key("a:1")}`];
      for (const key of [...own, ...foreign]) await storage.save(key, "value", LONG);
      exactly(stage, await walk(stage, storage, stage.key("a:")), own, "by prefix");

      for (const wildcard of WILDCARDS) {
        const prefix = stage.key(`w${wildcard}:`);
        for (const key of [`${prefix}1`, `${prefix}2`]) await storage.save(key, "value", LONG);
      }
      await storage.save(stage.key("wx:1"), "value", LONG);
      for (const wildcard of WILDCARDS) {
        const prefix = stage.key(`w${wildcard}:`);
        exactly(
          stage,
          await walk(stage, storage, prefix),
          [`${prefix}1`, `${prefix}2`],
          `by a prefix with ${wildcard}`,
        );
      }
      exactly(stage, await walk(stage, storage, stage.key("nothing:")), [], "by a prefix that no key has");
    },
  }),
  clause({
    id: "list-pages",
    sentence: "list, followed from cursor to cursor, has every live key once, whatever the size of a page",
    needs: "list",
    async play(stage) {
      const storage = await stage.open();
      const keys = Array.from({ length: 25 }, (_, index) => stage.key(`record:${index}`));
      for (const key of keys) await storage.save(key, "value", LONG);
      for (const limit of [1, 7, 25, 1000, undefined]) {
        exactly(stage, await walk(stage, storage, stage.key("record:"), limit), keys, `with a limit of ${limit}`);
      }
    },
  }),
  clause({
    id: "list-amid-changes",
    sentence: "list has every key once that lives during the whole walk, and none twice, although others come and go",
    needs: "list",
    async play(stage) {
      const storage = await stage.open();
      const prefix = stage.key("record:");
      const staying = Array.from({ length: 20 }, (_, index) => `${prefix}${index}:staying`);
      const leaving = Array.from({ length: 20 }, (_, index) => `${prefix}${index}:leaving`);
      for (const key of [...staying, ...leaving]) await storage.save(key, "value", LONG);

      const seen = await walk(stage, storage, prefix, 3, async (page) => {
        if (page > 20) return;
        await storage.delete(`${prefix}${20 - page}:leaving`);
        await storage.save(`${prefix}${page}:coming`, "value", LONG);
        await storage.save(`${prefix}${page % 20}:staying`, "changed", LONG);
      });
      exactly(
        stage,
        seen.filter((key) => key.endsWith(":staying")),
        staying,
        "while others came and went",
      );
      exactly(stage, seen, [...new Set(seen)], "while others came and went");
    },
  }),
  clause({
    id: "list-the-living",
    sentence: "list has no key that was deleted or has expired",
    needs: "list",
    async play(stage) {
      const storage = await stage.open();
      const [living, deleted, expired] = [stage.key("r:living"), stage.key("r:deleted"), stage.key("r:expired")];
      for (const key of [living, deleted]) await storage.save(key, "value", LONG);
      await storage.save(expired, "value", 1);
      await storage.delete(deleted);
      await stage.advance(2);
      exactly(stage, await walk(stage, storage, stage.key("r:")), [living], "after a delete and an expiry");
    },
  }),
];
