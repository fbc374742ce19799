/** A walk over the keys of every master, page by page. https://redis.io/docs/latest/commands/scan/ */

import { createHash } from "node:crypto";
import type { KeyPage } from "@sallyport/oauth-core/storage";
import type { Command } from "./redis-connection.ts";
import { RedisStoreError } from "./redis-store-error.ts";

/** Commands per page, so that a prefix that few keys have does not make a page that never comes. */
const MOST_SCANS = 100;
/** How many keys Redis looks at per command: it does nothing else meanwhile. */
const LEAST_LOOKED_AT = 10;
const MOST_LOOKED_AT = 1000;

/** One master, to which commands without a key are sent. */
export type Server = (command: Command) => Promise<unknown>;

/** What a page is to have, and where it begins. */
export interface PageRequest {
  /** What the keys begin with as they stand in Redis, the prefixes of client and store included. */
  readonly prefix: string;
  readonly cursor: string | undefined;
  readonly limit: number;
}

/** The masters in a certain order, and a word for them that changes when any of them does. */
interface Topology {
  readonly servers: readonly Server[];
  readonly fingerprint: string;
}

/**
 * One page, of keys as they stand in Redis. Each is on it once.
 *
 * @throws {RangeError} (as a rejection) for a cursor that no page named
 * @throws {RedisStoreError} (as a rejection) `changed` where a server was restarted, replaced, or given other slots since the walk began:
 *   what its cursor means is lost then, and keys would be missing without a word
 */
export async function scanPage(servers: readonly Server[], cluster: boolean, request: PageRequest): Promise<KeyPage> {
  const { prefix, limit } = request;
  const topology = await (cluster ? clusterTopology(servers) : singleTopology(servers));
  let { index, position } = start(request.cursor, topology);
  const keys = new Set<string>();
  const lookedAt = String(Math.min(Math.max(limit, LEAST_LOOKED_AT), MOST_LOOKED_AT));
  for (let scans = 0; scans < MOST_SCANS && keys.size < limit; scans += 1) {
    const server = topology.servers[index];
    if (server === undefined) break;
    const reply = await server(["scan", position, "MATCH", `${escapeGlob(prefix)}*`, "COUNT", lookedAt]);
    const [next, found] = scanReply(reply);
    for (const key of found) if (key.startsWith(prefix)) keys.add(key);
    position = next;
    if (next === "0") index += 1;
  }
  return index < topology.servers.length
    ? { keys: [...keys], cursor: `${topology.fingerprint}:${index}:${position}` }
    : { keys: [...keys] };
}

function start(cursor: string | undefined, { servers, fingerprint }: Topology): { index: number; position: string } {
  if (cursor === undefined) return { index: 0, position: "0" };
  const [, walked, index, position] = /^([\w-]+):(\d{1,5}):(\d{1,20})$/.exec(cursor) ?? [];
  if (position === undefined) throw new RangeError("cursor: has to be one that a page named.");
  if (walked !== fingerprint || Number(index) >= servers.length) throw new RedisStoreError("changed");
  return { index: Number(index), position };
}

async function singleTopology(servers: readonly Server[]): Promise<Topology> {
  return { servers, fingerprint: fingerprint(await Promise.all(servers.map(runOf))) };
}

/** Asks a server of the cluster for all of them, because a client forgets those that it has lost, and their keys would be missing. */
async function clusterTopology(servers: readonly Server[]): Promise<Topology> {
  const known = await Promise.all(
    servers.map(async (server) => ({
      server,
      id: String(await server(["cluster", "myid"])),
      run: await runOf(server),
    })),
  );
  known.sort((left, right) => (left.id < right.id ? -1 : 1));
  const slots = slotsReply(await known[0]?.server(["cluster", "slots"]));
  const complete = slots.every(({ id }) => known.some((server) => server.id === id));
  if (slots.length === 0 || !complete) {
    throw new RedisStoreError("unreachable", { detail: "the client is not connected to every master" });
  }
  return {
    servers: known.map(({ server }) => server),
    fingerprint: fingerprint([known.map(({ id, run }) => [id, run]), slots.map(({ id, from, to }) => [from, to, id])]),
  };
}

/** Each start of a server has a name of its own. A cursor counts places of a table that no other start has. */
async function runOf(server: Server): Promise<string> {
  const [, run] = /^run_id:(\w+)/m.exec(String(await server(["info", "server"]))) ?? [];
  if (run === undefined) throw new RedisStoreError("refused", { detail: "it does not tell its run_id" });
  return run;
}

function fingerprint(facts: unknown): string {
  return createHash("sha256").update(JSON.stringify(facts)).digest("base64url").slice(0, 22);
}

/** What `SCAN … MATCH` would read as more than itself. */
function escapeGlob(text: string): string {
  return text.replace(/[\\*?[\]]/g, "\\$&");
}

function scanReply(reply: unknown): readonly [position: string, keys: readonly string[]] {
  if (!Array.isArray(reply) || !Array.isArray(reply[1])) throw new RedisStoreError("refused", { detail: "no SCAN" });
  return [String(reply[0]), reply[1].map(String)];
}

function slotsReply(reply: unknown): readonly { readonly from: number; readonly to: number; readonly id: string }[] {
  if (!Array.isArray(reply)) return [];
  return reply
    .map(([from, to, master]: unknown[]) => ({
      from: Number(from),
      to: Number(to),
      id: String(Array.isArray(master) ? master[2] : undefined),
    }))
    .sort((left, right) => left.from - right.from);
}
