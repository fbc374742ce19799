/** The clients that the store is tested with, each with what a test has to know to open, look after and close it. */

import type { EventEmitter } from "node:events";
import type { RedisSentinel, RedisServer } from "@sallyport/test-servers";
import { until } from "@sallyport/test-servers";
import { Cluster, Redis } from "ioredis";
import { Cluster as Cluster5, Redis as Redis5 } from "ioredis-5";
import { createClient, createCluster } from "redis";
import type { RedisStoreOptions } from "../src/index.ts";

/** A client that is connected, or on its way. */
export interface OpenClient {
  readonly client: RedisStoreOptions["client"];
  /** When the client itself can reach every server. */
  healthy(): Promise<unknown>;
  close(): void;
}

/** Tests don't wait for a client to try again. */
const SOON_MS = 30;
const soon = (): number => SOON_MS;

/** This machine may have more to do. */
const PATIENT_MS = 10_000;

/** Nobody has to hear of a connection that a test has cut. */
const ignore = (): undefined => undefined;

const ofIoRedis = (client: Redis | Redis5 | Cluster | Cluster5): OpenClient => {
  const emitter: EventEmitter = client;
  emitter.on("error", ignore);
  const servers = (): readonly (Redis | Redis5)[] =>
    client instanceof Cluster || client instanceof Cluster5 ? client.nodes("master") : [client];
  return {
    client,
    healthy: () =>
      until("the client is connected again", async () => {
        if (client.status !== "ready" || servers().length === 0) return false;
        const answers = await Promise.all(servers().map((server) => server.ping()));
        return answers.every((answer) => answer === "PONG");
      }),
    close: () => client.disconnect(),
  };
};

/** Where one server is. */
export type ServerAddress = Pick<RedisServer, "url">;

/** Where the servers of a cluster are. */
export interface ClusterAddress {
  readonly nodes: readonly ServerAddress[];
}

/** What a test changes of a client of ioredis; the others have nothing like it. */
export interface IoRedisChange {
  readonly autoResendUnfulfilledCommands?: boolean;
}

/** Clients for one server. */
export const SINGLE: Readonly<Record<string, (server: ServerAddress, change?: IoRedisChange) => Promise<OpenClient>>> =
  {
    "ioredis 6": async ({ url }, change) => ofIoRedis(new Redis(url, { retryStrategy: soon, ...change })),
    "ioredis 5": async ({ url }, change) => ofIoRedis(new Redis5(url, { retryStrategy: soon, ...change })),
    "redis 6": async ({ url }) => {
      const client = createClient({ url, socket: { reconnectStrategy: soon } });
      client.on("error", ignore);
      await client.connect();
      return {
        client,
        healthy: () => until("the client is connected again", async () => client.isReady && client.ping()),
        close: () => {
          if (client.isOpen) client.destroy();
        },
      };
    },
  };

/** Clients for a cluster. They are told of one of its servers only, and find the others. */
export const CLUSTER: Readonly<Record<string, (cluster: ClusterAddress) => Promise<OpenClient>>> = {
  "ioredis 6": async ({ nodes }) =>
    ofIoRedis(
      new Cluster(
        nodes.map(({ url }) => url),
        { clusterRetryStrategy: soon, slotsRefreshTimeout: PATIENT_MS },
      ),
    ),
  "ioredis 5": async ({ nodes }) =>
    ofIoRedis(
      new Cluster5(
        nodes.map(({ url }) => url),
        { clusterRetryStrategy: soon, slotsRefreshTimeout: PATIENT_MS },
      ),
    ),
  "redis 6": async ({ nodes }) => {
    const client = createCluster({
      rootNodes: nodes.map(({ url }) => ({ url })),
      defaults: { socket: { reconnectStrategy: soon } },
    });
    client.on("error", ignore);
    await client.connect();
    return {
      client,
      healthy: () =>
        until("the client is connected again", async () => {
          const masters = await Promise.all(client.masters.map((master) => client.nodeClient(master)));
          return (await Promise.all(masters.map((master) => master.ping()))).length === nodes.length;
        }),
      close: () => {
        if (client.isOpen) client.destroy();
      },
    };
  },
};

/** Clients that ask a sentinel where the master is. */
export const SENTINEL: Readonly<Record<string, (sentinel: RedisSentinel) => Promise<OpenClient>>> = {
  "ioredis 6": async ({ port, name }) =>
    ofIoRedis(
      new Redis({ sentinels: [{ host: "127.0.0.1", port }], name, sentinelRetryStrategy: soon, retryStrategy: soon }),
    ),
  "ioredis 5": async ({ port, name }) =>
    ofIoRedis(
      new Redis5({ sentinels: [{ host: "127.0.0.1", port }], name, sentinelRetryStrategy: soon, retryStrategy: soon }),
    ),
};
