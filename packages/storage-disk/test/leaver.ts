/** Leaves a store open and ends, in the middle of a clean-up that the timer began. */

import { DiskStore } from "../src/index.ts";

const [directory = ""] = process.argv.slice(2);
let now = 0;
const store = new DiskStore({ directory, cleanupIntervalMs: 1, now: () => now });
await Promise.all(Array.from({ length: 500 }, (_, index) => store.save(`record:${index}`, "value", 1)));
now = 10;
void store.save("last", "value");
console.log("done");
