/** Waiting for a condition: it is asked again and again, and nobody sleeps in its place. */

import { setTimeout as pause } from "node:timers/promises";

const ASK_AGAIN_AFTER_MS = 10;
const PATIENCE_MS = 45_000;

/**
 * Asks until the answer is neither `undefined` nor `false`, and answers with it. A question that throws is asked again.
 *
 * @param what the condition in words, for the error
 * @throws {Error} where it has not come true after 45 seconds; `cause` is what was thrown last
 */
export async function until<Answer>(
  what: string,
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
): Promise<Answer> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    let cause: unknown;
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > end) throw new Error(`It did not come true that ${what}.`, { cause });
    await pause(ASK_AGAIN_AFTER_MS);
  }
}
