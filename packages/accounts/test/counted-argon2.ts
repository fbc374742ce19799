/**
 * Stands in for the threads with the native package where a test counts hashes and needs hundreds: as deterministic, as dependent on every parameter, and next to free.
 * That the real one is called as it should be is shown where the hashing is tested.
 */
import { createHash } from "node:crypto";
import type { Argon2Cost, Argon2id } from "../src/argon2id.ts";

/** What one hash was to cost. */
export interface Computed extends Argon2Cost {
  readonly outputLen: number;
}

/** All that were computed, in their order. To be emptied by setting its length. */
export const computed: Computed[] = [];

/** What each hash waits for; at least for everybody else to get a turn, as with the real one. */
export const pace = { turn: (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve)) };

/** In place of the one that `argon2id.ts` exports. */
export const argon2idOnThreads: Argon2id = async (password, { salt, ...cost }) => {
  const { memoryCost, timeCost, parallelism, outputLen } = cost;
  computed.push({ memoryCost, timeCost, parallelism, outputLen });
  await pace.turn();
  return createHash("shake256", { outputLength: outputLen })
    .update(JSON.stringify([memoryCost, timeCost, parallelism]))
    .update(createHash("sha256").update(salt).digest())
    .update(password)
    .digest();
};
