/** The public surface of `@sallyport/storage-postgres`. */
export type { PgPool, PgPoolClient } from "./pg-client.ts";
export type { PostgresJsClient, PostgresJsQuery } from "./postgres-js-client.ts";
export { PostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";
export { PostgresStoreError, type PostgresStoreFailure } from "./postgres-store-error.ts";
