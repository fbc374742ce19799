/** `TokenStorage` in one table of PostgreSQL: any number of processes on any number of machines. */

import {
  type AtomicTokenStorage,
  assertTtl,
  jsonText,
  type KeyPage,
  type ListOptions,
} from "@sallyport/oauth-core/storage";
import type { Answer, DatabaseConnection, Parameters } from "./database-connection.ts";
import { assertKey, keyOf, keyText, keyTextAbove, keyTextAfter } from "./key-text.ts";
import { isPgPool, type PgPool } from "./pg-client.ts";
import { PgConnection } from "./pg-connection.ts";
import { isPostgresJs, type PostgresJsClient } from "./postgres-js-client.ts";
import { PostgresJsConnection } from "./postgres-js-connection.ts";
import { isAlreadyThere, isConflict, PostgresStoreError, postgresStoreError } from "./postgres-store-error.ts";
import { DEFAULT_TABLE, judge, schemaSql } from "./schema.ts";
import { type Statements, statementsFor } from "./statements.ts";
import { type TableName, tableName } from "./table-name.ts";
import { withinTime } from "./time-limit.ts";

const DEFAULT_TIMEOUT_MS = 2000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const LARGEST_PAGE = 1000;
const CLEANUP_BATCH = 1000;

/** A hundred thousand years. The calendar of PostgreSQL ends some time after that, so whatever is longer is for good. */
const LONGEST_TTL = 100_000 * 365 * 86_400;

/** Through which client, and in which table. */
export interface PostgresStoreOptions {
  /** A client of your own: a `Pool` of `pg`, or what `postgres()` made. You configure it and close it. */
  readonly client: PgPool | PostgresJsClient;
  /**
   * The table, `table` or `schema.table`: ASCII letters, digits and underscores, at most 56. Case counts. Default `sallyport_records`.
   */
  readonly table?: string | undefined;
  /** Milliseconds after which a call that PostgreSQL has not answered rejects. Default 2000. */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether connections keep the statements prepared. Default true. Turn it off behind a pooler that gives every transaction another
   * connection and does not keep track of prepared statements, such as PgBouncer before 1.21.
   */
  readonly prepare?: boolean | undefined;
}

/**
 * Remembers everything in one table of PostgreSQL. For servers on several machines, and where PostgreSQL is there anyway.
 *
 * - **PostgreSQL decides races.** Each verb is one statement, and so one transaction and one round trip; `cleanup` is one per thousand
 *   records. No statement waits for more than one row.
 * - **What can't be known rejects.** A call that is not answered in time, or whose connection is lost before its answer, rejects, and may
 *   have happened all the same. The next call works as soon as the client connects again.
 * - **Only the primary answers.** A standby is refused, for reads too.
 * - Records expire by the clock of the server.
 *
 * The table has to be there: see {@link PostgresStore.migrate}. The first call of a store asks once whether it is, and whose it is.
 *
 * While it is open, the store listens to the pool's `error` event, so that a lost connection does not end the process.
 *
 * Rejects with a {@link PostgresStoreError} where PostgreSQL can't do what it is asked for, and with `RangeError` or `TypeError` for a
 * key, a `ttl` or a value that no storage takes.
 */
export class PostgresStore implements AtomicTokenStorage {
  readonly #connection: DatabaseConnection;
  readonly #table: TableName;
  readonly #statements: Statements;
  readonly #timeoutMs: number;
  /** That the table is there and ours; asked for until it was answered once. */
  #found: Promise<void> | undefined;
  #closed = false;

  /** @throws {TypeError | RangeError} that names the option, where it can't work. */
  constructor(options: PostgresStoreOptions) {
    const { client, table = DEFAULT_TABLE, timeoutMs = DEFAULT_TIMEOUT_MS, prepare = true } = options;
    if (!(Number.isSafeInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= LONGEST_TIMER_MS)) {
      throw new RangeError(`timeoutMs: has to be a whole number of milliseconds, from 1 to ${LONGEST_TIMER_MS}.`);
    }
    if (typeof prepare !== "boolean") throw new TypeError("prepare: has to be true or false.");
    this.#table = tableName(table);
    this.#statements = statementsFor(this.#table);
    this.#timeoutMs = timeoutMs;
    this.#connection = connectionOf(client, prepare);
  }

