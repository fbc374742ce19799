/** What the core seals, over this storage, with every client. */

import { setTimeout as pause } from "node:timers/promises";
import { type SealedStorageSubject, sealedStorageContract } from "@sallyport/contracts";
import { EncryptedTokenStorage } from "@sallyport/oauth-core";
import { installedPostgres, type PostgresServer, startPostgres } from "@sallyport/test-servers";
import { afterAll, beforeAll, describe, test } from "vitest";
import { CLIENTS, type OpenClient } from "../test/clients.ts";
import { PostgresStore } from "./postgres-store.ts";

/** Long, because this machine may have more to do. */
const PATIENT_MS = 15_000;
const TABLE = "sallyport_sealed";

describe.skipIf((await installedPostgres()) === undefined).each(Object.entries(CLIENTS))("%s", (_client, open) => {
  const clients: OpenClient[] = [];
  let server: PostgresServer;
  const store = () => {
    const opened = open({ url: server.url, connections: 3 });
    clients.push(opened);
    return new PostgresStore({ client: opened.client, table: TABLE, timeoutMs: PATIENT_MS });
  };
  beforeAll(async () => {
    server = await startPostgres();
    await store().migrate();
  }, 60_000);
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await server.stop();
  });

  const subject: SealedStorageSubject = {
    EncryptedTokenStorage,
    open: async () => store(),
    advance: (seconds) => pause(seconds * 1000),
  };

  for (const clause of sealedStorageContract)
    test(`${clause.id}: ${clause.sentence}`, { timeout: 60_000 }, () => clause.check(subject));
});
