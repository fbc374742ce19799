/** The proof by torture, over a Redis server that is killed and stopped as well. */
import { installedRedis } from "@sallyport/test-servers";
import { describe, onTestFinished, test } from "vitest";
import { onRedis } from "./storage-on-trial.ts";
import { newSeed, PROVEN, proveByTorture } from "./torture-proof.ts";

const seed = newSeed();

describe.skipIf((await installedRedis()) === undefined)("Redis", () => {
  test(`${PROVEN} (seed ${seed})`, { timeout: 240_000 }, async () => {
    const storage = await onRedis();
    onTestFinished(() => storage.stop());
    await proveByTorture("Redis", seed, storage);
  });
});
