/** What the store does beyond the contract: with real servers, and every client. */

import { EventEmitter } from "node:events";
import { inspect } from "node:util";
import {
  installedRedis,
  type RedisCluster,
  type RedisServer,
  startRedis,
  startRedisCluster,
  until,
} from "@sallyport/test-servers";
import { everyKey, everyVerbWorks, refusesWhatNoStorageTakes } from "@sallyport/test-servers/storage-proofs";
import { Cluster, Redis } from "ioredis";
import { createClient, createClientPool, createSentinel, RESP_TYPES } from "redis";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CLUSTER, type OpenClient, SINGLE } from "../test/clients.ts";
import { RedisStore, type RedisStoreOptions } from "./redis-store.ts";

const LONG = 3600;
const TIMEOUT = { timeout: 60_000 };

/** A number that a server tells of itself. */
async function figure(server: RedisServer, name: string): Promise<number> {
  return Number(new RegExp(`${name}:(\\d+)`).exec(await server.command("INFO stats"))?.[1]);
}

/** A client for one test. */
async function opened(opening: Promise<OpenClient>): Promise<OpenClient> {
  const client = await opening;
  onTestFinished(() => client.close());
  return client;
}

describe.skipIf((await installedRedis()) === undefined)("with Redis", () => {
  let server: RedisServer;
  let cluster: RedisCluster;
  beforeAll(async () => {
    [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([server.stop(), cluster.stop()]);
  });

  /** Everything that can be connected to, by name. */
  const everyClient: readonly (readonly [string, () => Promise<OpenClient>, () => readonly RedisServer[]])[] = [
    ...Object.entries(SINGLE).map(
      ([name, open]) => [`${name}, one server`, () => open(server), () => [server]] as const,
    ),
    ...Object.entries(CLUSTER).map(
      ([name, open]) => [`${name}, a cluster`, () => open(cluster), () => cluster.nodes] as const,
    ),
  ];

  describe.each(everyClient)("%s", (name, open, servers) => {
    test("commands of one turn of the event loop travel together", async () => {
      const { client, healthy } = await opened(open());
      await healthy();
      const store = new RedisStore({ client, prefix: `${name.replaceAll(/\W/g, "")}:` });
      await store.replace("warm", "up", "the script");
      const reads = async (): Promise<number> => {
        const figures = await Promise.all(servers().map((node) => figure(node, "total_reads_processed")));
        return figures.reduce((sum, count) => sum + count, 0);
      };
      const before = await reads();
      const keys = Array.from({ length: 100 }, (_, index) => `record:${index}`);
      await Promise.all(
        keys.flatMap((key) => [
          store.claim(key, "value", LONG),
          store.get(key),
          store.replace(key, "value", "new", LONG),
        ]),
      );
      // 300 commands; a server reads 16 KiB at a time, and each look at its figures is a read or two of its own.
      expect((await reads()) - before).toBeLessThan(12 * servers().length);
      for (const key of keys) expect(await store.get(key)).toBe("new");
    });

    test("replace works when Redis has forgotten the script, for one of all that come at once", async () => {
      const { client, healthy } = await opened(open());
      await healthy();
      const store = new RedisStore({ client });
      await store.save("record", 0, LONG);
      for (let round = 0; round < 5; round += 1) {
        await Promise.all(servers().map((node) => node.command("SCRIPT FLUSH")));
        const verdicts = await Promise.all(
          Array.from({ length: 32 }, () => store.replace("record", round, round + 1, LONG)),
        );
        expect(verdicts.filter(Boolean)).toHaveLength(1);
      }
      expect(await store.get("record")).toBe(5);
    });

    test("close leaves the client connected and as it was", async () => {
      const { client, healthy } = await opened(open());
      await healthy();
      const emitter = client as unknown as EventEmitter;
      const listeners = () => emitter.eventNames().map((event) => [event, emitter.listenerCount(event)]);
      const before = listeners();
      const store = new RedisStore({ client });
      await store.save("record", "value", LONG);
      expect(listeners()).not.toEqual(before);
      await store.close();
      await store.close();
      expect(listeners()).toEqual(before);
      await healthy();
      for (const call of [
        () => store.get("record"),
        () => store.save("record", "value"),
        () => store.claim("record", "value"),
        () => store.cleanup(),
        () => store.list(""),
      ])
        await expect(call()).rejects.toMatchObject({ name: "RedisStoreError", reason: "closed" });
      expect(await new RedisStore({ client }).get("record")).toBe("value");
    });

    test("close waits for the calls under way", async () => {
      const { client, healthy } = await opened(open());
      await healthy();
      const store = new RedisStore({ client });
      const ended: string[] = [];
      const calls = [store.save("record", "value", LONG), store.replace("other", "a", "b")];
      const ends = calls.map((call) => call.then(() => ended.push("call")));
      await store.close();
      ended.push("close");
      await Promise.all(ends);
      expect(ended).toEqual(["call", "call", "close"]);
    });

    test("list walks every server, and keeps to the store's own keys", async () => {
      const { client, healthy } = await opened(open());
      await healthy();
      const prefix = `list-${name.replaceAll(/\W/g, "")}:`;
      const [store, other] = [new RedisStore({ client, prefix }), new RedisStore({ client, prefix: `x${prefix}` })];
      const keys = Array.from({ length: 500 }, (_, index) => `record:${index}`).sort();
      await Promise.all(keys.flatMap((key) => [store.save(key, "value", LONG), other.save(key, "value", LONG)]));
      await store.save("ü\0\ud800*", "value", LONG);
      for (const limit of [Number.NaN, 50.5, 1000, Number.POSITIVE_INFINITY, undefined])
        expect((await everyKey(store, "record:", limit)).sort()).toEqual(keys);
      expect(await everyKey(store, "ü")).toEqual(["ü\0\ud800*"]);
      expect(await everyKey(store, "")).toHaveLength(keys.length + 1);
    });

    test("a ttl is counted by the server, in seconds, up to the longest", async () => {
      const { client } = await opened(open());
      const store = new RedisStore({ client });
      const left = async (key: string): Promise<number> => {
        const answers = await Promise.all(
          servers().map((node) => node.command(`PTTL sallyport:${key}`).catch(() => ":-2")),
        );
        return Math.max(...answers.map((answer) => Number(/^:(-?\d+)/.exec(answer)?.[1] ?? -2)));
      };
      await store.save("hour", "value", 3600);
      expect(await left("hour")).toBeGreaterThan(3500_000);
      expect(await left("hour")).toBeLessThanOrEqual(3600_000);
      await store.replace("hour", "value", "other", 7200);
      expect(await left("hour")).toBeGreaterThan(7100_000);
      await store.replace("hour", "other", "forever");
      expect(await left("hour")).toBe(-1);
      await store.delete("claimed");
      expect(await store.claim("claimed", "value", Number.MAX_SAFE_INTEGER)).toBe(true);
      expect(await left("claimed")).toBeGreaterThan(1e15);
    });
  });

  describe.each(Object.entries(SINGLE))("%s", (name, open) => {
    test("what was given up before it was sent is not sent later", TIMEOUT, async () => {
      const own = await startRedis();
      onTestFinished(() => own.stop());
      const { client, healthy } = await opened(open(own));
      const store = new RedisStore({ client, timeoutMs: 200 });
      await store.save("before", "value", LONG);
      await own.kill();
      await expect(store.save("lost", "value", LONG)).rejects.toMatchObject({ name: "RedisStoreError" });
      await expect(store.claim("lost", "value", LONG)).rejects.toMatchObject({ name: "RedisStoreError" });
      await own.start();
      await healthy();
      expect(await store.get("before")).toBe("value");
      expect(await store.get("lost")).toBeUndefined();
    });

    test("what was given up while it was on its way is not sent again", TIMEOUT, async () => {
      const own = await startRedis();
      onTestFinished(() => own.stop());
      const { client } = await opened(open(own, { autoResendUnfulfilledCommands: false }));
      const store = new RedisStore({ client, timeoutMs: 300 });
      await store.save("before", "value", LONG);
      own.pause();
      await expect(store.save("lost", "value", LONG)).rejects.toMatchObject({ reason: "timeout" });
      await own.kill();
      await own.start();
      await until("the store works again", async () => (await store.get("before")) === "value");
      expect(await store.get("lost")).toBeUndefined();
    });

    test("what was given up within its turn of the event loop is not sent either", async () => {
      const { client, healthy } = await opened(open(server));
      await healthy();
      // After this, the time that is up is noticed before anything is sent.
      await new Promise((resolve) => setImmediate(resolve));
      const call = new RedisStore({ client, timeoutMs: 1 }).save(`too late by ${name}`, "value", LONG);
      const start = performance.now();
      while (performance.now() - start < 10);
      await expect(call).rejects.toMatchObject({ reason: "timeout" });
      expect(await new RedisStore({ client }).get(`too late by ${name}`)).toBeUndefined();
    });

    test("a client that was disconnected rejects at once, and says so", async () => {
      const { client, close } = await opened(open(server));
      const store = new RedisStore({ client, timeoutMs: 2 ** 31 - 1 });
      await store.save("record", "value", LONG);
      close();
      await expect(store.get("record")).rejects.toMatchObject({ reason: "unreachable" });
      await expect(store.list("")).rejects.toMatchObject({ reason: "unreachable" });
    });

    test("what another program has put under a key is refused, and not repeated", async () => {
      const { client } = await opened(open(server));
      const store = new RedisStore({ client });
      await server.command("SET sallyport:foreign s3cret");
      const damaged = await store.get("foreign").catch((error: unknown) => error);
      expect(damaged).toMatchObject({ reason: "damaged" });
      expect(damaged).not.toHaveProperty("cause");
      expect(String(damaged)).not.toContain("s3cret");
      await server.command("DEL sallyport:queue");
      await server.command("LPUSH sallyport:queue s3cret");
      await expect(store.get("queue")).rejects.toMatchObject({ reason: "refused", message: /WRONGTYPE/ });
      await expect(store.replace("queue", "a", "b")).rejects.toMatchObject({ reason: "refused" });
    });

    test("a full server rejects what it does not store, and is not taken for a winner", async () => {
      const { client } = await opened(open(server));
      const store = new RedisStore({ client });
      await store.save("full", "value", LONG);
      await server.command("CONFIG SET maxmemory 1");
      onTestFinished(async () => void (await server.command("CONFIG SET maxmemory 0")));
      await expect(store.claim("full too", "value", LONG)).rejects.toMatchObject({ reason: "refused", message: /OOM/ });
      await expect(store.replace("full", "value", "new", LONG)).rejects.toMatchObject({ reason: "refused" });
      expect(await store.get("full")).toBe("value");
    });

    test("keys that no Unicode text can have still name records of their own", async () => {
      const { client } = await opened(open(server));
      const store = new RedisStore({ client });
      const everyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
      const keys = ["", "\ud800", "\ud801", "\ufffd", "\uffff", "\0\0", ...everyByte];
      for (const key of keys) await store.save(key, { key }, LONG);
      for (const key of keys) expect(await store.get(key)).toEqual({ key });
    });
  });

  describe("options of the client", () => {
    test.each<[string, object]>([
      ["keyPrefix", { keyPrefix: "app:*:" }],
      ["stringNumbers", { stringNumbers: true }],
      ["enableOfflineQueue", { enableOfflineQueue: false }],
      ["lazyConnect", { lazyConnect: true }],
      ["enableAutoPipelining", { enableAutoPipelining: true }],
      ["protocol 2", { protocol: 2 }],
      ["db", { db: 3 }],
      ["replyMapping", { replyMapping: "resp3" }],
      ["autoResendUnfulfilledCommands", { autoResendUnfulfilledCommands: false }],
    ])("ioredis: %s changes nothing", async (_option, options) => {
      const client = new Redis(server.port, "127.0.0.1", options);
      onTestFinished(() => client.disconnect());
      await everythingWorks(client);
    });

    test("ioredis: keyPrefix of a cluster changes nothing", async () => {
      const client = new Cluster(
        cluster.nodes.map(({ url }) => url),
        { keyPrefix: "app:", lazyConnect: true },
      );
      onTestFinished(() => client.disconnect());
      await everythingWorks(client);
    });

    test.each<[string, NonNullable<Parameters<typeof createClient>[0]>]>([
      ["keyPrefix", { keyPrefix: "app:" }],
      ["RESP 2", { RESP: 2 }],
      ["a type mapping", { commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } } }],
      ["disableOfflineQueue", { disableOfflineQueue: true }],
    ])("redis: %s changes nothing", async (_option, options) => {
      const client = createClient({ url: server.url, ...options });
      await client.connect();
      onTestFinished(() => client.destroy());
      await everythingWorks(client);
    });

    async function everythingWorks(client: RedisStoreOptions["client"], prefix = `${Math.random()}:`): Promise<void> {
      await everyVerbWorks(new RedisStore({ client, prefix }));
    }

    test(
      "a client without any listener of its own does not end the process when the server does",
      TIMEOUT,
      async () => {
        const own = await startRedis();
        onTestFinished(() => own.stop());
        const clients = [createClient({ url: own.url }), new Redis(own.url)] as const;
        await clients[0].connect();
        onTestFinished(() => {
          clients[0].destroy();
          clients[1].disconnect();
        });
        const stores = clients.map((client) => new RedisStore({ client, timeoutMs: 300 }));
        for (const store of stores) await store.save("record", "value", LONG);
        await own.kill();
        for (const store of stores)
          await expect(store.get("record")).rejects.toMatchObject({ name: "RedisStoreError" });
      },
    );

    test("where nobody listens, calls reject in time and tell the cause", async () => {
      const own = await startRedis();
      await own.stop();
      const client = new Redis(own.url);
      onTestFinished(() => client.disconnect());
      const failure = await new RedisStore({ client, timeoutMs: 300 }).get("record").catch((error: unknown) => error);
      expect(failure).toMatchObject({ reason: "unreachable", cause: { code: "ECONNREFUSED" } });
    });

    test("a wrong password is told as the cause", async () => {
      const own = await startRedis(undefined, ["--requirepass", "correct"]);
      onTestFinished(() => own.stop());
      const wrong = { password: "wrong s3cret" };
      for (const client of [new Redis(own.url, wrong), new Cluster([own.url], { redisOptions: wrong })]) {
        onTestFinished(() => client.disconnect());
        const failure = await new RedisStore({ client, timeoutMs: 500 }).get("record").catch((error: unknown) => error);
        expect(failure).toMatchObject({ name: "RedisStoreError", cause: { message: /WRONGPASS/ } });
        expect(inspect(failure, { depth: null, showHidden: true })).not.toContain("s3cret");
      }
    });

    test("the store works as a user who may do no more than the README says", async () => {
      const rights = "~sallyport:* +get +set +del +getdel +eval +evalsha +scan +info";
      await server.command(`ACL SETUSER limited reset on >s3cret ${rights}`);
      const user = { username: "limited", password: "s3cret" };
      const clients = [new Redis(server.port, "127.0.0.1", user), createClient({ url: server.url, ...user })] as const;
      await clients[1].connect();
      onTestFinished(() => {
        clients[0].disconnect();
        clients[1].destroy();
      });
      for (const [index, client] of clients.entries()) await everythingWorks(client, `sallyport:${index}:`);
    });

    test("a client that can't keep the promises is refused, and the option is named", async () => {
      const clusterOptions = { lazyConnect: true, scaleReads: "slave" } as const;
      const readsReplicas = new Cluster(["redis://127.0.0.1:1"], clusterOptions);
      const pool = createClientPool({ url: server.url });
      const sentinel = createSentinel({ name: "name", sentinelRootNodes: [{ host: "127.0.0.1", port: 1 }] });
      for (const client of [
        readsReplicas,
        new Redis({ sentinels: [{ host: "127.0.0.1", port: 1 }], name: "name", role: "slave", lazyConnect: true }),
        pool,
        sentinel,
        undefined,
        null,
        {},
        "redis://127.0.0.1",
        new EventEmitter(),
      ]) {
        const before = client instanceof EventEmitter ? client.listenerCount("error") : 0;
        expect(() => new RedisStore({ client: client as RedisStoreOptions["client"] })).toThrow(/^client: /);
        if (client instanceof EventEmitter) expect(client.listenerCount("error")).toBe(before);
      }
    });
  });

  test("a value or a ttl that no storage takes is refused before anything is sent", async () => {
    const { client } = await opened(Promise.resolve(SINGLE["redis 6"]?.(server) ?? Promise.reject(new Error("none"))));
    await refusesWhatNoStorageTakes(new RedisStore({ client }));
  });
});

test("options that can't work are refused, and the option is named", () => {
  const client = new Redis({ lazyConnect: true });
  for (const prefix of ["", "a b", "ü:", "{tag}:", "a\n", "x".repeat(65)]) {
    expect(() => new RedisStore({ client, prefix })).toThrow(/^prefix: /);
  }
  for (const timeoutMs of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    expect(() => new RedisStore({ client, timeoutMs })).toThrow(/^timeoutMs: /);
  }
  for (const prefix of ["a", "app:sallyport:", "!#$%&'()*+,-./[]^_`|~", "x".repeat(64)]) {
    expect(new RedisStore({ client, prefix })).toBeInstanceOf(RedisStore);
  }
  client.disconnect();
});
