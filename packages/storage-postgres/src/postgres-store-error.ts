/** What can go wrong between the store and PostgreSQL: one error, with the reason in one word. */

const PROBLEMS = {
  timeout: "PostgreSQL did not answer in time. What was asked of it may have happened, or may yet happen.",
  unreachable: "There is no connection to PostgreSQL, or it was lost. What was asked of it may have happened.",
  no_table: "The table does not exist. Call migrate() once, or apply schema.sql.",
  foreign: "The table's comment does not say that it belongs to this package. Name another table.",
  newer: "The table was made by a newer version of this package. Nothing in it was changed.",
  encoding: "The encoding of the database has to be UTF8.",
  read_only: "This is a standby, or it is set to be read-only. The store needs the primary.",
  no_access: "This role may not do what was asked for, or not connect at all. The README has what it needs.",
  pooler:
    "Statements are not kept where they were prepared. Behind a pooler that does not keep track of them, set prepare to false.",
  full: "The server has no room left. Nothing was stored.",
  refused: "PostgreSQL refused the statement, and nothing happened.",
  damaged: "The record under this key was not written by this store.",
  closed: "The store has been closed.",
} as const;

/** Our own, stable word for what went wrong; for logs and tests. */
export type PostgresStoreFailure = keyof typeof PROBLEMS;

/**
 * PostgreSQL did not do, or may not have done, what the store was asked for. It never means that a record is absent.
 *
 * Neither the message nor the cause carries a key, a value, or a parameter of a statement.
 */
export class PostgresStoreError extends Error {
  override readonly name = "PostgresStoreError";
  readonly reason: PostgresStoreFailure;
  /** What PostgreSQL calls it, where it was PostgreSQL who said no. */
  readonly sqlState: string | undefined;

  /** @param options `sqlState`: the code of PostgreSQL's answer; `cause`: what became of the connection */
  constructor(reason: PostgresStoreFailure, options: ErrorOptions & { readonly sqlState?: string } = {}) {
    const { sqlState, ...cause } = options;
    super(sqlState === undefined ? PROBLEMS[reason] : `${PROBLEMS[reason]} (SQLSTATE ${sqlState})`, cause);
    this.reason = reason;
    this.sqlState = sqlState;
  }
}

/** By code or, where all of a class are meant, by its first two characters. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const REASONS: Readonly<Record<string, PostgresStoreFailure>> = {
  "08": "unreachable", // connection exception
  "25006": "read_only", // read_only_sql_transaction
  "26000": "pooler", // invalid_sql_statement_name
  "28": "no_access", // invalid authorization
  "3D": "no_access", // invalid catalog name: there is no such database
  "3F": "no_table", // invalid schema name
  "42501": "no_access", // insufficient_privilege
  "42P01": "no_table", // undefined_table
  "42P05": "pooler", // duplicate_prepared_statement
  "42703": "foreign", // undefined_column
  "42P10": "foreign", // invalid_column_reference: nothing keeps keys apart
  "53": "full", // insufficient resources
  "53300": "unreachable", // too_many_connections
  "57014": "timeout", // query_canceled: a timeout that the user has set on the server
  "57P": "unreachable", // operator intervention: the server or this connection is being shut down
};

/** An error that a client rejected with as one of ours. */
export function postgresStoreError(error: unknown): PostgresStoreError {
  if (error instanceof PostgresStoreError) return error;
  const sqlState = sqlStateOf(error);
  // Whatever else PostgreSQL and the client say of it may repeat a row or a parameter.
  if (sqlState !== undefined) return new PostgresStoreError(reasonOf(sqlState), { sqlState });
  return new PostgresStoreError("unreachable", { cause: bare(error) });
}

/** Whether transactions met in a way in which one has to be repeated. It has been undone, so that it can be. */
export function isConflict(error: unknown): boolean {
  const sqlState = sqlStateOf(error);
  return sqlState === "40001" || sqlState === "40P01"; // serialization_failure, deadlock_detected
}

/** Whether somebody else has made the table at the same moment. */
export function isAlreadyThere(error: unknown): boolean {
  // duplicate_table, duplicate_object, and unique_violation where they meet in the catalogue
  return ["42P07", "42710", "23505"].includes(sqlStateOf(error) ?? "");
}

function reasonOf(sqlState: string): PostgresStoreFailure {
  return REASONS[sqlState] ?? REASONS[sqlState.slice(0, 3)] ?? REASONS[sqlState.slice(0, 2)] ?? "refused";
}

/** The code of PostgreSQL's own answer. Clients have codes of their own for what happens to a connection. */
function sqlStateOf(error: unknown): string | undefined {
  return error instanceof Error &&
    "severity" in error &&
    "code" in error &&
    typeof error.code === "string" &&
    /^[0-9A-Z]{5}$/.test(error.code)
    ? error.code
    : undefined;
}

/** What a client said, without what it has attached to it: postgres attaches the parameters, and whoever logs a cause would log them. */
function bare(error: unknown): Error {
  const cause = new Error(
    error instanceof Error ? error.message : "The client rejected with something that is no error.",
  );
  return error instanceof Error && "code" in error ? Object.assign(cause, { code: error.code }) : cause;
}
