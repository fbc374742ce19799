/** A bounded memory of when something was last seen; the oldest is forgotten first. */

/** Remembers at most `most` names. Forgetting is always safe: it costs one question to the storage. */
export class RecentlySeen {
  readonly #most: number;
  readonly #at = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  see(name: string, now: number): void {
    this.#at.delete(name);
    this.#at.set(name, now);
    if (this.#at.size <= this.#most) return;
    for (const oldest of this.#at.keys()) {
      this.#at.delete(oldest);
      return;
    }
  }

  seenWithin(name: string, now: number, seconds: number): boolean {
    const at = this.#at.get(name);
    // Without a sign: a clock that is set back must not make what was seen "in the future" count for as long as that lasts.
    return at !== undefined && Math.abs(now - at) < seconds;
  }

  forget(name: string): void {
    this.#at.delete(name);
  }
}
