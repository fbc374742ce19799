/** PostgreSQL as the storage, through pg. */
import { PostgresStore, PostgresStoreError } from "@sallyport/storage-postgres";
import { Pool } from "pg";
import { EnvironmentError } from "./configuration.ts";
import type { OpenStorage } from "./open-storage.ts";
import { tellOutages } from "./outages.ts";

/** Milliseconds for a connection to be made. Without a limit the pool waits for a server that accepts connections and says nothing. */
const PATIENCE = 3000;

/** Makes the table where it is not there yet. @throws {EnvironmentError} (as a rejection) for a URL that is none, and for a server that can't be used */
export async function openPostgres(setting: string): Promise<OpenStorage> {
  // What is wrong with the URL may well be the password in it. Without a host it names a socket: postgres:///database?host=/var/run/postgresql
  if (!URL.canParse(setting) || !/^\w+:\/\//.test(setting))
    throw new EnvironmentError([
      "STORAGE: has to be a URL such as postgres://user@127.0.0.1:5432/database, with whatever is special in a password percent-encoded",
    ]);
  const pool = new Pool({ connectionString: setting, connectionTimeoutMillis: PATIENCE });
  tellOutages(pool, "connect");
  const storage = new PostgresStore({ client: pool });
  const close = async (): Promise<void> => {
    await storage.close();
    await pool.end();
  };
  try {
    await storage.migrate();
    return { storage, close };
  } catch (error) {
    await close();
    throw error instanceof PostgresStoreError
      ? new EnvironmentError([`STORAGE: PostgreSQL can't be used: ${reasonOf(error)}`], error)
      : error;
  }
}

/** What became of the connection, where that is known: it says more than that there is none. */
function reasonOf({ message, cause }: PostgresStoreError): string {
  if (!(cause instanceof Error)) return message;
  // Where a name has several addresses, and none of them answers, Node.js has a code and no message.
  return cause.message || ("code" in cause ? String(cause.code) : message);
}
