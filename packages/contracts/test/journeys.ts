/** The whole journey through an adapter, with every storage and in every place that an adapter is mounted at. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import { DiskStore } from "@sallyport/storage-disk";
import { RedisStore } from "@sallyport/storage-redis";
import { installedRedis, startRedis } from "@sallyport/test-servers";
import { describe, onTestFinished, test } from "vitest";
import { SINGLE } from "../../storage-redis/test/clients.ts";
import { type JourneySurroundings, journeyThrough } from "../src/adapters.ts";
import { nameOf, STORAGES, type Tried } from "./tried.ts";

const hasRedis = (await installedRedis()) !== undefined;

/** Each opens a storage for one test, and closes it afterwards. */
const open: Readonly<Record<(typeof STORAGES)[number], () => Promise<TokenStorage>>> = {
  memory: async () => new MemoryTokenStorage(),
  disk: async () => {
    const directory = mkdtempSync(join(tmpdir(), "sallyport-journey-"));
    const storage = new DiskStore({ directory });
    onTestFinished(async () => {
      await storage.close();
      rmSync(directory, { recursive: true, force: true });
    });
    return storage;
  },
  redis: async () => {
    const server = await startRedis();
    const opened = await SINGLE["ioredis 6"]?.(server);
    if (opened === undefined) throw new Error("There is no client of that name.");
    onTestFinished(async () => {
      opened.close();
      await server.stop();
    });
    return new RedisStore({ client: opened.client });
  },
};

const surroundings: Readonly<Record<string, JourneySurroundings>> = {
  "behind a body parser": { parsers: "before" },
  "in front of body parsers": { parsers: "behind" },
  "behind a proxy that strips a prefix": { strippedPrefix: "/auth" },
};

/** One test for each of them, on everything that an adapter is tried with. */
export function testJourneys(tried: readonly Tried[]): void {
  for (const one of tried) {
    describe(nameOf(one), () => {
      for (const name of STORAGES)
        test.skipIf(name === "redis" && !hasRedis)(`the whole journey, with its state in ${name}`, async () =>
          journeyThrough(one.subject, await open[name]()),
        );
      for (const [name, where] of Object.entries(surroundings))
        test(`the whole journey, ${name}`, () => journeyThrough(one.subject, new MemoryTokenStorage(), where));
    });
  }
}
