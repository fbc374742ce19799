/** What was done and what went wrong, counted. */

/** Counts, and what may not happen. */
export class Figures {
  readonly #counts = new Map<string, number>();
  readonly #failures = new Map<string, string[]>();

  /** Counts something that may happen. */
  add(what: string, times = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + times);
  }

  /** Counts something that may never happen. @param detail who or what; nothing secret */
  fail(what: string, detail: string): void {
    this.#failures.set(what, [...(this.#failures.get(what) ?? []), detail]);
  }

  count(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** What may never happen and did, with whom. */
  get failures(): readonly { readonly what: string; readonly details: readonly string[] }[] {
    return [...this.#failures].map(([what, details]) => ({ what, details }));
  }

  /** One line each, for a terminal. */
  lines(): readonly string[] {
    const counted = [...this.#counts].map(([what, times]) => `${String(times).padStart(8)}  ${what}`);
    const failed = this.failures.map(
      ({ what, details }) =>
        `${String(details.length).padStart(8)}  ${what.toUpperCase()} (${details.slice(0, 3).join("; ")})`,
    );
    return [...counted, ...failed];
  }
}
