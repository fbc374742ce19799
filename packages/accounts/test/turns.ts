/** Who makes the next call to a storage, where several are at work: decided by a test and not by chance. */

import { setImmediate as idle } from "node:timers/promises";

/** An order of calls: whoever comes first in `order` works alone, until a step of `overtaken` puts them behind all others. */
export interface Order {
  readonly order: readonly number[];
  /** Steps after which the one who made it is overtaken by everybody. */
  readonly overtaken: readonly number[];
}

/**
 * Few changes at any place find what many changes everywhere don't: most defects need one worker to be held up at one call while another one
 * gets far.
 */
export class Turns {
  readonly #ranks: number[];
  readonly #overtaken: ReadonlySet<number>;
  readonly #waiting: { readonly worker: number; readonly go: () => void }[] = [];

  constructor({ order, overtaken }: Order) {
    this.#ranks = [...order];
    this.#overtaken = new Set(overtaken);
  }

  /** Fulfilled when it is that worker's turn. */
  next(worker: number): Promise<void> {
    return new Promise((go) => this.#waiting.push({ worker, go }));
  }

  /** Gives turns until `work` has settled. */
  async until<Answer>(work: Promise<Answer>): Promise<Answer> {
    let settled = false;
    const end = work.finally(() => {
      settled = true;
    });
    // Whoever was given a turn comes as far as the next call before anybody else is given one.
    for (let step = 0; !settled; step += 1) {
      await idle();
      const [first] = this.#waiting.toSorted((left, right) => this.#rank(left.worker) - this.#rank(right.worker));
      if (first === undefined) continue;
      this.#waiting.splice(this.#waiting.indexOf(first), 1);
      first.go();
      if (this.#overtaken.has(step)) this.#putLast(first.worker);
    }
    return end;
  }

  #rank(worker: number): number {
    return this.#ranks.indexOf(worker);
  }

  #putLast(worker: number): void {
    this.#ranks.splice(this.#rank(worker), 1);
    this.#ranks.push(worker);
  }
}
