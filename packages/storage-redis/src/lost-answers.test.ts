/** Connections that are cut and servers that are killed in the middle of work: calls reject, and no answer is a lie. */

import { installedRedis, type RedisServer, startRedis, startRedisCluster } from "@sallyport/test-servers";
import { noAnswerIsALie } from "@sallyport/test-servers/storage-proofs";
import { describe, type TestContext, test } from "vitest";
import { CLUSTER, type OpenClient, SINGLE } from "../test/clients.ts";
import { RedisStore } from "./redis-store.ts";

const TIMEOUT = { timeout: 120_000 };
const CUTS = 40;
const KILLS = 5;

/** Works through a store of one test while something happens again and again. */
async function workDuring(
  { onTestFinished }: TestContext,
  opened: OpenClient,
  times: number,
  fault: () => Promise<unknown>,
): Promise<void> {
  onTestFinished(() => opened.close());
  await noAnswerIsALie(new RedisStore({ client: opened.client }), Array<typeof fault>(times).fill(fault));
}

const cut = (servers: readonly RedisServer[]) => () =>
  Promise.all(servers.map((server) => server.command("CLIENT KILL TYPE normal")));

describe.skipIf((await installedRedis()) === undefined).concurrent("no answer is a lie", () => {
  describe.each(Object.entries(SINGLE))("%s, one server", (_name, open) => {
    test("while connections are cut", TIMEOUT, async (context) => {
      const server = await startRedis();
      context.onTestFinished(() => server.stop());
      await workDuring(context, await open(server), CUTS, cut([server]));
    });

    test("while the server is killed and started again", TIMEOUT, async (context) => {
      const server = await startRedis();
      context.onTestFinished(() => server.stop());
      await workDuring(context, await open(server), KILLS, async () => {
        await server.kill();
        await server.start();
      });
    });
  });

  describe.each(Object.entries(CLUSTER))("%s, a cluster", (_name, open) => {
    test("while connections are cut", TIMEOUT, async (context) => {
      const cluster = await startRedisCluster();
      context.onTestFinished(() => cluster.stop());
      await workDuring(context, await open(cluster), CUTS, cut(cluster.nodes));
    });
  });
});
