/** The name of the table, the only thing that is ever put into a statement. */

const WORD = "[A-Za-z_][A-Za-z0-9_]";

/** A table, and its schema where one was named. PostgreSQL cuts names off after 63 bytes; the index has seven more than the table. */
const NAME = new RegExp(`^(?:${WORD}{0,62}\\.)?${WORD}{0,55}$`);

/** A name that is safe to put into a statement. */
export interface TableName {
  /** Quoted, with the schema where one was named. */
  readonly quoted: string;
  /** The index that finds what has expired, quoted. It is in the schema of its table. */
  readonly quotedIndex: string;
}

/**
 * Reads the name of a table: `table` or `schema.table`. Upper and lower case are told apart.
 *
 * @throws {TypeError} that names the option, for anything that would not be one plain name.
 */
export function tableName(name: string): TableName {
  if (typeof name !== "string" || !NAME.test(name)) {
    throw new TypeError(
      "table: has to be a name, or a schema's name and one with a dot between them; letters, digits and underscores, at most 56 of them.",
    );
  }
  const words = name.split(".");
  return {
    quoted: words.map((word) => `"${word}"`).join("."),
    quotedIndex: `"${words.at(-1)}_expiry"`,
  };
}
