/** The store's connection through a client of `redis` (node-redis): one server or a cluster. */

import { EventListeners } from "./event-listeners.ts";
import {
  isNodeRedisCluster,
  type NodeRedisClient,
  type NodeRedisCluster,
  type NodeRedisCommandOptions,
} from "./node-redis-client.ts";
import type { PendingCalls } from "./pending-calls.ts";
import type { Command, RedisConnection, SendToServer } from "./redis-connection.ts";
import { RedisStoreError } from "./redis-store-error.ts";

/**
 * node-redis sends the commands of one turn of the event loop together by itself, forgets what it was told to abort before that, and
 * repeats nothing that it has sent.
 */
export class NodeRedisConnection implements RedisConnection {
  /** A key prefix that the client was given does not apply to commands that are sent as they are. */
  readonly keyPrefix = "";
  readonly cluster: boolean;
  readonly #client: NodeRedisClient | NodeRedisCluster;
  readonly #listeners = new EventListeners();

  constructor(client: NodeRedisClient | NodeRedisCluster, calls: PendingCalls) {
    this.#client = client;
    this.cluster = isNodeRedisCluster(client);
    // Without a listener, a lost connection would end the process.
    this.#listeners.add(client, "error", (error) => calls.troubled(error));
    this.#listeners.add(client, "node-error", (error) => calls.troubled(error));
  }

  async send(key: string, command: Command, signal: AbortSignal): Promise<unknown> {
    const client = this.#opened();
    // Never "read-only": that would allow a replica, which answers what the master has already replaced.
    return isNodeRedisCluster(client)
      ? client.sendCommand(key, false, [...command], optionsFor(signal))
      : client.sendCommand(command, optionsFor(signal));
  }

  async masters(): Promise<readonly SendToServer[]> {
    const client = this.#opened();
    if (!isNodeRedisCluster(client)) return [(command, signal) => client.sendCommand(command, optionsFor(signal))];
    return client.masters.map((master) => async (command, signal) => {
      const server = await client.nodeClient(master);
      return server.sendCommand(command, optionsFor(signal));
    });
  }

  close(): void {
    this.#listeners.removeAll();
  }

  #opened(): NodeRedisClient | NodeRedisCluster {
    if (!this.#client.isOpen) throw new RedisStoreError("unreachable", { detail: "the client is not connected" });
    return this.#client;
  }
}

function optionsFor(abortSignal: AbortSignal): NodeRedisCommandOptions {
  return { abortSignal, typeMapping: {} };
}
