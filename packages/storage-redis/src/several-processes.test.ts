/** Several processes over one Redis, each with another client, and processes that end as nobody wished. */

import { installedRedis, type Program, startRedis, startRedisCluster } from "@sallyport/test-servers";
import { everythingIsThere, killedWhileWriting, race, startedFor } from "@sallyport/test-servers/storage-proofs";
import { describe, type TestContext, test } from "vitest";
import { CLUSTER, type OpenClient, SINGLE } from "../test/clients.ts";
import { RedisStore } from "./redis-store.ts";

const TIMEOUT = { timeout: 60_000 };
const SIZE = 200;
const LIVES = 2;
const RACERS = ["ioredis 6", "redis 6"];

/** A program of the tests' folder. */
function started(context: TestContext, name: string, ...args: readonly string[]): Program {
  return startedFor(context, new URL(`../test/${name}.ts`, import.meta.url), ...args);
}

/** A store on a client of this process. */
function storeOn({ onTestFinished }: TestContext, opened: OpenClient | undefined): RedisStore {
  if (opened === undefined) throw new Error("There is no such client.");
  onTestFinished(() => opened.close());
  return new RedisStore({ client: opened.client });
}

/** Lets a process with each client race for everything. */
async function raceOn(context: TestContext, store: RedisStore, urls: readonly string[]): Promise<void> {
  const racers = new Map(
    RACERS.map((client) => [client, started(context, "racer", client, urls.join(), client, String(SIZE))]),
  );
  await Promise.all([...racers.values()].map((racer) => racer.said(1)));
  await race(store, racers, SIZE);
}

describe.skipIf((await installedRedis()) === undefined).concurrent("several processes", () => {
  describe("of two that race for each code, refresh and ticket, one wins each, and no increment is lost", () => {
    test("one server", TIMEOUT, async (context) => {
      const server = await startRedis();
      context.onTestFinished(() => server.stop());
      await raceOn(context, storeOn(context, await SINGLE["redis 6"]?.(server)), [server.url]);
    });

    test("a cluster", TIMEOUT, async (context) => {
      const cluster = await startRedisCluster();
      context.onTestFinished(() => cluster.stop());
      const urls = cluster.nodes.map(({ url }) => url);
      await raceOn(context, storeOn(context, await CLUSTER["redis 6"]?.(cluster)), urls);
    });
  });

  test(
    "after SIGKILL, to writers and server, what was confirmed is there, and nothing is torn",
    TIMEOUT,
    async (context) => {
      const server = await startRedis();
      context.onTestFinished(() => server.stop());
      const said: string[] = [];
      for (let life = 0; life < LIVES; life += 1) {
        const [victim, survivor] = [
          started(context, "writer", "ioredis 6", server.url, `victim ${life}`),
          started(context, "writer", "redis 6", server.url, `survivor ${life}`),
        ];
        said.push(...(await killedWhileWriting(victim, survivor, life)));
      }
      await server.kill();
      await server.start();
      await everythingIsThere(storeOn(context, await SINGLE["redis 6"]?.(server)), said);
    },
  );
});
