/**
 * Stands in for the native package where a test counts hashes and needs hundreds: as deterministic, as dependent on every parameter, and next to free.
 * That the real one is called as it should be is shown where the hashing is tested.
 */
import { createHash } from "node:crypto";

/** What one hash was to cost. */
export interface Computed {
  readonly memoryCost: number;
  readonly timeCost: number;
  readonly parallelism: number;
  readonly outputLen: number;
}

/** All that were computed, in their order. To be emptied by setting its length. */
export const computed: Computed[] = [];

/** What each hash waits for; at least for everybody else to get a turn, as with the real one. */
export const pace = { turn: (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve)) };

/** In place of the package's. */
export async function hashRaw(
  password: Uint8Array,
  { salt, ...cost }: Computed & { readonly salt: Uint8Array },
): Promise<Uint8Array> {
  const { memoryCost, timeCost, parallelism, outputLen } = cost;
  computed.push({ memoryCost, timeCost, parallelism, outputLen });
  await pace.turn();
  return createHash("shake256", { outputLength: outputLen })
    .update(JSON.stringify([memoryCost, timeCost, parallelism]))
    .update(createHash("sha256").update(salt).digest())
    .update(password)
    .digest();
}
