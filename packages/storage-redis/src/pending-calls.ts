/** Calls that wait for Redis: each has its time, and all of them end when the connection does. */

import { RedisStoreError } from "./redis-store-error.ts";

/** Ends one call, before its time is up. */
type End = (error: RedisStoreError) => void;

/** The calls of one store. */
export class PendingCalls {
  readonly #timeoutMs: number;
  readonly #pending = new Map<End, Promise<unknown>>();
  /** What the client has said of its connection since the last answer. */
  #trouble: unknown;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Does `work`, but not for longer than its time: then, and where the connection is lost meanwhile, the call rejects, whatever becomes
   * of the work. `signal` tells the work that nobody waits for it any more, so that what was not sent yet is not sent later.
   *
   * @throws {RedisStoreError} (as a rejection) `timeout` or `unreachable`
   */
  async run<Answer>(work: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    const controller = new AbortController();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const end: End = (error) => {
      reject(error);
      controller.abort(error);
    };
    const timer = setTimeout(() => end(new RedisStoreError("timeout", { cause: this.#trouble })), this.#timeoutMs);
    const call = Promise.race([work(controller.signal), ended]);
    this.#pending.set(end, call);
    try {
      const answer = await call;
      this.#trouble = undefined;
      return answer;
    } finally {
      clearTimeout(timer);
      this.#pending.delete(end);
    }
  }

  /** The client reports trouble; calls go on waiting. */
  troubled(cause: unknown): void {
    this.#trouble = cause;
  }

  /**
   * The connection is lost, and with it the answers. Clients repeat what was not answered when they are connected again, and the answer
   * to a repetition is a lie: a claim that had won would be told that somebody else had. So nobody waits for it.
   */
  lost(): void {
    for (const end of this.#pending.keys()) end(new RedisStoreError("unreachable", { cause: this.#trouble }));
  }

  /** When every call has ended that is under way now, one way or the other. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending.values());
  }
}
