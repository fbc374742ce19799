/** That a lifetime is never cut short, observed without trusting the machine's speed. */

import type { TokenStorage } from "@sallyport/oauth-core";
import { isPresent, type Stage } from "./stage.ts";

type Store = (key: string, ttl: number) => Promise<unknown>;

const TTL = 2;
const ATTEMPTS = 5;

/** Holds that a record which `store` stored lives for its whole ttl, in whichever part of a second it was stored. */
export async function neverEarly(stage: Stage, storage: TokenStorage, verb: string, store: Store): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (await looksInTime(stage, storage, verb, (quarter) => stage.key(`early ${attempt}.${quarter}`), store)) return;
  }
  stage.violated(
    `${ATTEMPTS} times over a record was absent and the look came too late to tell whether it should have been`,
  );
}

/**
 * Stores four records a quarter of a second apart and looks at each when half a second is left to it: whoever cuts instants off to
 * whole seconds has lost one of them by then. Answers whether every look that found nothing came in time to mean something: where
 * time really passes, a busy machine may look when the record has the right to be gone.
 */
async function looksInTime(
  stage: Stage,
  storage: TokenStorage,
  verb: string,
  keyOf: (quarter: number) => string,
  store: Store,
): Promise<boolean> {
  const since: number[] = [];
  for (let quarter = 0; quarter < 4; quarter += 1) {
    since.push(performance.now());
    await store(keyOf(quarter), TTL);
    await stage.advance(0.25);
  }
  await stage.advance(0.5);

  let inTime = true;
  for (const [quarter, start] of since.entries()) {
    if (!isPresent(await storage.get(keyOf(quarter)))) {
      if (performance.now() - start < TTL * 1000) {
        stage.violated(`get answered nothing 1.5 seconds after a ${verb} with a ttl of ${TTL}`);
      }
      inTime = false;
    }
    await stage.advance(0.25);
  }
  return inTime;
}
