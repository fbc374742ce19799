/** The storage contract with every client, also where sessions begin with other isolation than PostgreSQL's default, and on a server of the user's. */

import { installedPostgres, type PostgresServer, startPostgres } from "@sallyport/test-servers";
import { afterAll, beforeAll, describe } from "vitest";
import { CLIENTS } from "../test/clients.ts";
import { everyClause } from "../test/on-trial.ts";

/** Where transactions meet, which they may do in two ways. */
const RACES = [
  "claim-one",
  "claim-undoes",
  "replace-one",
  "replace-loses",
  "replace-undoes",
  "replace-revives",
  "take",
  "cleanup",
  "list",
];

/** What sessions can begin with instead. The one includes the conflicts of the other. */
const LEVELS = { pg: "serializable", postgres: "repeatable read" };

describe.skipIf((await installedPostgres()) === undefined)("the storage contract", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  describe.each(Object.entries(CLIENTS))("%s", (name, open) => {
    describe("with sessions as PostgreSQL begins them", () => {
      everyClause({ open: () => open(server), table: `ordinary_${name}` });
    });

    const level = LEVELS[name === "pg" ? "pg" : "postgres"];
    describe(`with sessions that begin as ${level}`, () => {
      const settings = { default_transaction_isolation: level };
      everyClause({ open: () => open({ ...server, settings }), table: `isolated_${name}` }, RACES);
    });
  });
});

const url = process.env["DATABASE_URL"];
if (url !== undefined) {
  describe.each(Object.entries(CLIENTS))("the storage contract on the server of DATABASE_URL, %s", (name, open) => {
    const table = `sallyport_contract_${name}`;
    everyClause({ open: () => open({ url }), table });
    afterAll(async () => {
      const { query, close } = open({ url });
      await query(`DROP TABLE "${table}"`);
      await close();
    });
  });
}
