/** That every statement asks an index, on a table that is large enough for that to matter. */

import { installedPostgres, type PostgresServer, startPostgres } from "@sallyport/test-servers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLIENTS, type OpenClient } from "../test/clients.ts";
import { PostgresStore } from "./postgres-store.ts";
import { DEFAULT_TABLE } from "./schema.ts";
import { type Statements, statementsFor } from "./statements.ts";
import { tableName } from "./table-name.ts";

const RECORDS = 20_000;
const statements = statementsFor(tableName(DEFAULT_TABLE));

/** Each statement about records, with parameters as SQL has them. */
const EXAMPLES: Readonly<Record<Exclude<keyof Statements, "look">, readonly string[]>> = {
  get: ["'key:77'"],
  save: ["'key:77'", "'1'", "60"],
  claim: ["'key:77'", "'1'", "60"],
  replace: ["'key:77'", "'1'", "60", "'0'"],
  delete: ["'key:77'"],
  take: ["'key:77'"],
  removeExpired: ["1000"],
  list: ["'key:1'", "'key:2'", "100"],
};

describe.skipIf((await installedPostgres()) === undefined)(
  "on a table of 20,000 records, a hundredth of them expired",
  () => {
    let server: PostgresServer;
    let database: OpenClient;
    beforeAll(async () => {
      server = await startPostgres();
      database = CLIENTS.pg({ ...server, connections: 1 });
      await new PostgresStore({ client: database.client }).migrate();
      await database.query(
        `INSERT INTO ${DEFAULT_TABLE} SELECT 'key:' || n, repeat('x', 200), now() + CASE WHEN n % 100 = 0 THEN interval '-1 hour' ELSE interval '1 hour' END FROM generate_series(1, ${RECORDS}) AS n`,
      );
      await database.query(`ANALYZE ${DEFAULT_TABLE}`);
    }, 60_000);
    afterAll(async () => {
      await database.close();
      await server.stop();
    });

    /** How PostgreSQL would run a prepared statement, whatever its parameters. */
    async function planOf(verb: keyof typeof EXAMPLES): Promise<string> {
      await database.query("SET plan_cache_mode = force_generic_plan");
      await database.query(`PREPARE ${verb} AS ${statements[verb].text}`);
      const lines = await database.query(`EXPLAIN EXECUTE ${verb} (${EXAMPLES[verb].join()})`);
      await database.query(`DEALLOCATE ${verb}`);
      return lines.map(([line]) => line).join("\n");
    }

    test.each(Object.keys(EXAMPLES) as (keyof typeof EXAMPLES)[])(
      "%s reads no more of it than it needs",
      async (verb) => {
        const plan = await planOf(verb);
        expect(plan).not.toContain("Seq Scan");
        const expected = {
          // It begins with what expired first, and does not go past what lives.
          removeExpired: /Index Scan using sallyport_records_expiry .*\n +Index Cond: \(expires_at <=/,
          save: /Conflict Arbiter Indexes: sallyport_records_pkey/,
          claim: /Conflict Arbiter Indexes: sallyport_records_pkey/,
        };
        const asked =
          verb in expected
            ? expected[verb as keyof typeof expected]
            : /Index (Only )?Scan using sallyport_records_pkey/;
        expect(plan).toMatch(asked);
      },
    );
  },
);

test("no two texts have one name, and every name is one that PostgreSQL does not cut off", () => {
  const all = [statements, statementsFor(tableName("other")), statementsFor(tableName("t".repeat(56)))].flatMap(
    (each) => Object.values(each),
  );
  const texts = new Set(all.map(({ text }) => text));
  expect(new Set(all.map(({ name }) => name)).size).toBe(texts.size);
  for (const { name } of all) expect(name).toMatch(/^[\w-]{1,63}$/);
});
