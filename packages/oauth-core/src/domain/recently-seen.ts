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
    return at !== undefined && now - at < seconds;
  }

  forget(name: string): void {
    this.#at.delete(name);
  }
}
