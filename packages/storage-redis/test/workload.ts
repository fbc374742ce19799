/** Work of which every answer is known beforehand, so that a false one is noticed. */

import { randomUUID } from "node:crypto";
import type { RedisStore } from "../src/index.ts";

/** What was answered. */
export interface Outcome {
  /** Keys whose claim was confirmed, and that were not taken since. */
  readonly claimed: readonly string[];
  /** Calls that rejected: what became of them is unknown, and that is what they said. */
  readonly rejected: number;
  /** Answers that can't be true, in words. */
  readonly lies: readonly string[];
}

const LANES = 16;
const LONG = 3600;

/**
 * Claims keys that nobody else knows, replaces what only this lane wrote, and takes what only it has put there, in many lanes at once.
 * So a claim or replace that is answered `false`, and a read or take that finds nothing, is a lie. After a call that rejected, its key
 * is left alone: what was asked may happen yet.
 */
export class Workload {
  readonly #store: RedisStore;
  readonly #claimed: string[] = [];
  readonly #lies: string[] = [];
  #rejected = 0;
  #confirmed = 0;
  #stopped = false;
  readonly #done: Promise<unknown>;

  constructor(store: RedisStore) {
    this.#store = store;
    this.#done = Promise.all(Array.from({ length: LANES }, () => this.#lane()));
  }

  /** How many rounds were confirmed so far. */
  get confirmed(): number {
    return this.#confirmed;
  }

  async stop(): Promise<Outcome> {
    this.#stopped = true;
    await this.#done;
    return { claimed: this.#claimed, rejected: this.#rejected, lies: this.#lies };
  }

  async #lane(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#round(randomUUID());
        this.#confirmed += 1;
      } catch {
        this.#rejected += 1;
      }
    }
  }

  async #round(name: string): Promise<void> {
    const { claim, replace, get, take } = this.#verbs(name);
    await claim();
    this.#claimed.push(name);
    await replace();
    await get();
    await take();
    this.#claimed.splice(this.#claimed.indexOf(name), 1);
  }

  #verbs(name: string) {
    const told = (lie: string, honest: boolean): void => {
      if (!honest) this.#lies.push(lie);
    };
    return {
      claim: async () => told("a claim was lost to nobody", await this.#store.claim(name, "claimed", LONG)),
      replace: async () =>
        told("a replace was lost to nobody", await this.#store.replace(name, "claimed", "replaced", LONG)),
      get: async () => told("a record was not found", (await this.#store.get(name)) === "replaced"),
      take: async () => told("a record was taken by nobody", (await this.#store.take(name)) === "replaced"),
    };
  }
}
