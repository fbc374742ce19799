/** What the storage contract says of an unreachable backend, with every client and every kind of outage. */

import { installedPostgres, type PostgresServer, startPostgres } from "@sallyport/test-servers";
import { clausesAboutFailure } from "@sallyport/test-servers/storage-proofs";
import { afterAll, beforeAll, describe } from "vitest";
import { CLIENTS } from "../test/clients.ts";
import { impatient } from "../test/stores.ts";

// Mostly they wait for calls that nobody answers, each client with a server of its own.
describe.skipIf((await installedPostgres()) === undefined).concurrent.each(Object.entries(CLIENTS))(
  "%s",
  (_name, open) => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgres();
    }, 60_000);
    afterAll(() => server.stop());
    clausesAboutFailure(
      () => impatient({ open: () => open({ url: server.url, connections: 3 }), table: "sallyport_records" }),
      {
        paused: { begin: () => server.pause(), end: () => server.resume() },
        killed: { begin: () => server.kill(), end: () => server.start() },
      },
    );
  },
);
