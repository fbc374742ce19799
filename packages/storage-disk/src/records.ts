/** The one table, and every statement about it. A record that has expired is absent to all of them. */

import type { DatabaseSync, StatementSync } from "node:sqlite";

/** "Sall", so that a database tells whose it is. */
export const APPLICATION_ID = 0x53616c6c;

/** Of the schema below. A database with a higher one is left alone. */
export const SCHEMA_VERSION = 1;

/** Instants are seconds since 1970, and `NULL` is never. Small rows that lie next to each other: no `WITHOUT ROWID`, which is slower here. */
export const SCHEMA = `
  CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    value TEXT NOT NULL,
    expires_at REAL
  ) STRICT;
  CREATE INDEX records_by_expiry ON records (expires_at) WHERE expires_at IS NOT NULL;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

const IS_LIVE = "(expires_at IS NULL OR expires_at > ?)";

/** A key as it is stored, and when its record expires: `null` for never. */
export interface ListedKey {
  readonly key: string;
  readonly expiresAt: number | null;
}

/**
 * The statements, prepared once. Keys are those of `keyText`, values those of `jsonText`, and `now` is what the caller's clock says.
 *
 * Whoever writes has begun a transaction. Parameters are bound by position, which costs half of binding them by name.
 */
export class Records {
  readonly #get: StatementSync;
  readonly #save: StatementSync;
  readonly #claim: StatementSync;
  readonly #replace: StatementSync;
  readonly #take: StatementSync;
  readonly #delete: StatementSync;
  readonly #anyExpired: StatementSync;
  readonly #removeExpired: StatementSync;
  readonly #list: StatementSync;
  readonly #count: StatementSync;

  constructor(database: DatabaseSync) {
    const upsert = `INSERT INTO records (key, value, expires_at) VALUES (?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`;

    this.#get = database.prepare(`SELECT value FROM records WHERE key = ? AND ${IS_LIVE}`);
    this.#save = database.prepare(upsert);
    this.#claim = database.prepare(`${upsert} WHERE records.expires_at <= ?`);
    this.#replace = database.prepare(
      `UPDATE records SET value = ?, expires_at = ? WHERE key = ? AND value = ? AND ${IS_LIVE}`,
    );
    this.#take = database.prepare(`DELETE FROM records WHERE key = ? AND ${IS_LIVE} RETURNING value`);
    this.#delete = database.prepare("DELETE FROM records WHERE key = ?");
    this.#anyExpired = database.prepare("SELECT id FROM records WHERE expires_at <= ? LIMIT 1");
    this.#removeExpired = database.prepare(
      "DELETE FROM records WHERE id = (SELECT id FROM records WHERE expires_at <= ? ORDER BY expires_at LIMIT 1)",
    );
    this.#list = database.prepare(
      `SELECT key, expires_at AS expiresAt FROM records
        WHERE key >= ? AND key < ? AND key IS NOT ? ORDER BY key LIMIT ?`,
    );
    this.#count = database.prepare(
      "SELECT (SELECT count(*) FROM records) - (SELECT count(*) FROM records WHERE expires_at <= ?) AS count",
    );
  }

  get(key: string, now: number): string | undefined {
    return valueIn(this.#get.get(key, now));
  }

  save(key: string, value: string, expiresAt: number | null): void {
    this.#save.run(key, value, expiresAt);
  }

  /** Only an expired record is overwritten; whether there was none, or one like that. */
  claim(key: string, value: string, expiresAt: number | null, now: number): boolean {
    return this.#claim.run(key, value, expiresAt, now).changes === 1;
  }

  /** Values are compared as texts: equal ones have one text. */
  replace(key: string, expected: string, value: string, expiresAt: number | null, now: number): boolean {
    return this.#replace.run(value, expiresAt, key, expected, now).changes === 1;
  }

  take(key: string, now: number): string | undefined {
    return valueIn(this.#take.get(key, now));
  }

  delete(key: string): void {
    this.#delete.run(key);
  }

  /** Whether there is anything to remove. One look into the index, however many records there are. */
  anyExpired(now: number): boolean {
    return this.#anyExpired.get(now) !== undefined;
  }

  /** Removes the record that expired first, and says whether there was one. */
  removeExpired(now: number): boolean {
    return this.#removeExpired.run(now).changes === 1;
  }

  /** The first `limit` keys from `from` on that come before `before`, expired ones too, without `after`. */
  list(from: string, before: string, after: string | null, limit: number): readonly ListedKey[] {
    return this.#list.all(from, before, after, limit).map(({ key, expiresAt }) => ({
      key: String(key),
      expiresAt: expiresAt === null ? null : Number(expiresAt),
    }));
  }

  /** How many records live. */
  count(now: number): number {
    return Number(this.#count.get(now)?.["count"]);
  }
}

function valueIn(row: ReturnType<StatementSync["get"]>): string | undefined {
  return row === undefined ? undefined : String(row["value"]);
}
