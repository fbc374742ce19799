/** The store's connection through an instance of `postgres`. */

import type { Answer, DatabaseConnection, Parameters, Statement } from "./database-connection.ts";
import type { PostgresJsClient } from "./postgres-js-client.ts";

const utf8 = new TextDecoder();

export class PostgresJsConnection implements DatabaseConnection {
  readonly #sql: PostgresJsClient;
  readonly #prepare: boolean;

  constructor(sql: PostgresJsClient, prepare: boolean) {
    this.#sql = sql;
    this.#prepare = prepare;
  }

  async run({ text }: Statement, parameters: Parameters, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const values = [...parameters];
    // A query that waits for a connection can't be taken back: cancelling it costs the connection. Without its parameters it is harmless
    // whenever it is sent, because no record has the key NULL.
    const forget = (): void => {
      values.fill(null);
    };
    signal.addEventListener("abort", forget);
    try {
      const rows = await this.#sql.unsafe(text, values, { prepare: this.#prepare }).raw();
      return { rows: rows.map((row) => row.map(textOf)), count: rows.count };
    } finally {
      signal.removeEventListener("abort", forget);
    }
  }

  async runScript(script: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await this.#sql.unsafe(script, [], { prepare: false });
  }

  /** There is nothing to let go of: `postgres` looks after its connections by itself. */
  close(): undefined {
    return undefined;
  }
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : utf8.decode(bytes);
}
