/** The proof by torture, over a directory. */
import { onTestFinished, test } from "vitest";
import { onDisk } from "./storage-on-trial.ts";
import { newSeed, PROVEN, proveByTorture } from "./torture-proof.ts";

const seed = newSeed();

test(`${PROVEN} (disk, seed ${seed})`, { timeout: 240_000 }, async () => {
  const storage = await onDisk();
  onTestFinished(() => storage.stop());
  await proveByTorture("disk", seed, storage);
});
