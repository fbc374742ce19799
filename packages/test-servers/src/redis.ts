/** Redis servers for a test: one, a cluster of three masters, or a master with a replica and a sentinel that watches them. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { installedRedis } from "./installation.ts";
import { redisCommand } from "./redis-command.ts";
import { ServerProcess } from "./server-process.ts";
import { type StartedServer, startedServer } from "./started-server.ts";
import { until } from "./until.ts";

const MASTERS = 3;
const SLOTS = 16_384;
const SENTINEL_NAME = "sallyport";

/** One Redis server. What it has confirmed survives it: it writes an append-only file, and waits for the disk. */
export interface RedisServer extends StartedServer {
  readonly url: string;
  /** Sends a command of plain words, beside any client; answers in the words of the protocol. */
  command(words: string): Promise<string>;
}

/** Three masters that share the slots. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** For every node. */
  pause(): void;
  resume(): void;
  kill(): Promise<void>;
  /** Starts every node, and waits until all of them say that the cluster works. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A master, its replica, and a sentinel, which by itself is the majority. */
export interface RedisSentinel {
  readonly port: number;
  readonly name: string;
  /** The server that is the master now. */
  master(): Promise<RedisServer>;
  /** Waits until the replica has everything, kills the master, and waits until the replica is the master. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one server. `program`: the path of another one that speaks Redis. */
export async function startRedis(program?: string, extraArguments: readonly string[] = []): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-redis-"));
  const path = program ?? join((await installedRedis()) ?? "", "redis-server");
  const server = await startedServer(directory, (port) => ({
    program: path,
    args: [...serverArguments(port, directory), ...extraArguments],
    ready: /Ready to accept connections/,
  }));
  const { port } = server;
  return { ...server, url: `redis://127.0.0.1:${port}`, command: (words) => redisCommand(port, words) };
}

/** Starts a cluster. */
export async function startRedisCluster(program?: string): Promise<RedisCluster> {
  const nodes: RedisServer[] = [];
  const each = async (act: (node: RedisServer) => Promise<unknown>): Promise<void> => {
    await Promise.all(nodes.map(act));
  };
  const whole = () =>
    each((node) =>
      until("the cluster works", async () => {
        const about = await node.command("CLUSTER INFO");
        return about.includes("cluster_state:ok") && about.includes(`cluster_known_nodes:${MASTERS}`);
      }),
    );
  try {
    while (nodes.length < MASTERS) nodes.push(await startRedis(program, await clusterArguments()));
    const share = Math.ceil(SLOTS / MASTERS);
    for (const [index, node] of nodes.entries()) {
      await node.command(`CLUSTER SET-CONFIG-EPOCH ${index + 1}`);
      await node.command(`CLUSTER ADDSLOTSRANGE ${index * share} ${Math.min((index + 1) * share, SLOTS) - 1}`);
    }
    for (const node of nodes.slice(1))
      await node.command(`CLUSTER MEET 127.0.0.1 ${nodes[0]?.port} ${await busPort(nodes[0])}`);
    await whole();
  } catch (error) {
    await each((node) => node.stop());
    throw error;
  }
  return {
    nodes,
    pause: () => {
      for (const node of nodes) node.pause();
    },
    resume: () => {
      for (const node of nodes) node.resume();
    },
    kill: () => each((node) => node.kill()),
    start: async () => {
      await each((node) => node.start());
      await whole();
    },
    stop: () => each((node) => node.stop()),
  };
}

/** Starts a master with its replica and a sentinel. */
export async function startRedisSentinel(): Promise<RedisSentinel> {
  const first = await startRedis();
  const second = await startRedis(undefined, ["--replicaof", `127.0.0.1 ${first.port}`]);
  const servers = [first, second];
  const directory = mkdtempSync(join(tmpdir(), "sallyport-sentinel-"));
  const port = await freePort();
  const file = join(directory, "sentinel.conf");
  writeFileSync(
    file,
    [
      `port ${port}`,
      "bind 127.0.0.1",
      `dir ${directory}`,
      `sentinel monitor ${SENTINEL_NAME} 127.0.0.1 ${first.port} 1`,
      // A master that is merely slow, on a busy machine, is not to be given up.
      `sentinel down-after-milliseconds ${SENTINEL_NAME} 2000`,
      `sentinel failover-timeout ${SENTINEL_NAME} 4000`,
      "",
    ].join("\n"),
  );
  const program = join((await installedRedis()) ?? "", "redis-server");
  const sentinel = new ServerProcess({ program, args: [file, "--sentinel"], directory, ready: /\+monitor master/ });
  await sentinel.start();

  const masterPort = async (): Promise<number> => {
    const reply = await redisCommand(port, `SENTINEL GET-MASTER-ADDR-BY-NAME ${SENTINEL_NAME}`);
    return Number(reply.split("\r\n")[4]);
  };
  const master = async (): Promise<RedisServer> => {
    const named = await masterPort();
    const found = servers.find((server) => server.port === named);
    if (found === undefined) throw new Error("The sentinel names a master that is none of ours.");
    return found;
  };
  const replicates = () =>
    until("the sentinel knows a replica that has everything", async () => {
      const watched = await redisCommand(port, `SENTINEL REPLICAS ${SENTINEL_NAME}`);
      const about = await (await master()).command("INFO replication");
      const [, written] = /master_repl_offset:(\d+)/.exec(about) ?? [];
      return watched.includes("slave-repl-offset") && about.includes(`state=online,offset=${written},`);
    });
  await replicates();
  return {
    port,
    name: SENTINEL_NAME,
    master,
    failOver: async () => {
      await replicates();
      const lost = await master();
      await lost.kill();
      await until("the replica is the master", async () => {
        const next = await master();
        return next !== lost && (await next.command("ROLE")).includes("master");
      });
    },
    stop: async () => {
      await sentinel.kill();
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function serverArguments(port: number, directory: string): readonly string[] {
  return [
    ...["--port", String(port), "--bind", "127.0.0.1", "--dir", directory],
    ...["--save", "", "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"],
  ];
}

/** A node is given up late, so that a test may stop it for a while without another change than that. */
async function clusterArguments(): Promise<readonly string[]> {
  return [
    ...["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "15000"],
    ...["--cluster-port", String(await freePort()), "--cluster-announce-ip", "127.0.0.1"],
  ];
}

/** The port on which nodes talk to a node. */
async function busPort(node: RedisServer | undefined): Promise<string> {
  const [, port] = /cluster-port\r\n\$\d+\r\n(\d+)/.exec((await node?.command("CONFIG GET cluster-port")) ?? "") ?? [];
  if (port === undefined) throw new Error("A node of the cluster has no port for the others.");
  return port;
}
