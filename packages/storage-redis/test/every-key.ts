/** A whole walk over the keys of a store. */

import type { RedisStore } from "../src/index.ts";

/** The keys of every page, sorted. */
export async function everyKey(store: RedisStore, prefix: string, limit?: number): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(prefix, { cursor, limit });
    keys.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return keys.sort();
}
