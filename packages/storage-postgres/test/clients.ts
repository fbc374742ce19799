/** The clients that the store is tested with, each with what a test has to know to open, look after and close it. */

import { type PostgresServer, until } from "@sallyport/test-servers";
import { Pool } from "pg";
import postgres from "postgres";
import type { PostgresStoreOptions } from "../src/index.ts";

/** A client that connects when it is asked something. */
export interface OpenClient {
  readonly client: PostgresStoreOptions["client"];
  /** What one statement answers, row by row and column by column, as texts. */
  query(text: string): Promise<readonly (readonly string[])[]>;
  /** When the client itself can reach the server. */
  healthy(): Promise<unknown>;
  close(): Promise<void>;
}

/** Where a server is, and how many connections a client may have. */
export interface Access extends Pick<PostgresServer, "url"> {
  readonly connections?: number | undefined;
  /** Settings of every session, such as `default_transaction_isolation`. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

/** Ends every connection but the one that says so. */
export const CUT =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

const CONNECTIONS = 10;
/** Tests don't wait for a client to try again. */
const SOON_SECONDS = 0.03;

const texts = (rows: readonly (readonly unknown[])[]): string[][] => rows.map((row) => row.map(String));

/** Every client, by name. */
export const CLIENTS = {
  pg: ({ url, connections = CONNECTIONS, settings = {} }) => {
    const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value.replaceAll(" ", "\\ ")}`);
    const client = new Pool({ connectionString: url, max: connections, options: options.join(" ") });
    // The store listens for as long as it is open, and a test may cut a connection after that.
    client.on("error", () => undefined);
    // And many stores listen at once, because a test runs every clause at once.
    client.setMaxListeners(0);
    const query = async (text: string) => {
      // Of several statements, the last one's.
      const results = [await client.query({ text, rowMode: "array" })].flat();
      return texts(results.at(-1)?.rows ?? []);
    };
    return {
      client,
      query,
      healthy: () => until("the pool connects again", () => query("SELECT 1")),
      close: async () => {
        if (!client.ending) await client.end();
      },
    };
  },
  postgres: ({ url, connections = CONNECTIONS, settings = {} }) => {
    const client = postgres(url, {
      max: connections,
      backoff: () => SOON_SECONDS,
      connect_timeout: 1,
      // Where a connection is lost while these are fetched, the client ends the process.
      fetch_types: false,
      connection: settings,
      onnotice: () => undefined,
    });
    const query = async (text: string) => texts(await client.unsafe(text).values());
    return {
      client,
      query,
      healthy: () => until("the client connects again", () => query("SELECT 1")),
      close: () => client.end({ timeout: 0 }),
    };
  },
} satisfies Readonly<Record<string, (access: Access) => OpenClient>>;
