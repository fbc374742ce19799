/** An instance of `postgres` as the store sees it: what is used of it, and how it is recognised. */

/** What is used of a query of `postgres`. */
export interface PostgresJsQuery extends PromiseLike<unknown> {
  /** Answers bytes: neither the types nor the transformations that the user has taught the client apply to them. */
  raw(): PromiseLike<readonly (readonly (Uint8Array | null)[])[] & { readonly count: number }>;
}

/** What is used of what `postgres()` made. */
export interface PostgresJsClient {
  unsafe(text: string, parameters: (string | null)[], options: { readonly prepare: boolean }): PostgresJsQuery;
  readonly begin: unknown;
  readonly end: unknown;
}

/**
 * Whether something is an instance of `postgres`. What a transaction or a reserved connection is handed is none: it ends before the store
 * does.
 */
export function isPostgresJs(client: object): client is PostgresJsClient {
  return (
    "unsafe" in client &&
    typeof client.unsafe === "function" &&
    "begin" in client &&
    typeof client.begin === "function" &&
    "end" in client &&
    typeof client.end === "function"
  );
}
