/** The storages that STORAGE can name: real servers, and what is said of those that can't be used. */
import { EventEmitter, once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import {
  installedPostgres,
  installedRedis,
  type PostgresServer,
  type RedisServer,
  startPostgres,
  startRedis,
  startRedisCluster,
  until,
} from "@sallyport/test-servers";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { EnvironmentError } from "./configuration.ts";
import { tellOutages } from "./outages.ts";
import { openStorage } from "./storage.ts";

const PASSWORD = "correct%20horse%23battery";

/** What is wrong with a setting, in the words that people read. */
async function problemOf(setting: string): Promise<string> {
  const error: unknown = await openStorage(setting).then(
    ({ close }) => close(),
    (reason: unknown) => reason,
  );
  if (!(error instanceof EnvironmentError)) throw error ?? new Error("It was opened.");
  return error.message;
}

/** What a storage that was opened at a setting remembers, for one that is opened later. */
async function expectRemembered(setting: string): Promise<void> {
  const first = await openStorage(setting);
  await first.storage.save("key", { kept: true }, 60);
  await first.close();
  const second = await openStorage(setting);
  onTestFinished(() => second.close());

  expect(await second.storage.get("key")).toEqual({ kept: true });
}

test.each(["clay-tablets", "clay-tablets:/pyramid", "Redis://127.0.0.1", "", ":", "//"])(
  "%j names no storage",
  async (setting) => {
    expect(await problemOf(setting)).toBe(
      "STORAGE: has to be one of memory, disk, redis, rediss, postgres, postgresql",
    );
  },
);

test.each([
  "redis:",
  "redis://",
  "redis:6379",
  `redis://user:${PASSWORD}@127.0.0.1:99999`,
  "redis://:p#ss@127.0.0.1",
  "redis://:100%@127.0.0.1",
])("%s is no URL of a server, and is not repeated", async (setting) => {
  expect(await problemOf(setting)).toBe(
    "STORAGE: has to be a URL such as redis://127.0.0.1:6379, with whatever is special in a password percent-encoded",
  );
});

test.each(["postgres:", "postgresql:5432", `postgres://user:${PASSWORD}@127.0.0.1:99999/db`, "postgres://u:p#ss@db"])(
  "%s is no URL of a database, and is not repeated",
  async (setting) => {
    expect(await problemOf(setting)).toBe(
      "STORAGE: has to be a URL such as postgres://user@127.0.0.1:5432/database, with whatever is special in a password percent-encoded",
    );
  },
);

test.each([
  ["redis://user:@127.0.0.1:1", "Redis", "connect ECONNREFUSED 127.0.0.1:1"],
  ["postgres://user:@127.0.0.1:1/db", "PostgreSQL", "connect ECONNREFUSED 127.0.0.1:1"],
  ["postgresql://user:@localhost:1/db", "PostgreSQL", expect.stringContaining("ECONNREFUSED")],
])("where nobody listens, as at %s, one line tells it, without the password", async (url, name, reason) => {
  const problem = await problemOf(url.replace(":@", `:${PASSWORD}@`));
  const [before, after] = problem.split(" can't be used: ");

  expect([before, after]).toEqual([`STORAGE: ${name}`, reason]);
});

test("rediss:// speaks TLS, and says nothing in the clear", async () => {
  const received: Buffer[] = [];
  const server = createServer((socket) => socket.on("data", (chunk) => received.push(chunk) && socket.destroy()));
  onTestFinished(() => void server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const problem = await problemOf(`rediss://user:${PASSWORD}@127.0.0.1:${(server.address() as AddressInfo).port}`);

  expect(problem).toMatch(/^STORAGE: Redis can't be used: [^\n]+$/);
  // RFC 8446 §5.1: 22 is a handshake.
  expect(received[0]?.[0]).toBe(22);
  expect(Buffer.concat(received).includes("AUTH")).toBe(false);
});

test("of an outage the log tells once, until it is over", () => {
  const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
  onTestFinished(() => told.mockRestore());
  const client = new EventEmitter();
  tellOutages(client, "ready");
  for (const event of ["error", "error", "ready", "error", "error"]) client.emit(event, new Error("refused"));

  expect(told.mock.calls).toEqual([
    ["storage:", "refused"],
    ["storage:", "refused"],
  ]);
});

describe.skipIf((await installedRedis()) === undefined)("Redis", () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await startRedis(undefined, ["--requirepass", decodeURIComponent(PASSWORD)]);
  });
  afterAll(() => server.stop());

  const url = (password: string) => server.url.replace("//", `//:${password}@`);

  test("remembers what another process has saved", async () => {
    await expectRemembered(url(PASSWORD));
  });

  test.each([
    ["a wrong password", () => url("not-the-password")],
    ["no password", () => server.url],
    ["a database that is not there", () => `${url(PASSWORD)}/99`],
  ])("%s is told of in one line, and is not repeated", async (_what, setting) => {
    const problem = await problemOf(setting());

    expect(problem).toMatch(/^STORAGE: Redis can't be used: [^\n]+$/);
    expect(problem).not.toContain("not-the-password");
  });

  test("a server that does not answer is told of, and is not waited for without end", async () => {
    server.pause();
    onTestFinished(() => server.resume());

    expect(await problemOf(url(PASSWORD))).toBe("STORAGE: Redis can't be used: Command timed out");
  });

  test("that goes away and comes back is an outage, and no end", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => told.mockRestore());
    const { storage, close } = await openStorage(url(PASSWORD));
    onTestFinished(close);
    await storage.save("outage", "survived", 60);
    await server.kill();
    await expect(storage.get("outage")).rejects.toThrow();
    await server.start();

    expect(await until("Redis is back", () => storage.get("outage"))).toBe("survived");
    expect(told).toHaveBeenCalledWith("storage:", expect.stringContaining("ECONNREFUSED"));
  });
});

