/** A whole walk over the keys of a storage. */

import type { WholeStorage } from "./whole-storage.ts";

/** The keys of every page, as the pages have them. */
export async function everyKey(store: WholeStorage, prefix: string, limit?: number): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(prefix, { cursor, limit });
    keys.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return keys;
}
