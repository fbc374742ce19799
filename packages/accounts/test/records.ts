/** Sealed records over one storage for several instances, with a clock of the test's, and a storage that fails where the test says so. */
import { createHash } from "node:crypto";
import { type AtomicTokenStorage, type ListOptions, MemoryTokenStorage, type Runtime } from "@sallyport/oauth-core";
import { Collection, KeyRing, type Keys } from "@sallyport/oauth-core/accounts";

/** How a storage goes wrong at a call: that one alone, before or after it did what it was asked; or that one and all that follow. */
export type Fault = "fails" | "fails after the deed" | "is gone" | "is gone after the deed";

export const FAULTS: readonly Fault[] = ["fails", "fails after the deed", "is gone", "is gone after the deed"];

/** Keys that differ by their word. */
export const keyOf = (word: string): Uint8Array => createHash("sha256").update(word).digest();
export const keysOf = (first: string, ...rest: readonly string[]): Keys => [keyOf(first), ...rest.map(keyOf)];

/** One storage, and what all instances on it share. */
export class Records {
  now = 1_800_000_000;
  readonly memory = new MemoryTokenStorage({ now: () => this.now });
  /** Every call, as its verb and key. */
  readonly calls: string[] = [];
  readonly runtime: Runtime;
  /** Lets calls of several callers overtake each other, by lot. */
  shuffled = false;
  /** Called before every call is performed. */
  before: (call: string) => unknown = () => undefined;
  #serial = 0;
  #fault: { readonly fault: Fault; left: number } | undefined;

  constructor() {
    this.runtime = {
      now: () => this.now,
      randomBytes: (size) => this.#bytes(size),
      pause: () => Promise.resolve(),
      fetch: () => Promise.reject(new Error("nothing here goes out")),
    };
  }

  /** Records of one kind, sealed with the first of the keys; with `list` where the storage can. */
  collection<T>(prefix: string, keys: Keys = keysOf("seal"), options: { readonly list?: boolean } = {}): Collection<T> {
    return new Collection<T>({ storage: this.#storage(options.list ?? true), prefix, ring: new KeyRing(keys) });
  }

  /** Records of one kind where the operator turned encryption off. */
  unsealed<T>(prefix: string): Collection<T> {
    return new Collection<T>({ storage: this.#storage(true), prefix, ring: undefined });
  }

  /** Breaks the storage at the `nth` call from now, counted from 1. */
  breakAt(nth: number, fault: Fault): void {
    this.#fault = { fault, left: nth };
  }

  /** From now on everything works again. Whether anything had gone wrong. */
  recover(): boolean {
    const struck = this.#fault !== undefined && this.#fault.left <= 0;
    this.#fault = undefined;
    return struck;
  }

  /** All that the storage holds, as text: names and values. */
  async dump(): Promise<string> {
    const { keys } = await this.memory.list("", { limit: 100_000 });
    return JSON.stringify(await Promise.all(keys.map(async (key) => [key, await this.memory.get(key)])));
  }

  /** The names of all records. */
  async names(): Promise<readonly string[]> {
    return (await this.memory.list("", { limit: 100_000 })).keys;
  }

  #storage(canList: boolean): AtomicTokenStorage {
    const { memory } = this;
    return {
      get: (key) => this.#call("get", key, () => memory.get(key)),
      save: (key, value, ttl) => this.#call("save", key, () => memory.save(key, value, ttl)),
      delete: (key) => this.#call("delete", key, () => memory.delete(key)),
      claim: (key, value, ttl) => this.#call("claim", key, () => memory.claim(key, value, ttl)),
      replace: (key, was, value, ttl) => this.#call("replace", key, () => memory.replace(key, was, value, ttl)),
      cleanup: () => memory.cleanup(),
      ...(canList && {
        list: (prefix: string, options?: ListOptions) => this.#call("list", prefix, () => memory.list(prefix, options)),
      }),
    };
  }

  async #call<T>(verb: string, key: string, perform: () => Promise<T>): Promise<T> {
    const call = `${verb} ${key}`;
    this.calls.push(call);
    await this.before(call);
    await this.#turns();
    const fault = this.#fault;
    const strikes = fault !== undefined && --fault.left <= 0 && (fault.left === 0 || fault.fault.startsWith("is gone"));
    if (!strikes) {
      const answer = await perform();
      await this.#turns();
      return answer;
    }
    if (fault.left === 0 && fault.fault.endsWith("after the deed")) await perform();
    throw new Error("the storage can not be reached");
  }

  async #turns(): Promise<void> {
    if (!this.shuffled) return;
    for (let left = (this.#bytes(1)[0] ?? 0) % 4; left > 0; left--)
      await new Promise((resolve) => setImmediate(resolve));
  }

  /** Never the same bytes twice, and the same in every run. */
  #bytes(size: number): Uint8Array {
    return createHash("shake256", { outputLength: size })
      .update(String(this.#serial++))
      .digest();
  }
}

/** What a browser sends that was given these. */
export function jar(
  ...cookies: readonly { readonly name: string; readonly value: string }[]
): ReadonlyMap<string, string> {
  return new Map(cookies.map(({ name, value }) => [name, value]));
}

/** Texts that are none of ours, whatever is asked for. */
export const HOSTILE: readonly string[] = [
  "",
  "\0",
  " ",
  "x",
  "null",
  "__proto__",
  "../../etc/passwd",
  "\u202esp_bs_",
  "\ud800",
  "s1.",
  "s1.AAAAAAAA.AAAA",
  "sp_bs_",
  "sp_mt_",
  `sp_mt_${"A".repeat(43)}`,
  `sp_bs_${"A".repeat(22)}.${"A".repeat(43)}`,
  `sp_rt_${"A".repeat(44)}.0.${"A".repeat(43)}`,
  "A".repeat(22),
  "A".repeat(44),
  "A".repeat(55),
  "A".repeat(1024 * 1024),
  `sp_mt_${"A".repeat(1024 * 1024)}`,
  `sp_bs_${"A".repeat(1024 * 1024)}`,
  `s1.AAAAAAAA.${"A".repeat(1024 * 1024)}`,
];
