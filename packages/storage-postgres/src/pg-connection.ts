/** The store's connection through a `Pool` of `pg`. */

import type { Answer, DatabaseConnection, Parameters, Statement } from "./database-connection.ts";
import type { PgPool, PgPoolClient, PgQuery } from "./pg-client.ts";
import { isConflict } from "./postgres-store-error.ts";

/** Texts stay texts. In binary, which a pool may be set to, a text is its UTF-8. */
const types: PgQuery["types"] = { getTypeParser: () => (value) => String(value) };

export class PgConnection implements DatabaseConnection {
  readonly #pool: PgPool;
  readonly #prepare: boolean;
  /** Nobody has to hear of it: a call that it ended rejects, and the pool opens another connection for the next one. */
  readonly #lost = (): undefined => undefined;

  constructor(pool: PgPool, prepare: boolean) {
    this.#pool = pool;
    this.#prepare = prepare;
    // Without a listener, the loss of an idle connection would end the process.
    pool.on("error", this.#lost);
  }

  async run({ name, text }: Statement, parameters: Parameters, signal: AbortSignal): Promise<Answer> {
    const named = this.#prepare ? { name } : {};
    const query: PgQuery = { ...named, text, values: [...parameters], rowMode: "array", types };
    const { rows, rowCount } = await this.#lend(signal, (client) => client.query(query));
    return { rows: rows.map((row) => row.map(textOf)), count: rowCount ?? 0 };
  }

  async runScript(script: string, signal: AbortSignal): Promise<void> {
    await this.#lend(signal, (client) => client.query(script));
  }

  close(): void {
    this.#pool.off("error", this.#lost);
  }

  /**
   * Works with one of the pool's clients. The pool's own `query` would not do: a connection that no longer answers would go on being one
   * of the pool's, until it had no others.
   */
  async #lend<Result>(signal: AbortSignal, work: (client: PgPoolClient) => Promise<Result>): Promise<Result> {
    const client = await this.#borrow();
    let lent = true;
    const giveBack = (destroy: boolean): void => {
      if (!lent) return;
      lent = false;
      signal.removeEventListener("abort", giveUp);
      client.release(destroy);
      client.off("error", this.#lost);
    };
    const giveUp = (): void => giveBack(true);
    if (signal.aborted) giveBack(false);
    signal.throwIfAborted();
    signal.addEventListener("abort", giveUp);
    try {
      const result = await work(client);
      giveBack(false);
      return result;
    } catch (error) {
      // Whether a connection is still of use after an error is not always known; after a conflict it is.
      giveBack(!isConflict(error));
      throw error;
    }
  }

  /**
   * Asks the pool for a client, which has no listener in the moment in which it is lent. A promise would come too late: what the server says
   * after it has let a client in, that it is shutting down for example, can arrive together with that, and would end the process.
   */
  #borrow(): Promise<PgPoolClient> {
    return new Promise((resolve, reject) => {
      this.#pool.connect((error, client) => {
        client?.on("error", this.#lost);
        if (client === undefined) reject(error);
        else resolve(client);
      });
    });
  }
}

function textOf(value: unknown): string | null {
  return value === null ? null : String(value);
}