  /**
   * Makes the table and its index where they are not there yet. Any number of processes may call it at the same moment, and at every start.
   * It needs the right to create tables, which nothing else does: whoever doesn't want to give that to a server applies `schema.sql` by
   * hand.
   *
   * @throws {PostgresStoreError} (as a rejection) `foreign` or `newer` where there is a table of that name which is not to be touched.
   */
  async migrate(): Promise<void> {
    await this.#within(async (signal) => {
      if (await this.#look(signal)) return;
      try {
        await this.#connection.runScript(schemaSql(this.#table), signal);
      } catch (error) {
        if (!isAlreadyThere(error)) throw error;
      }
      if (!(await this.#look(signal))) throw new PostgresStoreError("no_table");
    });
  }

  async get(key: string): Promise<unknown> {
    const { rows } = await this.#ask("get", [nameOf(key)]);
    const [standby, text] = rows[0] ?? [];
    assertPrimary(standby);
    return recordOf(text);
  }

  async save(key: string, value: unknown, ttl?: number): Promise<void> {
    await this.#ask("save", [nameOf(key), jsonText(value), seconds(ttl)]);
  }

  async delete(key: string): Promise<void> {
    await this.#ask("delete", [nameOf(key)]);
  }

  /** Removes what has expired, a thousand records at a time. Records that others are writing or removing at the moment are left to them. */
  async cleanup(): Promise<void> {
    let removed: number;
    do {
      removed = (await this.#ask("removeExpired", [String(CLEANUP_BATCH)])).count;
    } while (removed === CLEANUP_BATCH);
  }

  async take(key: string): Promise<unknown> {
    const { rows } = await this.#ask("take", [nameOf(key)]);
    return recordOf(rows[0]?.[0]);
  }

  async claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    return (await this.#ask("claim", [nameOf(key), jsonText(value), seconds(ttl)])).count === 1;
  }

  async replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    const parameters = [nameOf(key), jsonText(value), seconds(ttl), jsonText(expected)];
    return (await this.#ask("replace", parameters)).count === 1;
  }

  /** Pages in the order of the keys' UTF-8, of at most 1000 keys. One that holds none, because all had expired, may still name a cursor. */
  async list(prefix: string, options: ListOptions = {}): Promise<KeyPage> {
    const { cursor, limit = LARGEST_PAGE } = options;
    const size = limit >= 1 ? Math.min(Math.trunc(limit), LARGEST_PAGE) : 1;
    const first = keyText(prefix);
    const from = cursor === undefined ? first : keyTextAfter(keyText(cursor));
    if (!from.startsWith(first)) throw new TypeError("cursor: has to be one that a page of the same prefix has named.");

    const { rows } = await this.#ask("list", [from, keyTextAbove(first), String(size + 1)]);
    assertPrimary(rows[0]?.[0]);
    const found = rows.flatMap(([, key, live]) => (typeof key === "string" ? [{ key, live: live === "true" }] : []));
    const page = found.slice(0, size);
    const keys = page.filter(({ live }) => live).map(({ key }) => keyOf(key));
    const last = page.at(-1);
    return found.length > size && last !== undefined ? { keys, cursor: keyOf(last.key) } : { keys };
  }

  /** Lets go of the client, and leaves it connected and as it was. Calls that are made later reject. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#connection.close();
  }

  /** Runs a statement, again where transactions have met: PostgreSQL has undone it then. One of those that meet always comes through. */
  async #ask(verb: keyof Statements, parameters: Parameters): Promise<Answer> {
    return this.#within(async (signal) => {
      await this.#assertTable();
      for (;;) {
        try {
          return await this.#connection.run(this.#statements[verb], parameters, signal);
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
      }
    });
  }

  /** Holds that the table is there. One question serves all calls that come meanwhile, and is not put again once it was answered well. */
  async #assertTable(): Promise<void> {
    this.#found ??= withinTime(this.#timeoutMs, async (signal) => {
      if (!(await this.#look(signal))) throw new PostgresStoreError("no_table");
    });
    const asked = this.#found;
    try {
      await asked;
    } catch (error) {
      if (this.#found === asked) this.#found = undefined;
      throw error;
    }
  }

  /** Whether there is the table. Rejects where there is one that is not to be used, or the database is not fit for one. */
  async #look(signal: AbortSignal): Promise<boolean> {
    const { rows } = await this.#connection.run(this.#statements.look, [this.#table.quoted], signal);
    const [table, comment, standby, encoding] = rows[0] ?? [];
    assertPrimary(standby);
    if (encoding !== "UTF8") throw new PostgresStoreError("encoding");
    if (table === null || table === undefined) return false;
    const whose = judge(comment ?? null);
    if (whose !== "ours") throw new PostgresStoreError(whose);
    return true;
  }

  async #within<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new PostgresStoreError("closed");
    try {
      return await withinTime(this.#timeoutMs, work);
    } catch (error) {
      throw postgresStoreError(error);
    }
  }
}

function nameOf(key: string): string {
  assertKey(key);
  return keyText(key);
}

function seconds(ttl: number | undefined): string | null {
  assertTtl(ttl);
  return ttl === undefined || ttl > LONGEST_TTL ? null : String(ttl);
}

/** Holds that the server has said that it is the primary. Where it has said nothing, this is the answer to somebody else's question. */
function assertPrimary(standby: string | null | undefined): void {
  if (standby !== "false") throw new PostgresStoreError(standby === "true" ? "read_only" : "pooler");
}

function recordOf(text: string | null | undefined): unknown {
  if (text === null || text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // What JSON.parse says repeats the beginning of the text.
    throw new PostgresStoreError("damaged");
  }
}

function connectionOf(client: PostgresStoreOptions["client"], prepare: boolean): DatabaseConnection {
  if ((typeof client === "object" || typeof client === "function") && client !== null) {
    if (isPgPool(client)) return new PgConnection(client, prepare);
    if (isPostgresJs(client)) return new PostgresJsConnection(client, prepare);
  }
  throw new TypeError("client: has to be a Pool of pg, or what postgres() made.");
}
