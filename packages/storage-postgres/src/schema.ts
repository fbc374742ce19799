/** The one table, as `migrate()` and `schema.sql` make it, and how one is recognised. */

import type { TableName } from "./table-name.ts";

export const DEFAULT_TABLE = "sallyport_records";

/** Of the schema below. A table with a higher one is left alone. */
const SCHEMA_VERSION = 1;

/** A table's comment tells whose it is. */
const COMMENT = /^Sallyport storage, schema (\d+)$/;

/**
 * The statements that make the table. Keys and values compare as bytes, whatever the language of the database. `NULL` is never, and most
 * of what is stored does expire, so the index leaves the rest out.
 */
export function schemaSql({ quoted, quotedIndex }: TableName): string {
  return `CREATE TABLE ${quoted} (
  key text COLLATE "C" PRIMARY KEY,
  value text COLLATE "C" NOT NULL,
  expires_at timestamptz
);
CREATE INDEX ${quotedIndex} ON ${quoted} (expires_at) WHERE expires_at IS NOT NULL;
COMMENT ON TABLE ${quoted} IS 'Sallyport storage, schema ${SCHEMA_VERSION}';
`;
}

/** Whether a table with this comment is one that these statements can use, or what it is instead. */
export function judge(comment: string | null): "ours" | "foreign" | "newer" {
  const version = COMMENT.exec(comment ?? "")?.[1];
  if (version === undefined) return "foreign";
  return Number(version) <= SCHEMA_VERSION ? "ours" : "newer";
}
