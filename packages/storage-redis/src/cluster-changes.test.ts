/** A cluster that changes under the store: slots that move, and masters that go. */

import { installedRedis, type RedisCluster, startRedisCluster } from "@sallyport/test-servers";
import { everyKey } from "@sallyport/test-servers/storage-proofs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLUSTER, type OpenClient } from "../test/clients.ts";
import { keySlot } from "./key-slot.ts";
import { RedisStore } from "./redis-store.ts";

const LONG = 3600;
const ONE_BY_ONE = { concurrent: false, timeout: 60_000 };
const CLIENTS = Object.entries(CLUSTER);

describe.skipIf((await installedRedis()) === undefined).concurrent.each(CLIENTS)("%s", (_name, open) => {
  let cluster: RedisCluster;
  let opened: OpenClient;
  beforeAll(async () => {
    cluster = await startRedisCluster();
    opened = await open(cluster);
    await opened.healthy();
  }, 60_000);
  afterAll(async () => {
    opened.close();
    await cluster.stop();
  });

  test("a slot that has moved is followed, among others of the same turn of the event loop", ONE_BY_ONE, async () => {
    const store = new RedisStore({ client: opened.client, prefix: "moved:" });
    const [from, to] = cluster.nodes;
    if (from === undefined || to === undefined) throw new Error("A cluster has several nodes.");
    const keys = Array.from({ length: 60 }, (_, index) => `record:${index}`);
    await Promise.all(keys.map((key) => store.get(key)));
    const slots = keys.map((key) => keySlot(`moved:${key}`)).filter((slot) => slot < 5000);
    expect(slots.length).toBeGreaterThan(0);
    const id = /\r\n(\w+)/.exec(await to.command("CLUSTER MYID"))?.[1];
    for (const slot of new Set(slots)) {
      await to.command(`CLUSTER SETSLOT ${slot} NODE ${id}`);
      await from.command(`CLUSTER SETSLOT ${slot} NODE ${id}`);
    }
    const claims = await Promise.all(keys.map((key) => store.claim(key, key, LONG)));
    expect(claims).toEqual(keys.map(() => true));
    expect(await Promise.all(keys.map((key) => store.get(key)))).toEqual(keys);
    expect(await Promise.all(keys.map((key) => store.replace(key, key, "new", LONG)))).toEqual(keys.map(() => true));
  });

  test(
    "with one master gone its keys reject and the others answer; nothing is absent, and nothing is sent late",
    ONE_BY_ONE,
    async () => {
      const store = new RedisStore({ client: opened.client, timeoutMs: 500 });
      const keys = Array.from({ length: 60 }, (_, index) => `record:${index}`);
      await Promise.all(keys.map((key) => store.save(key, "value", LONG)));
      await cluster.nodes[2]?.kill();
      const answers = await Promise.allSettled(keys.map((key) => store.get(key)));
      const lost = answers.filter(({ status }) => status === "rejected").length;
      expect(lost).toBeGreaterThan(0);
      expect(lost).toBeLessThan(keys.length);
      for (const answer of answers) if (answer.status === "fulfilled") expect(answer.value).toBe("value");
      await expect(everyKey(store, "record:")).rejects.toMatchObject({ name: "RedisStoreError" });

      await cluster.kill();
      await expect(store.claim("lost", "value", LONG)).rejects.toMatchObject({ name: "RedisStoreError" });
      await cluster.start();
      await opened.healthy();
      expect((await everyKey(store, "record:")).sort()).toEqual(keys.sort());
      expect(await store.get("lost")).toBeUndefined();
    },
  );
});
