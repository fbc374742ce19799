/** A storage as it is on a bad day: late, out of order, failing, failing after the deed, or silent for ever. */
import type { AtomicTokenStorage } from "../src/state/token-storage.ts";
import { Gate } from "./gate.ts";

/** One call, as it is about to be made. */
export interface StorageCall {
  readonly verb: "get" | "save" | "delete" | "claim" | "replace";
  /** The kind of record: the first part of the key. */
  readonly kind: string;
}

/** What is done with a call instead of just performing it. */
export type Treatment = <T>(call: StorageCall, perform: () => Promise<T>) => Promise<T>;

/** How a call goes wrong. */
export type Fault = "fails" | "fails after the deed" | "never returns" | "never returns after the deed";

export const FAULTS: readonly Fault[] = [
  "fails",
  "fails after the deed",
  "never returns",
  "never returns after the deed",
];

const asItIs: Treatment = (_, perform) => perform();

/** Passes every call on, by way of a treatment. */
export class UnreliableStorage implements AtomicTokenStorage {
  readonly #inner: AtomicTokenStorage;
  /** What is done with every call. */
  treatment: Treatment = asItIs;

  constructor(inner: AtomicTokenStorage) {
    this.#inner = inner;
  }

  /** From now on everything works again. */
  recover(): void {
    this.treatment = asItIs;
  }

  get(key: string): Promise<unknown> {
    return this.#treat("get", key, () => this.#inner.get(key));
  }

  save(key: string, value: unknown, ttl?: number): Promise<void> {
    return this.#treat("save", key, () => this.#inner.save(key, value, ttl));
  }

  delete(key: string): Promise<void> {
    return this.#treat("delete", key, () => this.#inner.delete(key));
  }

  claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    return this.#treat("claim", key, () => this.#inner.claim(key, value, ttl));
  }

  replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    return this.#treat("replace", key, () => this.#inner.replace(key, expected, value, ttl));
  }

  cleanup(): Promise<void> {
    return this.#inner.cleanup();
  }

  #treat<T>(verb: StorageCall["verb"], key: string, perform: () => Promise<T>): Promise<T> {
    // Beside the requests, once a day, and a part of none of them.
    if (key.startsWith("key-marks:")) return perform();
    return this.treatment({ verb, kind: key.slice(0, key.indexOf(":")) }, perform);
  }
}

/** Lets each call and each answer travel for up to `most` milliseconds. */
export function late(random: () => number, most: number): Treatment {
  const travel = () => new Promise((resolve) => setTimeout(resolve, random() * most));
  return async (_, perform) => {
    await travel();
    const answer = await perform();
    await travel();
    return answer;
  };
}

/** Lets calls and answers overtake each other in every way: one of all that wait goes on per turn of the event loop, by lot. */
export function shuffled(random: () => number): Treatment {
  const waiting: (() => void)[] = [];
  const next = () => {
    const [go] = waiting.splice(Math.floor(random() * waiting.length), 1);
    go?.();
    if (waiting.length > 0) setImmediate(next);
  };
  const turn = () =>
    new Promise<void>((resolve) => {
      if (waiting.push(resolve) === 1) setImmediate(next);
    });
  return async (_, perform) => {
    await turn();
    const answer = await perform();
    await turn();
    return answer;
  };
}

/** Lets one call go wrong: the `nth` from now, counted from 1, of those that `picks` picks. */
export class Accident {
  /** The call that went wrong, once it has. */
  struck: StorageCall | undefined;
  readonly treatment: Treatment;
  readonly #gate = new Gate();

  constructor(fault: Fault, nth: number, picks: (call: StorageCall) => boolean = () => true) {
    let calls = 0;
    this.treatment = async (call, perform) => {
      if (!picks(call) || ++calls !== nth) return perform();
      if (fault.endsWith("after the deed")) await perform();
      this.struck = call;
      this.#gate.open();
      if (fault.startsWith("never returns")) return new Promise(() => undefined);
      throw new Error("the storage can not be reached");
    };
  }

  /** Resolves when it has happened. */
  get happened(): Promise<void> {
    return this.#gate.opened;
  }
}

/** Does the first call that is picked, and is gone before it answers: from then on nobody is answered. */
export function goneAfter(picks: (call: StorageCall) => boolean): Treatment {
  let gone = false;
  return async (call, perform) => {
    if (!gone) {
      const answer = await perform();
      if (!picks(call)) return answer;
      gone = true;
    }
    throw new Error("the storage can not be reached");
  };
}
