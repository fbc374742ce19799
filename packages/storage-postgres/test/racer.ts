/** Races another process of its kind for every code, every ticket and every step of one counter, and says what it won. */

import { once } from "node:events";
import { PostgresStore } from "../src/index.ts";
import { CLIENTS } from "./clients.ts";

const [kind, url = "", me = "", size = ""] = process.argv.slice(2);
const { client, healthy, close } = CLIENTS[kind === "pg" ? "pg" : "postgres"]({ url });
const store = new PostgresStore({ client });
await healthy();
console.log("ready");
await once(process.stdin, "data");
// Each process makes the table, and one of them does.
await store.migrate();
await store.claim("counter", 0);

/** Several calls are in flight at a time, so that those of both processes meet. */
const LANES = 8;
const names = Array.from({ length: Number(size) }, (_, index) => String(index));
const lanes = Array.from({ length: LANES }, (_, lane) => names.filter((_, index) => index % LANES === lane));

await Promise.all(
  lanes.map(async (lane) => {
    for (const name of lane) {
      if (await store.claim(`code:${name}`, { winner: me }, 3600)) console.log(`claimed ${name}`);
      await store.claim(`grant:${name}`, "generation 1", 3600);
      if (await store.replace(`grant:${name}`, "generation 1", `generation 2 by ${me}`, 3600)) {
        console.log(`replaced ${name}`);
      }
      if (await store.claim(`ticket:${name}`, "issued", 3600)) await store.save(`seat:${name}`, "one journey", 3600);
      if ((await store.take(`seat:${name}`)) !== undefined) console.log(`took ${name}`);
      for (;;) {
        const count = Number(await store.get("counter"));
        if (await store.replace("counter", count, count + 1)) break;
      }
    }
  }),
);
await close();
