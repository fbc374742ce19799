/** Writes into one server without end. */

import { writeWithoutEnd } from "@sallyport/test-servers/storage-programs";
import { RedisStore } from "../src/index.ts";
import { SINGLE } from "./clients.ts";

const [kind = "", url = "", life = ""] = process.argv.slice(2);
const opened = await SINGLE[kind]?.({ url });
if (opened === undefined) throw new Error("There is no such client.");
await writeWithoutEnd(new RedisStore({ client: opened.client }), life);
