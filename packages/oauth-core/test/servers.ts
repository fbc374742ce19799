/** Several servers over one storage, which can have a bad day. */
import type { OAuthProxyConfig } from "../src/index.ts";
import { type Server, World } from "./harness.ts";
import { randomFrom } from "./random.ts";
import { late, shuffled, type Treatment, UnreliableStorage } from "./unreliable-storage.ts";

export interface Servers {
  readonly world: World;
  readonly storage: UnreliableStorage;
  readonly servers: readonly [Server, ...Server[]];
  /** The server that the n-th of many requests goes to. */
  at(index: number): Server;
  /** One more, as after a restart. `clock` is how far its clock is off. */
  another(config?: Partial<OAuthProxyConfig>, clock?: number): Server;
}

/** As many servers as there are clocks, each off by so many seconds. */
export function serversWith(
  config: Partial<OAuthProxyConfig> = {},
  clocks: readonly [number, ...number[]] = [0],
): Servers {
  const world = new World();
  const storage = new UnreliableStorage(world.storage);
  const another = (more: Partial<OAuthProxyConfig> = {}, clock = 0) =>
    world.server({ tokenStorage: storage, ...config, ...more }, clock);
  const [first, ...rest] = clocks;
  const servers = [another({}, first), ...rest.map((clock) => another({}, clock))] as const;
  return { world, storage, servers, another, at: (index) => servers[index % servers.length] ?? servers[0] };
}

/** A pause during which the time of the world goes by: whoever waits for another's lease sees its end. */
export const passing = (world: World) => async (): Promise<void> => {
  world.now += 1;
};

/** In which ways calls to the storage travel, with the seeds that are tried of each. */
export const TRAVELS: readonly (readonly [string, number, (seed: number) => Treatment])[] = [
  ["a storage that answers at once", 1, () => (_, perform) => perform()],
  ["a storage that answers in any order", 8, (seed) => shuffled(randomFrom(seed))],
  ["0–5 ms of latency", 2, (seed) => late(randomFrom(seed), 5)],
  ["0–50 ms of latency", 1, (seed) => late(randomFrom(seed), 50)],
];

/** Everything that the storage holds, keys and values, as one text. */
export async function atRest({ storage: { inner } }: World): Promise<string> {
  const records: unknown[] = [];
  const { keys } = (await inner.list?.("", { limit: 100_000 })) ?? { keys: [] };
  for (const key of keys) records.push([key, await inner.get(key)]);
  return JSON.stringify(records);
}
