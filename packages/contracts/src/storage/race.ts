/** Races: the same call by many at once, of whom exactly one may be told `true`. */

import { setImmediate } from "node:timers/promises";
import type { Stage } from "./stage.ts";

/** Callers that set out together. */
export const RACERS = 32;

/** Races per clause: a window that is open for a moment only is met by one of them. */
const ROUNDS = 8;

/** Runs `race` once per round, each under a key of its own. */
export async function rounds(stage: Stage, race: (key: string) => Promise<void>): Promise<void> {
  for (let round = 1; round <= ROUNDS; round += 1) await race(stage.key(`round ${round}`));
}

/** Lets all racers run at once; answers with the one that won, and is broken by none and by several. */
export async function oneWinner(stage: Stage, verb: string, run: (racer: number) => Promise<boolean>): Promise<number> {
  const verdicts: readonly unknown[] = await Promise.all(Array.from({ length: RACERS }, (_, racer) => run(racer)));
  if (verdicts.some((verdict) => typeof verdict !== "boolean"))
    stage.violated(`${verb} answered something that is no boolean`);
  const winners = verdicts.filter((verdict) => verdict === true).length;
  if (winners !== 1) stage.violated(`${winners} of ${RACERS} simultaneous callers of ${verb} were told true`);
  return verdicts.indexOf(true);
}

/**
 * Lets two calls for one key collide, under many keys: in each round one of them starts a few turns of the event loop after the other,
 * so that it falls into every gap between the steps of the other.
 */
export async function collisions(
  stage: Stage,
  prepare: (key: string) => Promise<unknown>,
  one: (key: string) => Promise<unknown>,
  other: (key: string) => Promise<unknown>,
): Promise<readonly string[]> {
  const collided: string[] = [];
  for (let headStart = 0; headStart < ROUNDS; headStart += 1) {
    for (const [name, early, late] of [["one", one, other] as const, ["other", other, one] as const]) {
      const keys = Array.from({ length: ROUNDS }, (_, index) => stage.key(`${name} by ${headStart}, ${index}`));
      await Promise.all(keys.map(prepare));
      await Promise.all(keys.flatMap((key) => [early(key), turns(headStart).then(() => late(key))]));
      collided.push(...keys);
    }
  }
  return collided;
}

async function turns(count: number): Promise<void> {
  for (let turned = 0; turned < count; turned += 1) await setImmediate();
}

/** The storage that a racer uses: they take turns. */
export function turn<Item>(items: readonly [Item, ...Item[]], racer: number): Item {
  return items[racer % items.length] ?? items[0];
}
