/** What the core seals, over this storage, with every client. */

import { setTimeout as pause } from "node:timers/promises";
import { type SealedStorageSubject, sealedStorageContract } from "@sallyport/contracts";
import { EncryptedTokenStorage } from "@sallyport/oauth-core";
import { installedRedis, type RedisServer, startRedis } from "@sallyport/test-servers";
import { afterAll, beforeAll, describe, test } from "vitest";
import { type OpenClient, SINGLE } from "../test/clients.ts";
import { RedisStore } from "./redis-store.ts";

/** Long, because this machine may have more to do. */
const PATIENT_MS = 15_000;

const clients = Object.entries(SINGLE);

describe.skipIf((await installedRedis()) === undefined).concurrent.each(clients)("%s", (_client, open) => {
  const opened: OpenClient[] = [];
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(async () => {
    for (const client of opened) client.close();
    await server.stop();
  });

  const subject: SealedStorageSubject = {
    EncryptedTokenStorage,
    open: async () => {
      const one = await open(server);
      opened.push(one);
      return new RedisStore({ client: one.client, timeoutMs: PATIENT_MS });
    },
    advance: (seconds) => pause(seconds * 1000),
  };

  for (const clause of sealedStorageContract)
    test(`${clause.id}: ${clause.sentence}`, { timeout: 60_000, concurrent: false }, () => clause.check(subject));
});
