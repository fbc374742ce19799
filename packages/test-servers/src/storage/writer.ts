/** What a process does that is killed while it writes; `confirmations.ts` is the test's side of it. */

import { writeSync } from "node:fs";
import type { WholeStorage } from "./whole-storage.ts";

const LANES = 4;
const CLEAN_UP_EVERY = 10;

/** Straight to the pipe: what a stream has buffered would die with the process. */
const confirm = (words: string): number => writeSync(1, `${words}\n`);

/** Two copies of the number, far apart: of a torn record they would differ, or one would be missing. */
const record = (index: number) => ({ first: index, filling: "x".repeat(index % 3 === 0 ? 20_000 : 200), last: index });

/** Writes without end, under names of this life's own, and says what was confirmed, in the moment in which it is. */
export async function writeWithoutEnd(store: WholeStorage, life: string): Promise<void> {
  await Promise.all(Array.from({ length: LANES }, (_, lane) => write(store, `${life}:${lane}`)));
}

/** One lane saves and claims ever new records, replaces one over and over, deletes some, and lets others expire and cleans up. */
async function write(store: WholeStorage, lane: string): Promise<void> {
  const generation = `generation:${lane}`;
  await store.save(generation, record(0));
  for (let index = 1; ; index += 1) {
    const name = `${lane}:${index}`;
    await store.save(`saved:${name}`, record(index), 3600);
    confirm(`saved ${name}`);
    if (await store.claim(`claimed:${name}`, record(index), 3600)) confirm(`claimed ${name}`);
    if (await store.replace(generation, record(index - 1), record(index))) confirm(`replaced ${name}`);
    await store.save(`passing:${name}`, record(index), 1);
    if (index % 2 === 0) {
      await store.delete(`saved:${name}`);
      confirm(`deleted ${name}`);
    }
    if (index % CLEAN_UP_EVERY === 0) await store.cleanup();
  }
}
