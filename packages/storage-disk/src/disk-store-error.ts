/** What can be wrong with the database, its file or its directory: one error that names the path, and the reason in one word. */

const PROBLEMS = {
  not_a_directory: "This is not a directory, so the database has no place.",
  directory_too_open:
    "Other users can write to this directory. Take that from them (chmod go-w), or name a directory of the store's own.",
  file_too_open: "Other users can read or write this file. Take that from them (chmod go-rwx).",
  no_access: "This process may not read and write here.",
  damaged: "This is no database, or a damaged one. Restore a backup, or move it away to begin anew.",
  foreign: "This is the database of another program.",
  newer: "This database was written by a newer version of this package. Nothing in it was changed.",
  gone: "The database was removed or replaced while it was open. Restart the process.",
  full: "The disk is full.",
  busy: "Other processes have held the database for too long.",
  closed: "The store has been closed.",
  failed: "The database or the disk failed; the cause says how.",
} as const;

/** Our own, stable word for what is wrong; for logs and tests. */
export type DiskStoreFailure = keyof typeof PROBLEMS;

/**
 * The store can't do its work. The message names the path and what to do about it, and nothing that was stored.
 *
 * A write that was rejected with it may be in the database all the same where the disk failed while it was being confirmed (`full`,
 * `failed`, `gone`); otherwise it is not.
 */
export class DiskStoreError extends Error {
  override readonly name = "DiskStoreError";
  readonly reason: DiskStoreFailure;
  /** The file or directory in question. */
  readonly path: string;

  /** @param options `cause`: what the operating system or SQLite said */
  constructor(reason: DiskStoreFailure, path: string, options?: ErrorOptions) {
    super(`${path}: ${PROBLEMS[reason]}`, options);
    this.reason = reason;
    this.path = path;
  }
}

/** Primary result codes of SQLite, see https://www.sqlite.org/rescode.html. */
const SQLITE_REASONS: Readonly<Record<number, DiskStoreFailure>> = {
  3: "no_access", // SQLITE_PERM
  5: "busy", // SQLITE_BUSY
  6: "busy", // SQLITE_LOCKED
  8: "no_access", // SQLITE_READONLY
  11: "damaged", // SQLITE_CORRUPT
  13: "full", // SQLITE_FULL
  26: "damaged", // SQLITE_NOTADB
};

/** Where the index of the write-ahead log could not grow, which is what a full disk says there. */
const SQLITE_IOERR_SHMSIZE = 4874;

const SYSTEM_REASONS: Readonly<Record<string, DiskStoreFailure>> = {
  EACCES: "no_access",
  EPERM: "no_access",
  EROFS: "no_access",
  ENOTDIR: "not_a_directory",
  EEXIST: "not_a_directory",
  ENOSPC: "full",
  EDQUOT: "full",
  ERR_INVALID_STATE: "closed", // what node:sqlite says of a closed database
};

/** Whether another process holds what this one wants, so that it is worth trying again. */
export function isBusy(error: unknown): boolean {
  return reasonOf(error) === "busy";
}

/** An error of SQLite or the operating system as one of ours. Whatever else it is, it comes back as it was. */
export function diskStoreError(error: unknown, path: string): unknown {
  const reason = reasonOf(error);
  return reason === undefined ? error : new DiskStoreError(reason, path, { cause: error });
}

function reasonOf(error: unknown): DiskStoreFailure | undefined {
  if (!(error instanceof Error) || error instanceof DiskStoreError || !("code" in error)) return undefined;
  if (error.code === "ERR_SQLITE_ERROR" && "errcode" in error && typeof error.errcode === "number") {
    if (error.errcode === SQLITE_IOERR_SHMSIZE) return "full";
    // The upper bits of an extended code are details.
    return SQLITE_REASONS[error.errcode & 0xff] ?? "failed";
  }
  return typeof error.code === "string" ? (SYSTEM_REASONS[error.code] ?? "failed") : undefined;
}
