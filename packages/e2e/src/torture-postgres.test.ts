/** The proof by torture, over a PostgreSQL server that is killed and stopped as well. */
import { installedPostgres } from "@sallyport/test-servers";
import { describe, onTestFinished, test } from "vitest";
import { onPostgres } from "./storage-on-trial.ts";
import { newSeed, PROVEN, proveByTorture } from "./torture-proof.ts";

const seed = newSeed();

describe.skipIf((await installedPostgres()) === undefined)("PostgreSQL", () => {
  test(`${PROVEN} (seed ${seed})`, { timeout: 240_000 }, async () => {
    const storage = await onPostgres();
    onTestFinished(() => storage.stop());
    await proveByTorture("PostgreSQL", seed, storage);
  });
});
