/** The storage contract and that of what the core seals with every client, the first also where sessions begin with other isolation than PostgreSQL's default, and on a server of the user's. */

import { installedPostgres, type PostgresServer, startPostgres } from "@sallyport/test-servers";
import { everyClause, everySealedClause } from "@sallyport/test-servers/storage-proofs";
import { afterAll, beforeAll, describe } from "vitest";
import { CLIENTS } from "../test/clients.ts";
import { patient } from "../test/stores.ts";

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
      everyClause(patient({ open: () => open(server), table: `ordinary_${name}` }));
    });

    const level = LEVELS[name === "pg" ? "pg" : "postgres"];
    describe(`with sessions that begin as ${level}`, () => {
      const settings = { default_transaction_isolation: level };
      everyClause(patient({ open: () => open({ ...server, settings }), table: `isolated_${name}` }), RACES);
    });
  });

  describe.concurrent.each(Object.entries(CLIENTS))("%s, of what is sealed", (name, open) => {
    everySealedClause(patient({ open: () => open({ url: server.url, connections: 3 }), table: `sealed_${name}` }));
  });
});

const url = process.env["DATABASE_URL"];
if (url !== undefined) {
  describe.each(Object.entries(CLIENTS))("the storage contract on the server of DATABASE_URL, %s", (name, open) => {
    const table = `sallyport_contract_${name}`;
    everyClause(patient({ open: () => open({ url }), table }));
    afterAll(async () => {
      const { query, close } = open({ url });
      await query(`DROP TABLE "${table}"`);
      await close();
    });
  });
}
