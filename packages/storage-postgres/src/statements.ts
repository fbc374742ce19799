/** Every statement about the table. A record that has expired is absent to all of them. */

import { createHash } from "node:crypto";
import type { Statement } from "./database-connection.ts";
import type { TableName } from "./table-name.ts";

/** The statements of one store. Keys are those of `keyText`, values those of `jsonText`, and a ttl of `NULL` is none. */
export interface Statements {
  /** What there is: the table's name and comment, whether the server is a standby, and the database's encoding. `$1` the quoted table. */
  readonly look: Statement;
  /** Whether the server is a standby, and the value. `$1` key */
  readonly get: Statement;
  /** `$1` key, `$2` value, `$3` ttl */
  readonly save: Statement;
  /** `$1` key */
  readonly delete: Statement;
  /** `$1` key */
  readonly take: Statement;
  /** `$1` key, `$2` value, `$3` ttl */
  readonly claim: Statement;
  /** `$1` key, `$2` value, `$3` ttl, `$4` expected value */
  readonly replace: Statement;
  /** `$1` how many at most */
  readonly removeExpired: Statement;
  /** Whether the server is a standby, and keys with whether they live; one row without key where there are none. `$1` from, `$2` below, `$3` how many at most */
  readonly list: Statement;
}

/** A statement may have waited for a lock, so this is the time of the look, and not the time at which the statement began. */
const IS_LIVE = "(expires_at IS NULL OR expires_at > clock_timestamp())";

/** `NULL` where the ttl is. */
const EXPIRY = "clock_timestamp() + $3::double precision * interval '1 second'";

/** A standby answers what the primary has already replaced: a revoked grant would live on there. It can't write; so reads have to ask. */
const IS_STANDBY = "pg_is_in_recovery()::text";

/** The statements about a table. */
export function statementsFor({ quoted: table }: TableName): Statements {
  const upsert = `INSERT INTO ${table} AS live (key, value, expires_at) VALUES ($1, $2, ${EXPIRY})
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`;
  return {
    look: named(
      "look",
      `SELECT to_regclass($1::text)::text, obj_description(to_regclass($1::text), 'pg_class'), ${IS_STANDBY}, current_setting('server_encoding')`,
    ),
    get: named("get", `SELECT ${IS_STANDBY}, (SELECT value FROM ${table} WHERE key = $1 AND ${IS_LIVE})`),
    save: named("save", upsert),
    delete: named("delete", `DELETE FROM ${table} WHERE key = $1`),
    take: named("take", `DELETE FROM ${table} WHERE key = $1 AND ${IS_LIVE} RETURNING value`),
    // Only an expired record is overwritten. Of several that meet, each looks at what the one before has left.
    claim: named("claim", `${upsert} WHERE live.expires_at <= clock_timestamp()`),
    replace: named(
      "replace",
      `UPDATE ${table} SET value = $2, expires_at = ${EXPIRY} WHERE key = $1 AND value = $4 AND ${IS_LIVE}`,
    ),
    // The time has to be one that stays the same, or no index can be asked for it. Whoever is writing one of the records, or removing it,
    // is not waited for.
    removeExpired: named(
      "remove_expired",
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${table} WHERE expires_at <= statement_timestamp() ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED
      ))`,
    ),
    list: named(
      "list",
      `SELECT server.standby, record.key, record.live FROM (SELECT ${IS_STANDBY} AS standby) AS server
        LEFT JOIN LATERAL (
          SELECT key, ${IS_LIVE}::text AS live FROM ${table} WHERE key >= $1 AND key < $2 ORDER BY key LIMIT $3
        ) AS record ON true ORDER BY record.key`,
    ),
  };
}

/** A connection takes one name for one text only, and two stores may share it. */
function named(verb: string, text: string): Statement {
  const digest = createHash("sha256").update(text).digest("base64url").slice(0, 16);
  return { name: `sallyport_${verb}_${digest}`, text };
}
