/** The storages that the whole is tried over: each with its server, if it has one, and with everything that it keeps. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, startRedis, startRedisCluster } from "@sallyport/test-servers";
import { Redis } from "ioredis";
import { Client } from "pg";

/** A storage that was set up for one test. */
export interface StorageOnTrial {
  /** What the variable STORAGE is to be. */
  readonly setting: string;
  /** The server that keeps the records, where the storage has one. */
  readonly server?: StorageServer;
  /** Everything that is kept, names and values; a character for each byte. */
  dump(): Promise<string>;
  /** Ends it, and removes what it kept. */
  stop(): Promise<void>;
}

/** What can be done to a storage's server. */
export interface StorageServer {
  /** Stops answering, with its connections open. */
  pause(): void;
  resume(): void;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Starts it again, with the same data. */
  start(): Promise<void>;
}

/** A directory; its dump is its files, with whatever lies between the records. */
export async function onDisk(): Promise<StorageOnTrial> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-trial-"));
  const state = join(directory, "state");
  return {
    setting: `disk:${state}`,
    dump: async () => {
      const files = await Promise.all((await readdir(state)).map((file) => readFile(join(state, file))));
      return Buffer.concat(files).toString("latin1");
    },
    stop: () => rm(directory, { recursive: true }),
  };
}

/** One Redis server. */
export async function onRedis(): Promise<StorageOnTrial> {
  const server = await startRedis();
  return {
    setting: server.url,
    server,
    dump: () => redisDump(server.url),
    stop: () => server.stop(),
  };
}

/** A cluster of three masters, of which the first is named. Killed is one of them at a time, each in its turn. */
export async function onRedisCluster(): Promise<StorageOnTrial> {
  const cluster = await startRedisCluster();
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error("The cluster has no nodes.");
  let turn = 0;
  const victim = () => cluster.nodes[turn % cluster.nodes.length] ?? first;
  return {
    setting: first.url,
    server: {
      pause: () => cluster.pause(),
      resume: () => cluster.resume(),
      kill: () => victim().kill(),
      start: async () => {
        await victim().start();
        turn += 1;
      },
    },
    dump: async () => (await Promise.all(cluster.nodes.map(({ url }) => redisDump(url)))).join("\n"),
    stop: () => cluster.stop(),
  };
}

async function redisDump(url: string): Promise<string> {
  const client = new Redis(url);
  try {
    const lines: string[] = [];
    for await (const keys of client.scanStream({ count: 1000 }) as AsyncIterable<string[]>) {
      const values = await Promise.all(keys.map((key) => client.getBuffer(key)));
      for (const [index, key] of keys.entries()) lines.push(key, values[index]?.toString("latin1") ?? "");
    }
    return lines.join("\n");
  } finally {
    client.disconnect();
  }
}

/** One PostgreSQL server. */
export async function onPostgres(): Promise<StorageOnTrial> {
  const server = await startPostgres();
  return {
    setting: server.url,
    server,
    dump: () => postgresDump(server.url),
    stop: () => server.stop(),
  };
}

/** Every row of every table that is not the server's own, as text. */
async function postgresDump(url: string): Promise<string> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const tables = await client.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
       WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    const lines: string[] = [];
    for (const { name } of tables.rows) {
      const { rows } = await client.query<Record<string, unknown>>(`SELECT * FROM ${name}`);
      for (const row of rows) lines.push(...Object.values(row).map(latin1));
    }
    return lines.join("\n");
  } finally {
    await client.end();
  }
}

function latin1(value: unknown): string {
  if (Buffer.isBuffer(value)) return value.toString("latin1");
  return Buffer.from(typeof value === "object" ? JSON.stringify(value) : String(value)).toString("latin1");
}
