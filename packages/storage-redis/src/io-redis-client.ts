/** A client of `ioredis` as the store sees it: what is used of it, and how it is recognised. */

import type { Emitter } from "./event-listeners.ts";

/** What is used of a `Redis` of `ioredis`, connected to one server or found through Sentinel. */
export interface IoRedisClient extends Emitter {
  readonly status: string;
  readonly options: { readonly keyPrefix?: string | undefined; readonly role?: string | undefined };
  connect(): Promise<void>;
  call(command: string, ...args: string[]): Promise<unknown>;
  pipeline(commands: unknown[][]): {
    exec(): Promise<(readonly [error: Error | null, result: unknown])[] | null>;
  };
}

/** What is used of a `Redis.Cluster` of `ioredis`. */
export interface IoRedisCluster extends Omit<IoRedisClient, "options"> {
  readonly isCluster: boolean;
  readonly options: { readonly keyPrefix?: string | undefined; readonly scaleReads?: unknown };
  /** The servers that have each slot, the master first. */
  readonly slots: readonly (readonly string[])[];
  nodes(role: "all" | "master"): readonly IoRedisClient[];
}

/** Whether something is a client of `ioredis`. It is asked for its methods, because there may be several copies of the package. */
export function isIoRedis(client: object): client is IoRedisClient | IoRedisCluster {
  return (
    "pipeline" in client &&
    typeof client.pipeline === "function" &&
    "call" in client &&
    typeof client.call === "function" &&
    "status" in client &&
    typeof client.status === "string"
  );
}

/** Whether a client of `ioredis` is connected to a cluster. */
export function isIoRedisCluster(client: IoRedisClient | IoRedisCluster): client is IoRedisCluster {
  return "isCluster" in client && client.isCluster && "nodes" in client;
}
