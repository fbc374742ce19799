/** Values and lifetimes that no storage takes. */

import { expect } from "vitest";
import type { WholeStorage } from "./whole-storage.ts";

/** Holds that they are refused, and that what was there stays. */
export async function refusesWhatNoStorageTakes(store: WholeStorage): Promise<void> {
  await store.save("record", "value", 3600);
  for (const ttl of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    await expect(store.save("record", "new", ttl)).rejects.toThrow(RangeError);
    await expect(store.claim("unused", "new", ttl)).rejects.toThrow(RangeError);
    await expect(store.replace("record", "value", "new", ttl)).rejects.toThrow(RangeError);
  }
  for (const value of [undefined, null, Number.NaN, 1n, () => "x"]) {
    await expect(store.save("record", value)).rejects.toThrow(TypeError);
    await expect(store.claim("unused", value)).rejects.toThrow(TypeError);
    await expect(store.replace("record", "value", value)).rejects.toThrow(TypeError);
  }
  expect(await store.get("record")).toBe("value");
  expect(await store.get("unused")).toBeUndefined();
}
