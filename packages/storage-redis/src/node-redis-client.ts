/** A client of `redis` (node-redis) as the store sees it: what is used of it, and how it is recognised. */

import type { Emitter } from "./event-listeners.ts";

/** How node-redis is told when a command is not wanted any more, and that texts are wanted as strings. */
export interface NodeRedisCommandOptions {
  readonly abortSignal: AbortSignal;
  readonly typeMapping: Readonly<Record<number, never>>;
}

/** What is used of a client that `createClient` of `redis` made. */
export interface NodeRedisClient extends Emitter {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  sendCommand(args: readonly string[], options?: NodeRedisCommandOptions): Promise<unknown>;
}

/** A master, as its cluster knows it. */
export interface NodeRedisMaster {
  readonly address: string;
}

/** What is used of a client that `createCluster` of `redis` made. */
export interface NodeRedisCluster extends Emitter {
  readonly isOpen: boolean;
  readonly masters: readonly NodeRedisMaster[];
  nodeClient(
    master: NodeRedisMaster,
  ): Promise<Pick<NodeRedisClient, "sendCommand">> | Pick<NodeRedisClient, "sendCommand">;
  sendCommand(
    firstKey: string | undefined,
    isReadonly: boolean | undefined,
    args: string[],
    options?: NodeRedisCommandOptions,
  ): Promise<unknown>;
}

/**
 * Whether something is a client of node-redis, for one server or a cluster. Its Sentinel client and its pool are none here: the former
 * repeats a command whose answer was lost, without a way to notice.
 */
export function isNodeRedis(client: object): client is NodeRedisClient | NodeRedisCluster {
  return (
    "sendCommand" in client &&
    typeof client.sendCommand === "function" &&
    "isOpen" in client &&
    typeof client.isOpen === "boolean" &&
    !("getMasterNode" in client) &&
    ("isReady" in client || isCluster(client))
  );
}

/** Whether a client of node-redis is connected to a cluster. */
export function isNodeRedisCluster(client: NodeRedisClient | NodeRedisCluster): client is NodeRedisCluster {
  return isCluster(client);
}

function isCluster(client: object): boolean {
  return "nodeClient" in client && typeof client.nodeClient === "function" && "masters" in client;
}
