/** Races: calls of many at once, of whom exactly one may be told that it was done. */

import type { UserStore } from "@sallyport/accounts";
import type { UserStage } from "./stage.ts";

/** Callers that set out together. */
export const RACERS = 32;

/** Races per clause: a window that is open for a moment only is met by one of them. */
const ROUNDS = 6;

/** Runs `race` once per round. */
export async function rounds(race: () => Promise<void>): Promise<void> {
  for (let round = 1; round <= ROUNDS; round += 1) await race();
}

/** One item for each racer. */
export function racers<Item>(make: (racer: number) => Item): readonly Item[] {
  return Array.from({ length: RACERS }, (_, racer) => make(racer));
}

/** The instance of a racer: they take turns. */
export function turn(pair: readonly [UserStore, UserStore], racer: number): UserStore {
  return racer % 2 === 0 ? pair[0] : pair[1];
}

/** Lets all run at once; answers with the item that won. Broken by none and by several winners, and by a loser who is told anything else than `lost`. */
export async function oneWinner<Item>(
  stage: UserStage,
  items: readonly Item[],
  verb: string,
  words: { readonly won: string; readonly lost: readonly string[] },
  run: (item: Item, racer: number) => Promise<string>,
): Promise<Item> {
  const verdicts = await Promise.all(items.map(run));
  const odd = verdicts.find((verdict) => verdict !== words.won && !words.lost.includes(verdict));
  if (odd !== undefined) stage.violated(`one of ${items.length} simultaneous callers of ${verb} was told ${odd}`);
  const winners = items.filter((_, racer) => verdicts[racer] === words.won);
  const [winner] = winners;
  if (winner === undefined || winners.length > 1)
    return stage.violated(
      `${winners.length} of ${items.length} simultaneous callers of ${verb} were told ${words.won}`,
    );
  return winner;
}
