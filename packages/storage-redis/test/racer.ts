/** Races another process of its kind for every code, every ticket and every step of one counter, and says what it won. */

import { once } from "node:events";
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
const store = new RedisStore({ client: opened.client });
console.log("ready");
await once(process.stdin, "data");

/** Several calls are in flight at a time, so that those of both processes meet. */
const LANES = 8;
const names = Array.from({ length: Number(size) }, (_, index) => String(index));
const lanes = Array.from({ length: LANES }, (_, lane) => names.filter((_, index) => index % LANES === lane));

await Promise.all(
  lanes.map(async (lane) => {
    for (const name of lane) {
      if (await store.claim(`code:${name}`, { winner: me }, 3600)) console.log(`claimed ${name}`);
      if (await store.replace(`grant:${name}`, "generation 1", `generation 2 by ${me}`, 3600)) {
        console.log(`replaced ${name}`);
      }
      if ((await store.take(`ticket:${name}`)) !== undefined) console.log(`took ${name}`);
      for (;;) {
        const count = Number(await store.get("counter"));
        if (await store.replace("counter", count, count + 1)) break;
      }
    }
  }),
);
opened.close();
