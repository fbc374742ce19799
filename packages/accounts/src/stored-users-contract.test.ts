/** The whole contract of user stores, over every storage, with real servers. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type UserStoreSubject, userStoreContract } from "@sallyport/contracts/users";
import type { AtomicTokenStorage } from "@sallyport/oauth-core/storage";
import { DiskStore } from "@sallyport/storage-disk";
import { PostgresStore } from "@sallyport/storage-postgres";
import { RedisStore } from "@sallyport/storage-redis";
import { installedPostgres, installedRedis, startPostgres, startRedis, until } from "@sallyport/test-servers";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, test } from "vitest";
import { RemoteMemory } from "../test/remote-memory.ts";
import { newKey, type Surroundings, usersOver } from "../test/stored-users.ts";

/** As long as a clause about failure can wait for. */
const TIMEOUT_MS = 2000;
const SOON_MS = 30;
const PATIENT = { timeout: 120_000 };

/** A backend of its own, and how storages over it are opened. */
interface Backend extends Pick<UserStoreSubject, "fail"> {
  open(): AtomicTokenStorage;
  stop(): Promise<unknown>;
}

const backends: Readonly<Record<string, () => Promise<Backend>>> = {
  memory: async () => {
    const storage = new RemoteMemory();
    return {
      open: () => storage,
      fail: async () => {
        storage.reachable = false;
        return async () => {
          storage.reachable = true;
        };
      },
      stop: async () => undefined,
    };
  },
  disk: async () => {
    const directory = mkdtempSync(join(tmpdir(), "sallyport-users-"));
    const stores = [new DiskStore({ directory }), new DiskStore({ directory })] as const;
    return {
      open: takingTurns(stores),
      stop: async () => {
        for (const store of stores) await store.close();
        rmSync(directory, { recursive: true });
      },
    };
  },
  redis: async () => {
    const server = await startRedis();
    const clients = [connected(server.url), connected(server.url)] as const;
    const stores = clients.map((client) => new RedisStore({ client, timeoutMs: TIMEOUT_MS }));
    return {
      open: takingTurns(stores),
      fail: async () => {
        await server.kill();
        return async () => {
          await server.start();
          for (const client of clients) await until("the client is connected again", () => answers(client));
        };
      },
      stop: async () => {
        for (const client of clients) client.disconnect();
        await server.stop();
      },
    };
  },
  postgres: async () => {
    const server = await startPostgres();
    const pools = [new Pool({ connectionString: server.url }), new Pool({ connectionString: server.url })] as const;
    const stores = pools.map((client) => new PostgresStore({ client, timeoutMs: TIMEOUT_MS }));
    for (const store of stores) await store.migrate();
    return {
      open: takingTurns(stores),
      fail: async () => {
        await server.kill();
        return async () => {
          await server.start();
          for (const pool of pools) await until("the pool connects again", () => pool.query("SELECT 1"));
        };
      },
      stop: async () => {
        for (const pool of pools) await pool.end();
        await server.stop();
      },
    };
  },
};

function takingTurns(stores: readonly AtomicTokenStorage[]): () => AtomicTokenStorage {
  let turn = 0;
  return () => {
    const store = stores[turn++ % stores.length];
    if (store === undefined) throw new Error("There is no store.");
    return store;
  };
}

function connected(url: string): Redis {
  const client = new Redis(url, { retryStrategy: () => SOON_MS });
  client.on("error", () => undefined);
  return client;
}

async function answers(client: Redis): Promise<boolean> {
  return client.status === "ready" && (await client.ping()) === "PONG";
}

const installed: Readonly<Record<string, unknown>> = {
  memory: "always",
  disk: "always",
  redis: await installedRedis(),
  postgres: await installedPostgres(),
};

const [older, newer] = [newKey(), newKey()];

/** How the keys of the instances are set, one after the other. */
const settings: Readonly<Record<string, readonly Surroundings[]>> = {
  "one key": [{ keys: [newer] }],
  "two keys, of which another is the first in every second process": [
    { keys: [older, newer] },
    { keys: [newer, older] },
  ],
  "encryption turned off": [{ keys: [newer], unsealed: true }],
};

describe.each(Object.entries(backends))("StoredUsers over %s", (name, start) => {
  describe.skipIf(installed[name] === undefined).each(Object.entries(settings))("with %s", (_setting, instances) => {
    let backend: Backend;
    let opened = 0;
    beforeAll(async () => {
      backend = await start();
    });
    afterAll(() => backend.stop());

    const subject = (): UserStoreSubject => ({
      open: async () => usersOver(backend.open(), instances[opened++ % instances.length]),
      fail: backend.fail,
    });
    for (const clause of userStoreContract)
      test(`${clause.id}: ${clause.sentence}`, PATIENT, () => clause.check(subject()));
  });
});
