/** `TokenStorage` in Redis or Valkey: any number of processes on any number of machines. */

import {
  type AtomicTokenStorage,
  assertTtl,
  jsonText,
  type KeyPage,
  type ListOptions,
} from "@sallyport/oauth-core/storage";
import { type IoRedisClient, type IoRedisCluster, isIoRedis } from "./io-redis-client.ts";
import { IoRedisConnection } from "./io-redis-connection.ts";
import { keyOf, keyText } from "./key-text.ts";
import { isNodeRedis, type NodeRedisClient, type NodeRedisCluster } from "./node-redis-client.ts";
import { NodeRedisConnection } from "./node-redis-connection.ts";
import { PendingCalls } from "./pending-calls.ts";
import type { Command, RedisConnection } from "./redis-connection.ts";
import { isUnknownScript, RedisStoreError, redisStoreError } from "./redis-store-error.ts";
import { REPLACE, REPLACE_DIGEST } from "./replace-script.ts";
import { type Server, scanPage } from "./scan-walk.ts";

const DEFAULT_PREFIX = "sallyport:";
const DEFAULT_TIMEOUT_MS = 2000;
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const DEFAULT_PAGE = 1000;

/** Through which client, and under which names. */
export interface RedisStoreOptions {
  /**
   * A client of your own: a `Redis` (one server or Sentinel) or `Redis.Cluster` of `ioredis`, or what `createClient` or `createCluster` of
   * `redis` made. You connect it, configure it and close it.
   */
  readonly client: IoRedisClient | IoRedisCluster | NodeRedisClient | NodeRedisCluster;
  /**
   * What every key in Redis begins with: 1 to 64 printable ASCII characters, without spaces and braces. Default `sallyport:`.
   * Of two stores on one server, neither's prefix may begin with the other's.
   */
  readonly prefix?: string | undefined;
  /** Milliseconds after which a call that Redis has not answered rejects. Default 2000. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Remembers everything in Redis. For servers on several machines, and where Redis is there anyway.
 *
 * - **Redis decides races**: `claim` is `SET … NX`, `replace` is one script, `take` is `GETDEL`. Every command has one key, so that a
 *   cluster works.
 * - **Commands of one turn of the event loop travel together**, per server.
 * - **What can't be known rejects.** A call that is not answered in time, or whose connection is lost before its answer, rejects, and may
 *   have happened all the same. The next call works as soon as the client is connected again.
 * - Records expire by the clock of the server; there is nothing to clean up.
 * - What Redis has confirmed is as durable as Redis is set up to be: see the README before you rely on it.
 *
 * While it is open, the store listens to the client's `error` event, so that a lost connection does not end the process; every call that
 * fails tells its cause.
 *
 * Rejects with a {@link RedisStoreError} where Redis can't do what it is asked for, and with `RangeError` or `TypeError` for a `ttl` or a
 * value that no storage takes.
 */
export class RedisStore implements AtomicTokenStorage {
  readonly #connection: RedisConnection;
  readonly #calls: PendingCalls;
  readonly #prefix: string;
  #closed = false;

