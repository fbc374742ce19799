/** Notices keys that were exchanged and not rotated: a mistyped key refuses what is good, which nobody can tell from a forgery by looking at it. */
import { OAuthProxyError } from "../protocol/errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection } from "../state/collection.ts";
import type { Observe } from "./events.ts";
import { type KeyPurpose, type Keys, keyId } from "./keys.ts";

/** The public names of the keys that sign, by their purpose, as some process last had them. */
export interface KeyMarks {
  readonly marks: Readonly<Record<string, string>>;
  readonly at: number;
}

export interface KeyWatchOptions {
  readonly collection: Collection<KeyMarks>;
  /** The keys that are in use. */
  readonly keys: Readonly<Record<KeyPurpose, Keys | undefined>>;
  readonly runtime: Runtime;
  readonly observe: Observe;
  /** Seconds for which the longest-lived thing lives that a key protects. */
  readonly lifetime: number;
}

const RECORD = "current";
const DAY = 86_400;
/** Seconds after which it is tried again where the storage failed. */
const TRY_AGAIN_AFTER = 60;

/**
 * Compares the keys with those of before, once a day and at the first request. One that is gone without being in the list of its successor is told once. A record that can't be read is
 * told of as every other is, and stays.
 */
export class KeyWatch {
  readonly #options: KeyWatchOptions;
  #nextLookAt = 0;

  constructor(options: KeyWatchOptions) {
    this.#options = options;
  }

  /** Beside a request and never in its way: whatever comes of it is told to the operator. */
  look(): void {
    const { runtime, observe } = this.#options;
    const now = runtime.now();
    if (now < this.#nextLookAt) return;
    this.#nextLookAt = now + DAY;
    this.#compare(now).catch((cause: unknown) => {
      this.#nextLookAt = now + TRY_AGAIN_AFTER;
      // A storage that can't be reached is told of by the requests that need it.
      if (!(cause instanceof OAuthProxyError)) observe({ type: "error", endpoint: "key watch", cause });
    });
  }

  async #compare(now: number): Promise<void> {
    const { collection, keys, observe, lifetime } = this.#options;
    const purposes = Object.entries(keys).flatMap(([purpose, list]) =>
      list === undefined ? [] : [[purpose, list] as const],
    );
    const marks = Object.fromEntries(purposes.map(([purpose, [first]]) => [purpose, keyId(first)]));
    const entry = await collection.get(RECORD);
    if (entry === undefined) {
      // Where one is that can't be read, `get` has told of it, and this changes nothing.
      await collection.claim(RECORD, { marks, at: now }, lifetime + DAY);
      return;
    }
    const before = entry.value;
    const replaced = purposes
      .filter(([purpose, list]) => {
        const mark = before.marks[purpose];
        return mark !== undefined && !list.some((key) => keyId(key) === mark);
      })
      .map(([purpose]) => purpose);
    const isSame = purposes.every(([purpose]) => before.marks[purpose] === marks[purpose]);
    if (isSame && now - before.at < DAY) return;
    // Whoever changes the record tells: of any number of replicas that start with the wrong key, one does.
    const changed = await collection.replace(
      RECORD,
      entry,
      { marks: { ...before.marks, ...marks }, at: now },
      lifetime + DAY,
    );
    if (changed && replaced.length > 0) observe({ type: "keys.replaced", purposes: replaced });
  }
}
