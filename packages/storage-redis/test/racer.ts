/** Races other processes of its kind for everything on one server, or in a cluster. */

import { raceForEverything, ready } from "@sallyport/test-servers/storage-programs";
import { RedisStore } from "../src/index.ts";
import { CLUSTER, SINGLE } from "./clients.ts";

const [kind = "", addresses = "", me = "", size = ""] = process.argv.slice(2);
const urls = addresses.split(",");
const [url = ""] = urls;
const open =
  urls.length === 1 ? SINGLE[kind]?.({ url }) : CLUSTER[kind]?.({ nodes: urls.map((node) => ({ url: node })) });
const opened = await open;
if (opened === undefined) throw new Error("There is no such client.");
await opened.healthy();
await ready();
await raceForEverything(new RedisStore({ client: opened.client }), me, Number(size));
opened.close();
