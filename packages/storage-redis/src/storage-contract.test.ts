/** The storage contract on one server, on a cluster, and on a master that is found through Sentinel, with every client. */

import { join } from "node:path";
import {
  installedRedis,
  installedValkey,
  type RedisCluster,
  type RedisSentinel,
  type RedisServer,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
} from "@sallyport/test-servers";
import { clausesAboutFailure, everyClause, type Fault } from "@sallyport/test-servers/storage-proofs";
import { afterAll, beforeAll, describe, test } from "vitest";
import { CLUSTER, type OpenClient, SENTINEL, SINGLE } from "../test/clients.ts";
import { impatient, patient } from "../test/stores.ts";
import { RedisStore } from "./redis-store.ts";

/** Declares the tests of every clause, and of those about failure once for each fault. `open` opens another client of the backend. */
function onTrial(open: () => Promise<OpenClient>, faults: Readonly<Record<string, Fault>>): void {
  describe("the storage contract", { concurrent: false }, () => everyClause(patient(open)));
  clausesAboutFailure(() => impatient(open), faults);
}

/** Declares the tests for one server of a program that speaks Redis. */
function onServers(path?: string): void {
  describe.each(Object.entries(SINGLE))("%s", (_client, open) => {
    let server: RedisServer;
    beforeAll(async () => {
      server = await startRedis(path);
    });
    afterAll(() => server.stop());
    onTrial(() => open(server), {
      paused: { begin: () => server.pause(), end: () => server.resume() },
      killed: { begin: () => server.kill(), end: () => server.start() },
    });
  });
}

// Most of it is waiting, so everything waits at once; each client has servers of its own.
describe.skipIf((await installedRedis()) === undefined).concurrent("Redis", () => {
  describe.each(Object.entries(CLUSTER))("a cluster, %s", (_client, open) => {
    let cluster: RedisCluster;
    beforeAll(async () => {
      cluster = await startRedisCluster();
    });
    afterAll(() => cluster.stop());
    onTrial(() => open(cluster), {
      paused: { begin: () => cluster.pause(), end: () => cluster.resume() },
      killed: { begin: () => cluster.kill(), end: () => cluster.start() },
    });
  });

  describe("one server", () => onServers());

  // Vitest lets five of one group run at a time, so this is one of its own.
  describe("Sentinel", () => {
    describe.each(Object.entries(SENTINEL))("%s", (_client, open) => {
      let sentinel: RedisSentinel;
      beforeAll(async () => {
        sentinel = await startRedisSentinel();
      });
      afterAll(() => sentinel.stop());
      onTrial(() => open(sentinel), {});

      const title = "when the replica takes over, the same store goes on with what the master had";
      test(title, { concurrent: false }, async ({ expect, onTestFinished }) => {
        const { client, healthy, close } = await open(sentinel);
        onTestFinished(close);
        const store = new RedisStore({ client });
        await store.save("before", "value", 3600);
        expect(await store.replace("before", "value", "replaced", 3600)).toBe(true);
        await sentinel.failOver();
        await healthy();
        expect(await store.get("before")).toBe("replaced");
        expect(await store.claim("before", "again", 3600)).toBe(false);
        expect(await store.replace("before", "replaced", "after", 3600)).toBe(true);
      });
    });
  });
});

const folder = installedValkey();
if (folder !== undefined) describe.concurrent("Valkey", () => onServers(join(folder, "valkey-server")));
else test.skipIf(true)("Valkey: not tested here, because valkey-server is not on PATH", () => undefined);

const url = process.env["REDIS_URL"];
if (url !== undefined) {
  describe.concurrent.each(Object.entries(SINGLE))("the server of REDIS_URL, %s", (_client, open) => {
    onTrial(() => open({ url }), {});
  });
}
