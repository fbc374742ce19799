/** Writes that wait for their commit: all of one turn of the event loop share one, and nobody is answered before it is on disk. */

import type { DatabaseSync, StatementSync } from "node:sqlite";
import { identityOf } from "./database-file.ts";
import { DiskStoreError, diskStoreError, isBusy } from "./disk-store-error.ts";

/** The most writes of one commit. What is more waits for the next turn, so that a flood does not stop everything else. */
const MOST_WRITES = 1000;

/** Milliseconds between two attempts to get the write lock from another process. It is held for a few of them at most. */
const RETRY_AFTER = 1;

/** Changed rows after which the log is folded into the database as soon as it is quiet. So many take about a millisecond. */
const ROWS_TO_FOLD = 32;

interface QueuedWrite {
  readonly key: string | undefined;
  /** Does the work, inside a transaction; what it answers with tells the caller, after the commit. */
  readonly apply: () => () => void;
  readonly reject: (error: unknown) => void;
  readonly queuedAt: number;
  /** It was in a transaction that another write spoilt: now each has one of its own. */
  alone: boolean;
  /** Readers of the same key. */
  readonly waiting: (() => void)[];
}

/**
 * The one writer of a database connection.
 *
 * - All writes of a turn are one `BEGIN IMMEDIATE … COMMIT`, in the order in which they were asked for. One `fsync` is for all of them.
 * - A write that fails fails for its caller alone: the transaction is undone, and each of its writes gets one of its own.
 * - A commit that fails fails for all of them.
 * - Where another process is writing, it tries again without blocking the event loop, and gives up after `busyTimeoutMs`.
 */
export class WriteQueue {
  readonly #path: string;
  readonly #busyTimeoutMs: number;
  readonly #begin: StatementSync;
  readonly #commit: StatementSync;
  readonly #rollback: StatementSync;
  readonly #totalChanges: StatementSync;
  readonly #checkpoint: StatementSync;
  readonly #identity: string | undefined;
  #queue: QueuedWrite[] = [];
  readonly #lastOf = new Map<string, QueuedWrite>();
  readonly #onIdle: (() => void)[] = [];
  /** Whether a turn is coming; that is as long as anything is queued. */
  #busy = false;
  #changesFolded = 0;
  #gone: DiskStoreError | undefined;

  constructor(database: DatabaseSync, options: { readonly path: string; readonly busyTimeoutMs: number }) {
    this.#path = options.path;
    this.#busyTimeoutMs = options.busyTimeoutMs;
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#rollback = database.prepare("ROLLBACK");
    this.#totalChanges = database.prepare("SELECT total_changes() AS changes");
    this.#checkpoint = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#identity = identityOf(options.path);
  }

  /**
   * Queues a write. `apply` runs inside of a transaction, possibly more than once where the first one was undone.
   *
   * @returns what `apply` answered, once it is on disk.
   */
  write<Result>(key: string | undefined, apply: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      const write: QueuedWrite = {
        key,
        apply: () => {
          const result = apply();
          return () => resolve(result);
        },
        reject,
        queuedAt: performance.now(),
        alone: false,
        waiting: [],
      };
      this.#queue.push(write);
      if (key !== undefined) this.#lastOf.set(key, write);
      if (!this.#busy) this.#nextTurn();
      this.#busy = true;
    });
  }

  /** Where a write of this key is queued: when it is done, well or badly. */
  pending(key: string): Promise<void> | undefined {
    const last = this.#lastOf.get(key);
    return last && new Promise((resolve) => last.waiting.push(resolve));
  }

  /**
   * Set when the file was deleted, or another was put in its place: what this process writes from then on would be gone with it, or spoil
   * the other file, and what it reads is no longer what others see. It stays so until the process starts anew.
   */
  get gone(): DiskStoreError | undefined {
    return this.#gone;
  }

  /** When nothing is queued any more. */
  idle(): Promise<void> {
    return this.#busy ? new Promise((resolve) => this.#onIdle.push(resolve)) : Promise.resolve();
  }

  #nextTurn(): void {
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    try {
      if (this.#gone !== undefined) throw this.#gone;
      this.#begin.run();
    } catch (error) {
      if (isBusy(error)) this.#giveUpOnLate(error);
      else this.#refuse(this.#queue.splice(0), error);
      if (this.#queue.length > 0) setTimeout(() => this.#turn(), RETRY_AFTER);
      else this.#rest();
      return;
    }
    this.#transact(this.#nextBatch());
    if (this.#queue.length > 0) this.#nextTurn();
    else this.#rest();
  }

  #nextBatch(): readonly QueuedWrite[] {
    if (this.#queue[0]?.alone === true) return this.#queue.splice(0, 1);
    return this.#queue.splice(0, MOST_WRITES);
  }

  #transact(batch: readonly QueuedWrite[]): void {
    let answers: readonly (() => void)[] | undefined;
    try {
      answers = batch.map((write) => write.apply());
      this.#commit.run();
      this.#assertInPlace();
    } catch (error) {
      this.#undo();
      const notTheCommit = answers === undefined;
      if (notTheCommit && batch.length > 1) this.#separate(batch);
      else this.#refuse(batch, error);
      return;
    }
    this.#release(batch);
    for (const answer of answers) answer();
  }

  /** Which of a spoilt transaction's writes still stand, SQLite tells only sometimes: a full disk ends all of it, a large value does not. */
  #separate(batch: readonly QueuedWrite[]): void {
    for (const write of batch) write.alone = true;
    this.#queue = [...batch, ...this.#queue];
  }

  #assertInPlace(): void {
    if (identityOf(this.#path) !== this.#identity) this.#gone = new DiskStoreError("gone", this.#path);
    if (this.#gone !== undefined) throw this.#gone;
  }

  #undo(): void {
    try {
      this.#rollback.run();
    } catch {
      // There is nothing to undo: SQLite ends a transaction by itself when the disk fails or is full. Were it still open, BEGIN would say so.
    }
  }

  #giveUpOnLate(error: unknown): void {
    const latest = performance.now() - this.#busyTimeoutMs;
    const late = this.#queue.filter((write) => write.queuedAt <= latest);
    this.#queue = this.#queue.filter((write) => write.queuedAt > latest);
    this.#refuse(late, error);
  }

  #refuse(batch: readonly QueuedWrite[], cause: unknown): void {
    const error = diskStoreError(cause, this.#path);
    this.#release(batch);
    for (const write of batch) write.reject(error);
  }

  /** Lets the readers of these keys go on. They come before the writers, whose next writes they need not wait for. */
  #release(batch: readonly QueuedWrite[]): void {
    for (const write of batch) {
      if (write.key !== undefined && this.#lastOf.get(write.key) === write) this.#lastOf.delete(write.key);
      for (const goOn of write.waiting) goOn();
    }
  }

  #rest(): void {
    this.#busy = false;
    for (const goOn of this.#onIdle.splice(0)) goOn();
    setImmediate(() => this.#fold()).unref();
  }

  /**
   * Folds the log into the database in a turn of its own, when nobody is waiting. SQLite would do it in the middle of a commit, less often
   * and for much longer.
   */
  #fold(): void {
    if (this.#busy || this.#gone !== undefined) return;
    const before = this.#changesFolded;
    try {
      const changes = Number(this.#totalChanges.get()?.["changes"]);
      if (changes - before < ROWS_TO_FOLD) return;
      this.#changesFolded = changes;
      this.#checkpoint.get();
    } catch {
      // Nothing is lost: what is in the log is as durable there. It is tried again after the next write, and closing the store folds too.
      this.#changesFolded = before;
    }
  }
}
