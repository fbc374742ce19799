/** Races other processes of its kind for everything in a directory. */

import { raceForEverything, ready } from "@sallyport/test-servers/storage-programs";
import { DiskStore } from "../src/index.ts";

const [directory = "", me = "", size = ""] = process.argv.slice(2);
const store = new DiskStore({ directory });
await ready();
await raceForEverything(store, me, Number(size));
await store.close();