  /** @throws {TypeError | RangeError} that names the option, where it can't work. */
  constructor(options: RedisStoreOptions) {
    const { client, prefix = DEFAULT_PREFIX, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    // Braces would be a hash tag, which puts every key on one server of a cluster.
    if (typeof prefix !== "string" || !/^[!-z|~]{1,64}$/.test(prefix)) {
      throw new TypeError("prefix: has to be 1 to 64 printable ASCII characters, without spaces and braces.");
    }
    if (!(Number.isSafeInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= LONGEST_TIMER_MS)) {
      throw new RangeError(`timeoutMs: has to be a whole number of milliseconds, from 1 to ${LONGEST_TIMER_MS}.`);
    }
    this.#prefix = prefix;
    this.#calls = new PendingCalls(timeoutMs);
    this.#connection = connectionOf(client, this.#calls);
  }

  async get(key: string): Promise<unknown> {
    return recordOf(await this.#send(key, (name) => ["get", name]));
  }

  async save(key: string, value: unknown, ttl?: number): Promise<void> {
    const text = jsonText(value);
    assertTtl(ttl);
    stored(await this.#send(key, (name) => ["set", name, text, ...expiry(ttl)]));
  }

  async delete(key: string): Promise<void> {
    await this.#send(key, (name) => ["del", name]);
  }

  /** Does nothing: Redis removes what has expired. */
  async cleanup(): Promise<void> {
    this.#assertOpen();
  }

  async take(key: string): Promise<unknown> {
    return recordOf(await this.#send(key, (name) => ["getdel", name]));
  }

  async claim(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const text = jsonText(value);
    assertTtl(ttl);
    const reply = await this.#send(key, (name) => ["set", name, text, ...expiry(ttl), "NX"]);
    return reply === null ? false : stored(reply);
  }

  async replace(key: string, expected: unknown, value: unknown, ttl?: number): Promise<boolean> {
    const args = [jsonText(expected), jsonText(value), ttl === undefined ? "" : String(ttl)];
    assertTtl(ttl);
    const name = this.#nameOf(key);
    const reply = await this.#run(async (signal) => {
      try {
        return await this.#connection.send(name, ["evalsha", REPLACE_DIGEST, "1", name, ...args], signal);
      } catch (error) {
        // A server that was restarted, or has become the master, has forgotten the script or never seen it.
        if (!isUnknownScript(error)) throw error;
        return this.#connection.send(name, ["eval", REPLACE, "1", name, ...args], signal);
      }
    });
    return String(reply) === "1";
  }

  /**
   * Pages in no order, of every master in turn; they can be larger than `limit` (default 1000), or smaller.
   *
   * A key that lives during the whole walk is never missing: where a server was restarted or replaced meanwhile, the next page rejects
   * (`changed`) and the walk has to begin again. On two pages it can be only where Redis shrinks its table of keys between them, which
   * it does when nine tenths of them are gone.
   */
  async list(prefix: string, options: ListOptions = {}): Promise<KeyPage> {
    const { cursor, limit = DEFAULT_PAGE } = options;
    this.#assertOpen();
    const own = this.#connection.keyPrefix + this.#prefix;
    const masters = await this.#run((signal) => this.#connection.masters(signal));
    const servers = masters.map(
      (master): Server =>
        (command) =>
          this.#run((signal) => master(command, signal)),
    );
    const page = await scanPage(servers, this.#connection.cluster, {
      prefix: own + keyText(prefix),
      cursor,
      limit: limit >= 1 ? Math.trunc(limit) : 1,
    });
    return { ...page, keys: page.keys.map((name) => keyOf(name.slice(own.length))) };
  }

  /** Lets go of the client when the calls under way have ended, and leaves it connected and as it was. Later calls reject. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#calls.settled();
    this.#connection.close();
  }

  async #send(key: string, commandFor: (name: string) => Command): Promise<unknown> {
    const name = this.#nameOf(key);
    return this.#run((signal) => this.#connection.send(name, commandFor(name), signal));
  }

  async #run<Answer>(work: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
    this.#assertOpen();
    try {
      return await this.#calls.run(work);
    } catch (error) {
      throw redisStoreError(error);
    }
  }

  #nameOf(key: string): string {
    return this.#prefix + keyText(key);
  }

  #assertOpen(): void {
    if (this.#closed) throw new RedisStoreError("closed");
  }
}

function expiry(ttl: number | undefined): readonly string[] {
  return ttl === undefined ? [] : ["EX", String(ttl)];
}

/** Holds that Redis has confirmed a `SET`: nothing else means that it has stored. */
function stored(reply: unknown): true {
  if (reply !== "OK") throw new RedisStoreError("refused", { detail: "it did not confirm a SET" });
  return true;
}

function recordOf(reply: unknown): unknown {
  if (reply === null) return undefined;
  try {
    return JSON.parse(String(reply));
  } catch {
    // What JSON.parse says repeats the beginning of the text.
    throw new RedisStoreError("damaged");
  }
}

function connectionOf(client: RedisStoreOptions["client"], calls: PendingCalls): RedisConnection {
  if (typeof client === "object" && client !== null) {
    if (isIoRedis(client)) return new IoRedisConnection(client, calls);
    if (isNodeRedis(client)) return new NodeRedisConnection(client, calls);
  }
  throw new TypeError(
    "client: has to be a Redis or Redis.Cluster of ioredis, or a createClient() or createCluster() of redis.",
  );
}
