/** A `Pool` of `pg` as the store sees it: what is used of it, and how it is recognised. */

/** How a query is put to `pg`: values come as their texts, whatever the user has taught the client about types. */
export interface PgQuery {
  readonly name?: string | undefined;
  readonly text: string;
  readonly values: (string | null)[];
  readonly rowMode: "array";
  readonly types: { getTypeParser(): (value: string) => string };
}

/** What `pg` answers. */
export interface PgResult {
  readonly rowCount: number | null;
  readonly rows: readonly (readonly unknown[])[];
}

/** What is used of a client that a pool has lent. */
export interface PgPoolClient {
  query(query: PgQuery): Promise<PgResult>;
  query(script: string): Promise<unknown>;
  release(destroy?: boolean): void;
  on(event: "error", listener: () => void): unknown;
  off(event: "error", listener: () => void): unknown;
}

/** What is used of a `Pool`. */
export interface PgPool {
  readonly totalCount: number;
  connect(lent: (error: Error | undefined, client: PgPoolClient | undefined) => void): void;
  on(event: "error", listener: () => void): unknown;
  off(event: "error", listener: () => void): unknown;
}

/**
 * Whether something is a pool of `pg`. It is asked for its parts, because there may be several copies of the package. A single `Client` is
 * none: it does not connect again, so a store on it would never heal.
 */
export function isPgPool(client: object): client is PgPool {
  return (
    "totalCount" in client &&
    typeof client.totalCount === "number" &&
    "connect" in client &&
    typeof client.connect === "function" &&
    "query" in client &&
    typeof client.query === "function"
  );
}
