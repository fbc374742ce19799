/** The proof by torture, over a Redis cluster whose masters are killed and stopped as well. */
import { installedRedis } from "@sallyport/test-servers";
import { describe, onTestFinished, test } from "vitest";
import { onRedisCluster } from "./storage-on-trial.ts";
import { newSeed, PROVEN, proveByTorture } from "./torture-proof.ts";

const seed = newSeed();

describe.skipIf((await installedRedis()) === undefined)("a Redis cluster", () => {
  test(`${PROVEN} (seed ${seed})`, { timeout: 240_000 }, async () => {
    const storage = await onRedisCluster();
    onTestFinished(() => storage.stop());
    await proveByTorture("a Redis cluster", seed, storage);
  });
});
