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
import { type AccountsSurroundings, accountsJourneyThrough } from "./accounts-journey.ts";
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

const accountsSurroundings: Readonly<Record<string, AccountsSurroundings>> = {
  "behind a proxy that ends TLS": { publicUrl: "https://notes.example.com" },
  "behind a proxy that ends TLS and strips a prefix, and behind a body parser": {
    publicUrl: "https://example.com/notes-server",
    strippedPrefix: "/notes-server",
    parsers: "before",
  },
};

/** One test for each of them, on everything that an adapter is tried with. */
export function testJourneys(tried: readonly Tried[]): void {
  for (const one of tried) {
    describe(nameOf(one), () => {
      for (const name of STORAGES) {
        const isAway = name === "redis" && !hasRedis;
        test.skipIf(isAway)(`the whole journey, with its state in ${name}`, async () =>
          journeyThrough(one.subject, await open[name]()),
        );
        test.skipIf(isAway)(`the whole journey with an account, with its state in ${name}`, async () =>
          accountsJourneyThrough(one.subject, await open[name]()),
        );
      }
      for (const [name, where] of Object.entries(surroundings))
        test(`the whole journey, ${name}`, () => journeyThrough(one.subject, new MemoryTokenStorage(), where));
      for (const [name, where] of Object.entries(accountsSurroundings))
        test(`the whole journey with an account, ${name}`, () =>
          accountsJourneyThrough(one.subject, new MemoryTokenStorage(), where));
    });
  }
}
