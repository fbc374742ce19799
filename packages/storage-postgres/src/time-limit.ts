/** Calls to a database that may never answer: each has its time. */

import { PostgresStoreError } from "./postgres-store-error.ts";

/**
 * Does `work`, but not for longer than its time: then the call rejects, whatever becomes of the work. `signal` tells the work that nobody
 * waits for it any more, so that what was not sent yet is not sent later.
 *
 * @throws {PostgresStoreError} (as a rejection) `timeout`
 */
export async function withinTime<Answer>(
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer> {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const ended = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new PostgresStoreError("timeout");
      reject(error);
      controller.abort(error);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work(controller.signal), ended]);
  } finally {
    clearTimeout(timer);
  }
}