describe.skipIf((await installedRedis()) === undefined)("a Redis cluster", () => {
  test("is used as a whole, whichever of its servers is named", async () => {
    const cluster = await startRedisCluster();
    onTestFinished(() => cluster.stop());
    const [first, , last] = cluster.nodes;
    const opened = await openStorage(first?.url ?? "");
    const keys = Array.from({ length: 50 }, (_, index) => `key ${index}`);
    await Promise.all(keys.map((key) => opened.storage.save(key, key, 60)));
    await opened.close();
    const again = await openStorage(last?.url ?? "");
    onTestFinished(() => again.close());

    expect(await Promise.all(keys.map((key) => again.storage.get(key)))).toEqual(keys);
    const sizes = await Promise.all(cluster.nodes.map((node) => node.command("DBSIZE")));
    expect(sizes).not.toContain(":0\r\n");
  });
});

describe.skipIf((await installedPostgres()) === undefined)("PostgreSQL", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  test("remembers what another process has saved, in a table that it makes itself", async () => {
    await expectRemembered(server.url);
    await expectRemembered(server.url.replace("postgres:", "postgresql:"));
  });

  test.each([
    ["a role that is not there", () => server.url.replace("//sallyport@", `//nobody:${PASSWORD}@`), "SQLSTATE 28000"],
    ["a database that is not there", () => `${server.url}-2`, "SQLSTATE 3D000"],
  ])("%s is told of in one line", async (_what, setting, state) => {
    const problem = await problemOf(setting());

    expect(problem).toMatch(/^STORAGE: PostgreSQL can't be used: [^\n]+$/);
    expect(problem).toContain(state);
    expect(problem).not.toContain(PASSWORD);
  });

  test("a server that does not answer is told of, and is not waited for without end", async () => {
    server.pause();
    onTestFinished(() => server.resume());

    expect(await problemOf(server.url)).toMatch(
      /^STORAGE: PostgreSQL can't be used: PostgreSQL did not answer in time/,
    );
  });

  test("that goes away and comes back is an outage, and no end", async () => {
    const told = vi.spyOn(console, "error").mockImplementation(() => undefined);
    onTestFinished(() => told.mockRestore());
    const { storage, close } = await openStorage(server.url);
    onTestFinished(close);
    await storage.save("outage", "survived", 60);
    await server.kill();
    await expect(storage.get("outage")).rejects.toThrow();
    await server.start();

    expect(await until("PostgreSQL is back", () => storage.get("outage"))).toBe("survived");
    expect(told).toHaveBeenCalledOnce();
  });
});
