/** Makes the table at the same moment as other processes of its kind, and then races them for everything in it. */

import { raceForEverything, ready } from "@sallyport/test-servers/storage-programs";
import { PostgresStore } from "../src/index.ts";
import { CLIENTS } from "./clients.ts";

const [kind, url = "", me = "", size = ""] = process.argv.slice(2);
const { client, healthy, close } = CLIENTS[kind === "pg" ? "pg" : "postgres"]({ url });
const store = new PostgresStore({ client });
await healthy();
await ready();
await store.migrate();
await ready();
await raceForEverything(store, me, Number(size));
await close();
