/** What the core seals, over this storage, with every client. */

import { installedRedis, type RedisServer, startRedis } from "@sallyport/test-servers";
import { everySealedClause } from "@sallyport/test-servers/storage-proofs";
import { afterAll, beforeAll, describe } from "vitest";
import { SINGLE } from "../test/clients.ts";
import { patient } from "../test/stores.ts";

describe.skipIf((await installedRedis()) === undefined)("what is sealed", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());

  describe.concurrent.each(Object.entries(SINGLE))("%s", (_client, open) => {
    everySealedClause(patient(() => open(server)));
  });
});
