/** Leaves a store open and ends: nothing of the store's keeps a process alive. */

import { Pool } from "pg";
import { PostgresStore } from "../src/index.ts";

const [url = ""] = process.argv.slice(2);
const store = new PostgresStore({
  client: new Pool({ connectionString: url, allowExitOnIdle: true }),
  timeoutMs: 600_000,
});
await store.save("left", "value");
void store.save("last", "value");
console.log("done");
