/** Several processes over one Redis, each with another client, and processes that end as nobody wished. */

import { installedRedis, Program, type RedisServer, startRedis, startRedisCluster } from "@sallyport/test-servers";
import { describe, expect, type TestContext, test } from "vitest";
import { CLUSTER, type OpenClient, SINGLE } from "../test/clients.ts";
import { RedisStore } from "./redis-store.ts";

const TIMEOUT = { timeout: 60_000 };
const SIZE = 200;
const LIVES = 2;
const RACERS = ["ioredis 6", "redis 6"];

const numbers = Array.from({ length: SIZE }, (_, index) => String(index)).sort();

/** What was said of something, by its first word. */
const told = (lines: readonly string[], word: string): string[] =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

/** A process that runs a file of the tests, and does not outlive this one. */
function started({ onTestFinished }: TestContext, file: string, ...args: readonly string[]): Program {
  const program = new Program(new URL(`../test/${file}`, import.meta.url), ...args);
  onTestFinished(() => program.kill());
  return program;
}

/** A store on a client of this process. */
function storeOn({ onTestFinished }: TestContext, opened: OpenClient | undefined): RedisStore {
  if (opened === undefined) throw new Error("There is no such client.");
  onTestFinished(() => opened.close());
  return new RedisStore({ client: opened.client });
}

/** Lets a process with each client race for everything; `store` looks at what is there before and after. */
async function race(context: TestContext, store: RedisStore, urls: readonly string[]): Promise<void> {
  await Promise.all(
    numbers.flatMap((name) => [
      store.save(`grant:${name}`, "generation 1", 3600),
      store.save(`ticket:${name}`, "one journey", 3600),
    ]),
  );
  await store.save("counter", 0);

  const racers = RACERS.map((client) => started(context, "racer.ts", client, urls.join(), client, String(SIZE)));
  await Promise.all(racers.map((racer) => racer.said(1)));
  for (const racer of racers) racer.go();
  const endings = await Promise.all(racers.map((racer) => racer.ended));
  for (const { code, complaints } of endings) expect({ code, complaints }).toEqual({ code: 0, complaints: "" });

  for (const word of ["claimed", "replaced", "took"]) {
    expect(endings.flatMap(({ lines }) => told(lines, word)).sort()).toEqual(numbers);
  }
  expect(await store.get("counter")).toBe(2 * SIZE);
  // The value at rest is the winner's.
  for (const [index, winner] of RACERS.entries()) {
    for (const won of told(endings[index]?.lines ?? [], "claimed")) {
      expect(await store.get(`code:${won}`)).toEqual({ winner });
    }
  }
}

/** Lets a process write, and kills it in the middle of that; answers with what it has said. */
async function lived(context: TestContext, server: RedisServer, client: string, life: number): Promise<string[]> {
  const writer = started(context, "writer.ts", client, server.url, `${client} ${life}`);
  await writer.said(50 + 37 * life);
  writer.kill();
  const { signal, lines, complaints } = await writer.ended;
  expect({ signal, complaints }).toEqual({ signal: "SIGKILL", complaints: "" });
  return [...lines];
}

/** Holds what was confirmed against what is there. */
async function everythingIsThere(store: RedisStore, said: readonly string[]): Promise<void> {
  const whole = (index: number) => ({ first: index, filling: expect.stringMatching(/^x+$/), last: index });
  const indexOf = (name: string): number => Number(name.split(":").at(-1));
  const deleted = new Set(told(said, "deleted"));
  const claimed = told(said, "claimed");
  expect(claimed.length).toBeGreaterThan(0);
  for (const name of claimed) {
    const value = await store.get(`claimed:${name}`);
    if (deleted.has(name)) expect(value).toBeUndefined();
    // The delete of an even one may have been on its way.
    else if (indexOf(name) % 2 === 1 || value !== undefined) expect(value).toEqual(whole(indexOf(name)));
  }
  const generations = told(said, "replaced").map(
    (name) => [name.slice(0, name.lastIndexOf(":")), indexOf(name)] as const,
  );
  for (const [lane, confirmed] of new Map(generations)) {
    const value = (await store.get(`generation:${lane}`)) as { readonly last: number };
    // One more may have been on its way.
    expect([confirmed, confirmed + 1]).toContain(value.last);
    expect(value).toEqual(whole(value.last));
  }
}

describe.skipIf((await installedRedis()) === undefined).concurrent("several processes", () => {
  describe("of two that race for each code, refresh and ticket, one wins each, and no increment is lost", () => {
    test("one server", TIMEOUT, async (context) => {
      const server = await startRedis();
      context.onTestFinished(() => server.stop());
      await race(context, storeOn(context, await SINGLE["redis 6"]?.(server)), [server.url]);
    });

    test("a cluster", TIMEOUT, async (context) => {
      const cluster = await startRedisCluster();
      context.onTestFinished(() => cluster.stop());
      const urls = cluster.nodes.map(({ url }) => url);
      await race(context, storeOn(context, await CLUSTER["redis 6"]?.(cluster)), urls);
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
        const lines = await Promise.all(RACERS.map((client) => lived(context, server, client, life)));
        said.push(...lines.flat());
      }
      await server.kill();
      await server.start();
      await everythingIsThere(storeOn(context, await SINGLE["redis 6"]?.(server)), said);
    },
  );
});
