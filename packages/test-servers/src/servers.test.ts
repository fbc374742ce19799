import { describe, expect, onTestFinished, test } from "vitest";
import { installedPostgres, installedRedis } from "./installation.ts";
import { startPostgres } from "./postgres.ts";
import { startRedis, startRedisCluster, startRedisSentinel } from "./redis.ts";

const TIMEOUT = { timeout: 60_000 };

describe.skipIf((await installedRedis()) === undefined)("Redis", () => {
  test("what a server has confirmed is there when it was killed and started again", TIMEOUT, async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    await server.command("SET key value");
    await server.kill();
    await expect(server.command("GET key")).rejects.toThrow("ECONNREFUSED");
    await server.start();
    expect(await server.command("GET key")).toContain("value");
  });

  test("a paused server answers when it goes on", TIMEOUT, async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    server.pause();
    const answer = server.command("PING");
    server.resume();
    expect(await answer).toContain("PONG");
  });

  test("a cluster has three masters, and works again when all of them were killed", TIMEOUT, async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    await cluster.kill();
    await cluster.start();
    for (const node of cluster.nodes) expect(await node.command("CLUSTER INFO")).toContain("cluster_size:3");
  });

  test("the replica takes over when the master is killed", TIMEOUT, async () => {
    const watched = await startRedisSentinel();
    onTestFinished(() => watched.stop());
    const first = await watched.master();
    await first.command("SET key value");
    await watched.failOver();
    const second = await watched.master();
    expect(second.port).not.toBe(first.port);
    expect(await second.command("GET key")).toContain("value");
  });
});

describe.skipIf((await installedPostgres()) === undefined)("PostgreSQL", () => {
  test("a server starts again after it was killed", TIMEOUT, async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    await server.kill();
    await server.start();
    server.pause();
    server.resume();
  });
});
