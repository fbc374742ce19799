/** What one of several processes does that race for everything; `race.ts` is the test's side of it. */

import { once } from "node:events";
import type { WholeStorage } from "./whole-storage.ts";

/** Several calls are in flight at a time, so that those of all processes meet. */
const LANES = 8;

/** Says that this process is ready, and waits until the test lets it go on. */
export async function ready(): Promise<void> {
  const goAhead = once(process.stdin.resume(), "data");
  console.log("ready");
  await goAhead;
  // A pipe that is read keeps its process alive.
  process.stdin.pause();
}

/** Races for so many codes, refreshes and tickets and for every step of one counter, and says what it has won. */
export async function raceForEverything(store: WholeStorage, me: string, size: number): Promise<void> {
  const names = Array.from({ length: size }, (_, index) => String(index));
  const lanes = Array.from({ length: LANES }, (_, lane) => names.filter((_, index) => index % LANES === lane));
  await Promise.all(
    lanes.map(async (lane) => {
      for (const name of lane) {
        if (await store.claim(`code:${name}`, { winner: me }, 3600)) console.log(`claimed ${name}`);
        if (await store.replace(`grant:${name}`, "generation 1", `generation 2 by ${me}`, 3600)) {
          console.log(`replaced ${name}`);
        }
        if ((await store.take(`ticket:${name}`)) !== undefined) console.log(`took ${name}`);
        for (;;) {
          const count = Number(await store.get("counter"));
          if (await store.replace("counter", count, count + 1)) break;
        }
      }
    }),
  );
}
