/** Listeners on a user's client, all of which can be taken away again. */

/** The part of an event emitter that is used here. */
export interface Emitter {
  on(event: string, listener: (...details: unknown[]) => void): unknown;
  off(event: string, listener: (...details: unknown[]) => void): unknown;
}

/** The listeners of one store. */
export class EventListeners {
  readonly #removals: (() => void)[] = [];

  add(emitter: Emitter, event: string, listener: (...details: unknown[]) => void): void {
    emitter.on(event, listener);
    this.#removals.push(() => emitter.off(event, listener));
  }

  removeAll(): void {
    for (const remove of this.#removals.splice(0)) remove();
  }
}
