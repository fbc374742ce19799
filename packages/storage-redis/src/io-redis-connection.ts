/** The store's connection through a client of `ioredis`: one server, Sentinel, or a cluster. */

import { EventListeners } from "./event-listeners.ts";
import { type IoRedisClient, type IoRedisCluster, isIoRedisCluster } from "./io-redis-client.ts";
import { keySlot } from "./key-slot.ts";
import type { PendingCalls } from "./pending-calls.ts";
import type { Command, RedisConnection, SendToServer } from "./redis-connection.ts";
import { isRedirection, RedisStoreError } from "./redis-store-error.ts";

/** A command that leaves with the others of its turn of the event loop. */
interface Parcel {
  readonly key: string;
  readonly command: Command;
  readonly signal: AbortSignal;
  resolve(reply: unknown): void;
  reject(error: unknown): void;
}

export class IoRedisConnection implements RedisConnection {
  readonly keyPrefix: string;
  readonly cluster: boolean;
  readonly #client: IoRedisClient | IoRedisCluster;
  readonly #calls: PendingCalls;
  readonly #listeners = new EventListeners();
  #parcels: Parcel[] = [];
  /** Calls that wait for the client's next word about its connection. */
  readonly #waiting = new Set<() => void>();
  /** The servers of a cluster that are listened to. */
  readonly #nodes = new Map<IoRedisClient, EventListeners>();

  /** @throws {TypeError} for a client that reads from replicas */
  constructor(client: IoRedisClient | IoRedisCluster, calls: PendingCalls) {
    assertReadsMasters(client);
    this.#client = client;
    this.#calls = calls;
    this.keyPrefix = client.options.keyPrefix ?? "";
    this.cluster = isIoRedisCluster(client);
    if (isIoRedisCluster(client)) this.#watchCluster(client);
    else this.#listeners.add(client, "close", () => calls.lost());
    this.#listeners.add(client, "error", (error) => calls.troubled(error));
    this.#listeners.add(client, "ready", () => this.#wake());
    this.#listeners.add(client, "end", () => this.#wake());
  }

  async send(key: string, command: Command, signal: AbortSignal): Promise<unknown> {
    // A client that is not connected keeps commands until it is, and would send them long after everybody has given them up.
    if (this.#client.status !== "ready") await this.#connected(signal);
    return new Promise((resolve, reject) => {
      this.#parcels.push({ key, command, signal, resolve, reject });
      if (this.#parcels.length === 1) setImmediate(() => this.#dispatch());
    });
  }

  async masters(signal: AbortSignal): Promise<readonly SendToServer[]> {
    if (this.#client.status !== "ready") await this.#connected(signal);
    const servers = isIoRedisCluster(this.#client) ? this.#client.nodes("master") : [this.#client];
    return servers.map((server) => (command) => server.call(...command));
  }

  close(): void {
    this.#listeners.removeAll();
    for (const listeners of this.#nodes.values()) listeners.removeAll();
    this.#nodes.clear();
  }

  #watchCluster(cluster: IoRedisCluster): void {
    const watch = (node: IoRedisClient): void => {
      const listeners = new EventListeners();
      listeners.add(node, "close", () => this.#calls.lost());
      this.#nodes.set(node, listeners);
    };
    for (const node of cluster.nodes("all")) watch(node);
    this.#listeners.add(cluster, "+node", (node) => watch(node as IoRedisClient));
    this.#listeners.add(cluster, "-node", (node) => {
      this.#nodes.get(node as IoRedisClient)?.removeAll();
      this.#nodes.delete(node as IoRedisClient);
      this.#calls.lost();
    });
    this.#listeners.add(cluster, "node error", (error) => this.#calls.troubled(error));
  }

  /** Waits until the client is connected; one that was never asked to connect is asked now. */
  async #connected(signal: AbortSignal): Promise<void> {
    const client = this.#client;
    if (client.status === "wait") client.connect().catch((error: unknown) => this.#calls.troubled(error));
    while (client.status !== "ready") {
      if (client.status === "end") throw new RedisStoreError("unreachable", { detail: "the client is disconnected" });
      const { promise: news, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      // A call that was given up is forgotten at once: an outage may be long, and its calls many.
      signal.addEventListener("abort", wake, { once: true });
      this.#waiting.add(wake);
      await news;
      this.#waiting.delete(wake);
      signal.throwIfAborted();
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Sends what has gathered, as one pipeline per server. */
  #dispatch(): void {
    const parcels = this.#parcels.filter(({ signal }) => !signal.aborted);
    this.#parcels = [];
    for (const group of this.#byServer(parcels)) void this.#sendTogether(group);
  }

  /** ioredis refuses a pipeline whose keys are on different servers. */
  #byServer(parcels: readonly Parcel[]): Iterable<readonly Parcel[]> {
    const client = this.#client;
    if (!isIoRedisCluster(client)) return parcels.length === 0 ? [] : [parcels];
    const groups = new Map<string, Parcel[]>();
    for (const parcel of parcels) {
      const servers = client.slots[keySlot(this.keyPrefix + parcel.key)]?.join() ?? "";
      const group = groups.get(servers);
      if (group === undefined) groups.set(servers, [parcel]);
      else group.push(parcel);
    }
    return groups.values();
  }

  async #sendTogether(group: readonly Parcel[]): Promise<void> {
    try {
      const results = await this.#client.pipeline(group.map(({ command }) => [...command])).exec();
      for (const [index, parcel] of group.entries()) this.#settle(parcel, results?.[index]);
    } catch (error) {
      // Refused as a whole, before anything was sent: ioredis has just learned of slots that have moved, and not yet sorted them.
      for (const parcel of group)
        if (this.cluster) this.#sendAlone(parcel);
        else parcel.reject(error);
    }
  }

  #settle(parcel: Parcel, result: readonly [error: Error | null, reply: unknown] | undefined): void {
    const [error, reply] = result ?? [new RedisStoreError("unreachable"), undefined];
    if (error === null) parcel.resolve(reply);
    // In a pipeline ioredis follows a redirection only where all commands were redirected.
    else if (this.cluster && isRedirection(error)) this.#sendAlone(parcel);
    else parcel.reject(error);
  }

  /** A single command follows its slot wherever it is. */
  #sendAlone({ command, signal, resolve, reject }: Parcel): void {
    if (!signal.aborted) this.#client.call(...command).then(resolve, reject);
  }
}

/** A replica answers what the master has already replaced: a revoked grant would live on there. */
function assertReadsMasters(client: IoRedisClient | IoRedisCluster): void {
  if (isIoRedisCluster(client)) {
    const { scaleReads = "master" } = client.options;
    if (scaleReads !== "master") throw new TypeError('client: has to read from masters only (scaleReads: "master").');
  } else if (client.options.role === "slave") {
    throw new TypeError('client: has to be connected to the master (role: "master").');
  }
}
