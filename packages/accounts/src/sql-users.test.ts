/** The user store that the documentation teaches to write, on a real PostgreSQL. */

import { readFileSync } from "node:fs";
import { type UserStoreSubject, userStoreContract } from "@sallyport/contracts/users";
import { installedPostgres, type PostgresServer, startPostgres, until } from "@sallyport/test-servers";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SqlUsers } from "../test/sql-users.ts";

const PATIENT = { timeout: 120_000 };
const page = readFileSync(new URL("../../../docs/accounts/users-in-sql.md", import.meta.url), "utf8");
const blockOf = (language: string): string =>
  new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "m").exec(page)?.[1] ?? "";

test("the page has the store that is tested here, character by character", () => {
  expect(blockOf("ts")).toBe(readFileSync(new URL("../test/sql-users.ts", import.meta.url), "utf8"));
});

test("the clauses that the page names are there", () => {
  const named = page.split("\n").flatMap((line) => (/^\|.*\| (`.*) \|$/.exec(line)?.[1] ?? "").match(/[a-z-]+/g) ?? []);
  expect(named).toContain("create-one-winner-username");
  const ids = userStoreContract.map(({ id }) => id);
  expect(named.filter((id) => !ids.includes(id))).toEqual([]);
});

const levels = ["read committed", "serializable"];

describe.skipIf((await installedPostgres()) === undefined).each(levels)(
  "the page's store on PostgreSQL, with sessions that begin as %s",
  (level) => {
    let server: PostgresServer;
    let pools: readonly Pool[];
    let opened = 0;

    beforeAll(async () => {
      server = await startPostgres();
      pools = [0, 1].map(() => {
        const pool = new Pool({
          connectionString: server.url,
          connectionTimeoutMillis: 2000,
          options: `-c default_transaction_isolation=${level.replaceAll(" ", "\\ ")}`,
        });
        // The server is killed below idle connections.
        pool.on("error", () => undefined);
        return pool;
      });
      await pools[0]?.query(blockOf("sql"));
    });
    afterAll(async () => {
      for (const pool of pools) await pool.end();
      await server.stop();
    });

    const subject: UserStoreSubject = {
      open: async () => {
        const pool = pools[opened++ % pools.length];
        if (pool === undefined) throw new Error("There is no pool.");
        return new SqlUsers(pool);
      },
      fail: async () => {
        await server.kill();
        return async () => {
          await server.start();
          for (const pool of pools) await until("the pool connects again", () => pool.query("SELECT 1"));
        };
      },
    };

    for (const clause of userStoreContract)
      test(`${clause.id}: ${clause.sentence}`, PATIENT, () => clause.check(subject));
  },
);
