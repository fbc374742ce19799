/** `TokenStorage` in one SQLite database: durable, and safe for several processes on one machine. */

import { join, resolve } from "node:path";
import { setImmediate as nextTurn, setTimeout as pause } from "node:timers/promises";
import {
  type AtomicTokenStorage,
  assertTtl,
  jsonText,
  type KeyPage,
  type ListOptions,
} from "@sallyport/oauth-core/storage";
import { openDatabase } from "./database-file.ts";
import { DiskStoreError, diskStoreError, isBusy } from "./disk-store-error.ts";
import { keyOf, keyText, keyTextAfter } from "./key-text.ts";
import { expiryOf } from "./lifetime.ts";
import { Records } from "./records.ts";
import { WriteQueue } from "./write-queue.ts";

const DEFAULT_CLEANUP_INTERVAL_MS = 60_000;
const DEFAULT_BUSY_TIMEOUT_MS = 5000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const DEFAULT_FILE_EXTENSION = ".sqlite";
const LARGEST_PAGE = 1000;
/** Milliseconds of removing in one commit. Committing them, and folding them into the database, take longer: a millisecond or so each. */
const CLEANUP_STEP_MS = 0.25;
const RETRY_READ_AFTER_MS = 1;

/** Where the database is, and how it is kept. */
export interface DiskStoreOptions {
  /** The directory of the database. It is made where it is missing, with mode 0700; one that other users may write to is refused. */
  readonly directory: string;
  /** Milliseconds between two clean-ups. Default 60,000. No record depends on them: what has expired is absent at once. */
  readonly cleanupIntervalMs?: number | undefined;
  /** How the name of the database file ends, after `sallyport`: a dot and letters, digits, `.`, `_` or `-`. Default `.sqlite`. */
  readonly fileExtension?: string | undefined;
  /** Milliseconds for which a call waits while other processes hold the database, before it rejects. Default 5000. */
  readonly busyTimeoutMs?: number | undefined;
  /** The time in seconds since 1970; fractions count. It has to agree between all processes of a directory. Default: the system's clock. */
  readonly now?: (() => number) | undefined;
}

/**
 * Remembers everything in one SQLite database, through `node:sqlite`. For servers on one machine, in one process or in several.
 *
 * - **What was answered is on disk.** A write resolves after its `fsync`; a process that is killed, or a machine that loses its power,
 *   loses nothing that it had confirmed. Writes of one turn of the event loop share one commit.
 * - **Several processes may open one directory.** `claim`, `replace` and `take` are decided by the database. Where another process is
 *   writing, calls wait without blocking the event loop.
 * - **A `get` sees what was resolved**, by whichever process, and what this instance was asked to write under the key before it, even where
 *   that is not resolved yet. `list` and `size` see what is resolved.
 * - Nothing that the store does keeps the process alive, except calls that are not settled yet.
 *
 * Rejects with a {@link DiskStoreError} where the disk or the database fails, and with `RangeError` or `TypeError` for a `ttl` or a value
 * that no storage takes.
 *
 * @see {@link https://www.sqlite.org/wal.html Write-ahead logging}
 */
export class DiskStore implements AtomicTokenStorage {
  readonly #path: string;
  readonly #database: ReturnType<typeof openDatabase>;
  readonly #records: Records;
  readonly #writes: WriteQueue;
  readonly #busyTimeoutMs: number;
  readonly #now: () => number;
  readonly #timer: NodeJS.Timeout;
  #cleaning = false;
  #closing: Promise<void> | undefined;

