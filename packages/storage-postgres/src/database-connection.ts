/** What the store needs of a connection to a database, whichever client it is made of. */

/** One statement of SQL, and the name under which a connection may keep it prepared. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** What stands in for `$1`, `$2`, …: PostgreSQL knows from the statement what it is the text of. */
export type Parameters = readonly (string | null)[];

/** The texts of what was selected, row by row, and how many rows were selected or changed. */
export interface Answer {
  readonly rows: readonly (readonly (string | null)[])[];
  readonly count: number;
}

/** A user's client as the store uses it. */
export interface DatabaseConnection {
  /** Runs one statement as a transaction of its own, unless `signal` is aborted before it leaves. */
  run(statement: Statement, parameters: Parameters, signal: AbortSignal): Promise<Answer>;
  /** Runs several statements without parameters as one transaction. */
  runScript(script: string, signal: AbortSignal): Promise<void>;
  /** Stops listening to the client, and leaves it as it was. */
  close(): void;
}
