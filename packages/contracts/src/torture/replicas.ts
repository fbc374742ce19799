/** The processes that share one issuer: requests go to any of them, and on to another where one has just been killed. */

import type { Random } from "./random.ts";

/** Sends requests that are meant for the issuer to the processes that serve it. */
export class Replicas {
  readonly #origins: readonly string[];
  readonly #issuer: string;
  readonly #random: Random;
  readonly #pause: () => Promise<void>;

  /** @param origins where the processes listen; @param pause passes a moment, when none of them could be reached */
  constructor(origins: readonly string[], issuer: string, random: Random, pause: () => Promise<void>) {
    this.#origins = origins;
    this.#issuer = issuer;
    this.#random = random;
    this.#pause = pause;
  }

  /** One attempt at one process. @throws {TypeError} where it can't be reached, or goes away before its answer is complete */
  async once(url: string, init: RequestInit = {}): Promise<Answered> {
    const target = url.startsWith(this.#issuer)
      ? this.#random.one(this.#origins) + url.slice(this.#issuer.length)
      : url;
    const response = await fetch(target, { ...init, redirect: "manual" });
    return { status: response.status, headers: response.headers, text: await response.text() };
  }

  /**
   * Asks until somebody answers for good: not a dropped connection, and not "try again". That is what a well-behaved client does
   * when a response is lost.
   */
  async insist(url: string, init: RequestInit = {}, attempts = 400): Promise<Answered> {
    let last: unknown;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      try {
        const answered = await this.once(url, init);
        if (answered.status !== 503) return answered;
        last = answered.text;
      } catch (error) {
        last = error;
      }
      await this.#pause();
    }
    throw new Error(`no answer after ${attempts} attempts`, { cause: last });
  }
}

/** An answer, read to its end. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}
