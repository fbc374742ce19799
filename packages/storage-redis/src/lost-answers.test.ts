/** Connections that are cut and servers that are killed in the middle of work: calls reject, and no answer is a lie. */

import { installedRedis, type RedisServer, startRedis, startRedisCluster, until } from "@sallyport/test-servers";
import { describe, expect, type TestContext, test } from "vitest";
import { CLUSTER, type OpenClient, SINGLE } from "../test/clients.ts";
import { Workload } from "../test/workload.ts";
import { RedisStore } from "./redis-store.ts";

const TIMEOUT = { timeout: 120_000 };
const CUTS = 40;

/** Works through a store while `fault` happens again and again, each time after more was confirmed; tells what was wrong. */
async function workDuring(
  { onTestFinished }: TestContext,
  opened: OpenClient,
  times: number,
  fault: () => Promise<unknown>,
): Promise<void> {
  onTestFinished(() => opened.close());
  const store = new RedisStore({ client: opened.client });
  const workload = new Workload(store);
  for (let time = 1; time <= times; time += 1) {
    const before = workload.confirmed;
    await until("work goes on", () => workload.confirmed > before + 5);
    await fault();
  }
  const before = workload.confirmed;
  await until("work goes on after all that", () => workload.confirmed > before + 100);
  const { lies, rejected, claimed } = await workload.stop();
  expect(lies).toEqual([]);
  expect(rejected).toBeGreaterThan(0);
  // Whatever became of the last replace and take: nothing else was ever under these keys.
  for (const key of claimed) expect(["claimed", "replaced", undefined]).toContain(await store.get(key));
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
      await workDuring(context, await open(server), 5, async () => {
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
