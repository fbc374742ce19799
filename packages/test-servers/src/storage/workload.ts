/** Work of which every answer is known beforehand, so that a false one is noticed, whatever becomes of the connections. */

import { randomUUID } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect } from "vitest";
import { until } from "../until.ts";
import type { WholeStorage } from "./whole-storage.ts";

const LANES = 16;
const LONG = 3600;
/** Confirmed rounds between two faults, and after the last one. */
const BETWEEN = 5;
const AFTER = 100;

/** Works through `store` while the faults happen, each after more was confirmed. Holds that work goes on, that calls were lost, and that no answer is a lie. */
export async function noAnswerIsALie(store: WholeStorage, faults: readonly (() => Promise<unknown>)[]): Promise<void> {
  const workload = new Workload(store);
  const goesOn = async (rounds: number): Promise<void> => {
    const before = workload.confirmed;
    await until("work goes on", () => workload.confirmed > before + rounds);
  };
  try {
    for (const fault of faults) {
      await goesOn(BETWEEN);
      await fault();
    }
    await goesOn(AFTER);
  } finally {
    await workload.stop();
  }
  expect(workload.lies).toEqual([]);
  expect(workload.rejected).toBeGreaterThan(0);
  // Whatever became of the last replace and take: nothing else was ever under these keys.
  for (const key of workload.claimed) expect(["claimed", "replaced", undefined]).toContain(await store.get(key));
}

/**
 * Claims keys that nobody else knows, replaces what only this lane wrote, and takes what only it has put there, in many lanes at once.
 * So a claim or replace that is answered `false`, and a read or take that finds nothing, is a lie. After a call that rejected, its key
 * is left alone: what was asked may happen yet.
 */
class Workload {
  /** Keys whose claim was confirmed, and that were not taken since. */
  readonly claimed = new Set<string>();
  /** Answers that can't be true, in words. */
  readonly lies: string[] = [];
  /** Rounds in which a call rejected: what became of that is unknown, and that is what it said. */
  rejected = 0;
  /** Rounds of which every call was answered. */
  confirmed = 0;
  readonly #store: WholeStorage;
  #stopped = false;
  readonly #done: Promise<unknown>;

  constructor(store: WholeStorage) {
    this.#store = store;
    this.#done = Promise.all(Array.from({ length: LANES }, () => this.#lane()));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #lane(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#round(randomUUID());
        this.confirmed += 1;
      } catch {
        this.rejected += 1;
        // What rejects without having asked anybody must not keep everybody else from running.
        await nextTurn();
      }
    }
  }

  async #round(key: string): Promise<void> {
    this.#told("a claim was lost to nobody", await this.#store.claim(key, "claimed", LONG));
    this.claimed.add(key);
    this.#told("a replace was lost to nobody", await this.#store.replace(key, "claimed", "replaced", LONG));
    this.#told("a record was not found", (await this.#store.get(key)) === "replaced");
    this.#told("a record was taken by nobody", (await this.#store.take(key)) === "replaced");
    this.claimed.delete(key);
  }

  #told(lie: string, honest: boolean): void {
    if (!honest) this.lies.push(lie);
  }
}
