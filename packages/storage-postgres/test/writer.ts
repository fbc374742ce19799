/** Writes into one table without end. */

import { writeWithoutEnd } from "@sallyport/test-servers/storage-programs";
import { PostgresStore } from "../src/index.ts";
import { CLIENTS } from "./clients.ts";

const [kind, url = "", life = ""] = process.argv.slice(2);
const { client } = CLIENTS[kind === "pg" ? "pg" : "postgres"]({ url, connections: 4 });
await writeWithoutEnd(new PostgresStore({ client }), life);