  /**
   * Opens the database, or makes it.
   *
   * @throws {DiskStoreError} that names the path, where there can be no database or it is not one of ours.
   * @throws {TypeError | RangeError} that names the option, where it can't work.
   */
  constructor(options: DiskStoreOptions) {
    const { directory, fileExtension = DEFAULT_FILE_EXTENSION } = options;
    if (typeof directory !== "string" || directory === "" || directory.includes("\0")) {
      throw new TypeError("directory: has to be the path of a directory.");
    }
    if (!/^\.[A-Za-z0-9][A-Za-z0-9._-]*$/.test(fileExtension)) {
      throw new TypeError("fileExtension: has to be a dot, followed by letters, digits, dots, underscores or hyphens.");
    }
    const interval = options.cleanupIntervalMs ?? DEFAULT_CLEANUP_INTERVAL_MS;
    assertMilliseconds("cleanupIntervalMs", interval);
    this.#busyTimeoutMs = options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS;
    assertMilliseconds("busyTimeoutMs", this.#busyTimeoutMs);
    this.#now = options.now ?? (() => Date.now() / 1000);

    this.#path = join(resolve(directory), `sallyport${fileExtension}`);
    this.#database = openDatabase(this.#path);
    try {
      this.#records = new Records(this.#database);
      this.#writes = new WriteQueue(this.#database, { path: this.#path, busyTimeoutMs: this.#busyTimeoutMs });
    } catch (error) {
      this.#database.close();
      throw diskStoreError(error, this.#path);
    }
    this.#timer = setInterval(() => this.#cleanUpAside(), interval).unref();
  }

  async get(key: string): Promise<unknown> {
    this.#assertOpen();
    const stored = keyText(key);
    const pending = this.#writes.pending(stored);
    if (pending !== undefined) await pending;
    return this.#read((now) => this.#valueOf(this.#records.get(stored, now)));
  }

  async save(key: string, value: unknown, ttl?: number): Promise<void> {
    const text = jsonText(value);
    assertTtl(ttl);
    await this.#write(key, (stored, now) => this.#records.save(stored, text, expiryOf(ttl, now)));
  }

  async delete(key: string): Promise<void> {
    await this.#write(key, (stored) => this.#records.delete(stored));
  }

  async take(key: string): Promise<unknown> {
    return this.#write(key, (stored, now) => this.#valueOf(this.#records.take(stored, now)));
  }

  async claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const text = jsonText(value);
    assertTtl(ttl);
    return this.#write(key, (stored, now) => this.#records.claim(stored, text, expiryOf(ttl, now), now));
  }

  async replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    const [expectedText, text] = [jsonText(expected), jsonText(value)];
    assertTtl(ttl);
    return this.#write(key, (stored, now) =>
      this.#records.replace(stored, expectedText, text, expiryOf(ttl, now), now),
    );
  }

  /** Removes what has expired, a little at a time: between two steps the event loop turns. */
  async cleanup(): Promise<void> {
    this.#assertOpen();
    await this.#removeExpired(nextTurn);
  }

  /** Pages in the order of the keys' UTF-8, of at most 1000 keys. One that holds none, because all had expired, may still name a cursor. */
  async list(prefix: string, options: ListOptions = {}): Promise<KeyPage> {
    this.#assertOpen();
    const { cursor, limit = LARGEST_PAGE } = options;
    const size = limit >= 1 ? Math.min(Math.trunc(limit), LARGEST_PAGE) : 1;
    const first = keyText(prefix);
    const after = cursor === undefined ? null : keyText(cursor);
    const from = after !== null && after > first ? after : first;

    return this.#read((now) => {
      const rows = this.#records.list(from, keyTextAfter(first), after, size + 1);
      const page = rows.slice(0, size);
      const keys = page.filter(({ expiresAt }) => expiresAt === null || now < expiresAt).map(({ key }) => keyOf(key));
      const last = page.at(-1);
      return rows.length > size && last !== undefined ? { keys, cursor: keyOf(last.key) } : { keys };
    });
  }

  /** How many records live. Reads an index from end to end: some milliseconds for a million of them. */
  async size(): Promise<number> {
    this.#assertOpen();
    return this.#read((now) => this.#records.count(now));
  }

  /** Finishes what was asked for, and lets go of the files. A second call does nothing; every other call rejects from now on. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The same as {@link DiskStore.close}. */
  destroy(): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writes.idle();
    // Readers that waited for a write go on before this does.
    this.#database.close();
  }

  async #write<Result>(key: string, apply: (stored: string, now: number) => Result): Promise<Result> {
    this.#assertOpen();
    const stored = keyText(key);
    return this.#writes.write(stored, () => apply(stored, this.#now()));
  }

  /** A reader waits for nobody, except in the moment in which another process opens, closes or repairs the log. */
  async #read<Result>(look: (now: number) => Result): Promise<Result> {
    let latest: number | undefined;
    for (;;) {
      try {
        if (this.#writes.gone !== undefined) throw this.#writes.gone;
        return look(this.#now());
      } catch (error) {
        latest ??= performance.now() + this.#busyTimeoutMs;
        if (!isBusy(error) || performance.now() >= latest) throw diskStoreError(error, this.#path);
      }
      await pause(RETRY_READ_AFTER_MS);
    }
  }

  #valueOf(text: string | undefined): unknown {
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text);
    } catch (error) {
      // SQLite checks the structure of its file and not every byte in it.
      throw new DiskStoreError("damaged", this.#path, { cause: error });
    }
  }

  async #removeExpired(between: () => Promise<void>): Promise<void> {
    // Asking first means that a clean-up which finds nothing takes no lock and writes nothing.
    let more = await this.#read((now) => this.#records.anyExpired(now));
    while (more) {
      this.#assertOpen();
      more = await this.#writes.write(undefined, () => this.#removeSome());
      if (more) await between();
    }
  }

  /** Removes for a limited time, and says whether there is more. Records differ in size too much for a limited number. */
  #removeSome(): boolean {
    const enough = performance.now() + CLEANUP_STEP_MS;
    const now = this.#now();
    while (this.#records.removeExpired(now)) if (performance.now() >= enough) return true;
    return false;
  }

  /** The clean-up that the timer starts: nobody waits for it, so it keeps no process alive and tells nobody how it went. */
  #cleanUpAside(): void {
    if (this.#cleaning) return;
    this.#cleaning = true;
    const done = () => {
      this.#cleaning = false;
    };
    // What failed will be tried again. Where the database is at fault, every other call says so as well.
    this.#removeExpired(nextTurnIfAlive).then(done, done);
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new DiskStoreError("closed", this.#path);
  }
}

function assertMilliseconds(option: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1 && value <= LONGEST_TIMER_MS)) {
    throw new RangeError(`${option}: has to be a whole number of milliseconds from 1 to ${LONGEST_TIMER_MS}.`);
  }
}

/** The next turn of the event loop, unless the process ends before it because nothing else is left to do. */
function nextTurnIfAlive(): Promise<void> {
  return new Promise((goOn) => {
    setImmediate(goOn).unref();
  });
}
