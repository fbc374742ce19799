/** From registration to revocation without any adapter, on every kind of storage. */
import { PostgresStore } from "@sallyport/storage-postgres";
import { installedPostgres, startPostgres } from "@sallyport/test-servers";
import { onTestFinished, test } from "vitest";
import { CLIENTS } from "../../storage-postgres/test/clients.ts";
import { accountsJourneyThrough } from "../test/accounts-journey.ts";
import { tried } from "../test/fetch-function.ts";
import { testJourneys } from "../test/journeys.ts";

testJourneys(tried);

test.skipIf((await installedPostgres()) === undefined)(
  "the whole journey with an account, with its state in postgres",
  async () => {
    const server = await startPostgres();
    const { client, close } = CLIENTS.pg(server);
    onTestFinished(async () => {
      await close();
      await server.stop();
    });
    const storage = new PostgresStore({ client });
    await storage.migrate();
    for (const { subject } of tried) await accountsJourneyThrough(subject, storage);
  },
);
