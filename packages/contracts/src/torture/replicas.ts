/** The processes that share one issuer: requests go to any of them, and on to another where one has just been killed. */

import type { Figures } from "./figures.ts";
import type { Random } from "./random.ts";

/** Sends requests that are meant for the issuer to the processes that serve it. */
export class Replicas {
  readonly #origins: readonly string[];
  readonly #issuer: string;
  readonly #random: Random;
  readonly #figures: Figures;
  /** Passes a moment, before the same is asked again. */
  readonly pause: () => Promise<void>;

  /** @param world `origins`: where the processes listen; `pause`: passes a moment, when none of them could be reached */
  constructor(world: {
    origins: readonly string[];
    issuer: string;
    random: Random;
    figures: Figures;
    pause: () => Promise<void>;
  }) {
    this.#origins = world.origins;
    this.#issuer = world.issuer;
    this.#random = world.random;
    this.#figures = world.figures;
    this.pause = world.pause;
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
  async insist(url: string, init: RequestInit = {}): Promise<Answered> {
    const answered = await this.insistUnless(() => false, url, init);
    if (answered === undefined) throw new Error("given up");
    return answered;
  }

  /** Does the same until nobody needs the answer any more; `undefined` then. */
  async insistUnless(isMoot: () => boolean, url: string, init: RequestInit = {}): Promise<Answered | undefined> {
    let last: unknown;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      if (isMoot()) return undefined;
      try {
        const answered = await this.once(url, init);
        if (answered.status !== 503) return answered;
        this.#figures.add(PUT_OFF);
        // RFC 6749 §5.2: most clients throw their tokens away on any other word.
        if (isJson(answered) && !answered.text.includes('"temporarily_unavailable"'))
          this.#figures.fail("outages told in other words", new URL(url).pathname);
        last = answered.text;
      } catch (error) {
        last = error;
      }
      await this.pause();
    }
    throw new Error(`no answer after ${ATTEMPTS} attempts`, { cause: last });
  }
}

function isJson({ headers }: Answered): boolean {
  return headers.get("content-type")?.startsWith("application/json") === true;
}

/** Answers of "try again later": what a server says while its storage is away. */
export const PUT_OFF = "answers of temporarily_unavailable";
const ATTEMPTS = 400;

/** An answer, read to its end. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}
