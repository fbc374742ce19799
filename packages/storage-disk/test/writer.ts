/** Writes into a directory without end. */

import { writeWithoutEnd } from "@sallyport/test-servers/storage-programs";
import { DiskStore } from "../src/index.ts";

const [directory = "", life = ""] = process.argv.slice(2);
await writeWithoutEnd(new DiskStore({ directory, cleanupIntervalMs: 5 }), life);
