/** The storage port: the few verbs behind which everything is remembered, and what each of them promises. */

/** Which keys to list, page by page. */
export interface ListOptions {
  /** The `cursor` of the page before; absent for the first page. */
  readonly cursor?: string | undefined;
  /** How many keys a page aims at. A page may have fewer, or none, and still name a cursor. Default: the storage's own. */
  readonly limit?: number | undefined;
}

/** One page of keys. */
export interface KeyPage {
  readonly keys: readonly string[];
  /** Where the next page begins; absent on the last page. */
  readonly cursor?: string | undefined;
}

/**
 * Where clients, codes and grants are remembered. `get`, `save`, `delete` and `cleanup` are all that a storage needs; with `claim`
 * and `replace` as well it may be shared by any number of processes.
 *
 * What every verb promises:
 *
 * - **Keys are opaque.** Any two different strings name two different records, whatever characters they are made of (well-formed
 *   Unicode without U+0000, up to 2 KiB).
 * - **Values are what JSON can carry**, `null` and `undefined` excepted: those say that nothing is there. A value read is never the
 *   object that was saved, so that nobody changes a record by changing an object.
 * - **A record lives for `ttl` whole seconds** and never less; it is gone at most one second later. Without `ttl` it doesn't expire.
 * - **An unreachable backend rejects.** It never answers that a record is absent: a revoked grant would live, a spent code would
 *   be paid again, and a user would be logged out because a network was.
 *
 * `contracts` proves each of these sentences on any implementation.
 */
export interface TokenStorage {
  /** The live value under `key`; `undefined` or `null` where there is none. */
  get(key: string): Promise<unknown>;

  /** Stores `value` under `key`, whatever was there. The lifetime of what was there is forgotten too. */
  save(key: string, value: unknown, ttl?: number): Promise<void>;

  /** Removes what is under `key`. That nothing was there is no error. */
  delete(key: string): Promise<void>;

  /** Removes what has expired and nothing else. Correctness never waits for it: what has expired is absent to every verb at once. */
  cleanup(): Promise<void>;

  /**
   * Reads and removes in one step: of any number of simultaneous callers, over any number of processes, **exactly one receives the
   * value** and all others find nothing. There is no portable fallback from `get` and `delete`.
   */
  take?(key: string): Promise<unknown>;

  /**
   * Stores only where nothing live is, and says whether it did: of any number of simultaneous callers, over any number of
   * processes, **exactly one is told `true`**, and the value at rest is that caller's. Whoever is told `false` has changed nothing,
   * neither value nor lifetime.
   *
   * There is no portable fallback from `get` and `save`: between the two, everybody else has looked as well.
   */
  claim?(key: string, value: unknown, ttl?: number): Promise<boolean>;

  /**
   * Stores only where the live value still is `expected`, and says whether it did: of any number of simultaneous callers that
   * expect the same value, over any number of processes, **exactly one is told `true`** (none where it is no longer there).
   * Whoever is told `false` has changed nothing. What is absent or expired equals nothing.
   *
   * Values are compared as JSON: the order of members does not matter, a number is not its string.
   */
  replace?(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean>;

  /**
   * The keys that begin with exactly `prefix`, page by page. A key that is live during the whole walk appears once; one that comes or
   * goes meanwhile may or may not appear. For operators and audits: no request waits for it.
   */
  list?(prefix: string, options?: ListOptions): Promise<KeyPage>;

  /** Lets go of connections and files. A second call does nothing. */
  close?(): Promise<void>;
}

/** A storage whose `claim` and `replace` decide races, so that several processes may share it. */
export type AtomicTokenStorage = TokenStorage & Required<Pick<TokenStorage, "claim" | "replace">>;

/** Whether a storage decides races itself. It is asked for its verbs, not for its name or class. */
export function isAtomic(storage: TokenStorage): storage is AtomicTokenStorage {
  return typeof storage.claim === "function" && typeof storage.replace === "function";
}

/**
 * Holds a lifetime against the port's rule: whole seconds, at least one, or absent.
 *
 * Zero is refused and not guessed at, because half of all backends read it as "forever" and the other half as "already gone".
 *
 * @throws {RangeError} for anything else.
 */
export function assertTtl(ttl: number | undefined): void {
  if (ttl !== undefined && !(Number.isSafeInteger(ttl) && ttl >= 1)) {
    throw new RangeError("A ttl is a whole number of seconds, at least 1.");
  }
}
