/** The database as a file: made whole or not at all, for nobody else to read, and recognised before it is used. */

import { randomUUID } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { DiskStoreError, diskStoreError } from "./disk-store-error.ts";
import { APPLICATION_ID, SCHEMA, SCHEMA_VERSION } from "./records.ts";

/** Milliseconds for which a start blocks while another process starts or ends. Later nothing blocks: whoever meets a lock comes again. */
const BUSY_TIMEOUT_AT_START = 5000;

/**
 * The log's length in pages (of 4 KiB) at which SQLite folds it into the database by itself, in the middle of a commit. The write queue
 * folds it earlier whenever it is quiet, so this is for heavy load, where fewer and longer folds cost less.
 */
const LONGEST_LOG = 4000;

const CACHE_KIBIBYTES = 32_768;

/** Where Windows is concerned, who may read a file is not written in its mode. */
const HAS_MODES = process.platform !== "win32";

/**
 * Opens the database at `path`, and makes it and its directory where they are missing: files of mode 0600 in a directory of mode 0700.
 *
 * Like `sshd`, it takes a directory that others may read, refuses one that they may write to, and never changes the mode of what it
 * finds: who else was given access, and for what, only the operator knows.
 *
 * @throws {DiskStoreError} that names the path.
 */
export function openDatabase(path: string): DatabaseSync {
  const directory = dirname(path);
  // Node.js and SQLite speak of their own; each error leaves here with the path that it is about.
  attempt(directory, () => {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const { mode } = statSync(directory);
    // Whoever may write to a directory may put another database in the place of ours.
    if (HAS_MODES && (mode & 0o022) !== 0) throw new DiskStoreError("directory_too_open", directory);
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  });
  return attempt(path, () => {
    if (!existsSync(path)) createDatabase(path);
    const { mode } = statSync(path);
    if (HAS_MODES && (mode & 0o077) !== 0) throw new DiskStoreError("file_too_open", path);
    accessSync(path, constants.R_OK | constants.W_OK);
    return openExisting(path);
  });
}

/** What distinguishes the file at a path from any other that ever was there; `undefined` where there is none. */
export function identityOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.dev}:${stats.ino}`;
}

/**
 * Makes an empty database under another name, and gives it its own when it is complete. So a process that is killed here leaves no half
 * database, two processes that start together agree on one, and an empty file at `path` is no new database but a damaged one.
 */
function createDatabase(path: string): void {
  const draft = `${path}.${randomUUID()}.new`;
  try {
    // SQLite gives its other files the mode of this one.
    closeSync(openSync(draft, "wx", 0o600));
    const database = new DatabaseSync(draft);
    try {
      // The log comes last: what is made before it is in this one file.
      database.exec(`BEGIN; ${SCHEMA} COMMIT; PRAGMA journal_mode = WAL;`);
    } finally {
      database.close();
    }
    linkUnlessThere(draft, path);
  } finally {
    for (const file of [draft, `${draft}-wal`, `${draft}-shm`]) rmSync(file, { force: true });
  }
}

function linkUnlessThere(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    // Another process was faster; its database is as good as ours.
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  if (!HAS_MODES) return;
  // The name is durable when the directory is.
  const directory = openSync(dirname(path), "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function openExisting(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  try {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_AT_START}`);
    assertOurs(database, path);
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA wal_autocheckpoint = ${LONGEST_LOG};
      PRAGMA cache_size = -${CACHE_KIBIBYTES};
      PRAGMA cell_size_check = ON;
      PRAGMA trusted_schema = OFF;
      PRAGMA busy_timeout = 0;
    `);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function assertOurs(database: DatabaseSync, path: string): void {
  const pragma = (name: string): unknown => database.prepare(`PRAGMA ${name}`).get()?.[name];
  // SQLite takes an empty file for a new database. It is never ours: ours has its name only since it was complete.
  if (statSync(path).size === 0) throw new DiskStoreError("damaged", path);
  if (pragma("application_id") !== APPLICATION_ID) throw new DiskStoreError("foreign", path);
  const version = Number(pragma("user_version"));
  if (version > SCHEMA_VERSION) throw new DiskStoreError("newer", path);
  if (version < SCHEMA_VERSION) throw new DiskStoreError("damaged", path);
}

function attempt<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw diskStoreError(error, path);
  }
}
