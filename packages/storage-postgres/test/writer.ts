/** Writes without end, and says what was confirmed, in the moment in which it is. */

import { writeSync } from "node:fs";
import { PostgresStore } from "../src/index.ts";
import { CLIENTS } from "./clients.ts";

const [kind, url = "", life = ""] = process.argv.slice(2);
const { client } = CLIENTS[kind === "pg" ? "pg" : "postgres"]({ url, connections: 4 });
const store = new PostgresStore({ client });

/** Straight to the pipe: what a stream has buffered would die with the process. */
const confirm = (words: string): number => writeSync(1, `${words}\n`);

/** Two copies of the number, far apart: a torn record would have two different ones. */
const record = (index: number) => ({ first: index, filling: "x".repeat(index % 3 === 0 ? 20_000 : 200), last: index });

/** One lane saves ever new records, and replaces one over and over. */
async function write(lane: number): Promise<void> {
  const generation = `generation:${life}:${lane}`;
  await store.save(generation, record(0));
  for (let index = 1; ; index += 1) {
    const name = `${life}:${lane}:${index}`;
    await store.save(`saved:${name}`, record(index), 3600);
    confirm(`saved ${name}`);
    if (await store.claim(`claimed:${name}`, record(index), 3600)) confirm(`claimed ${name}`);
    if (await store.replace(generation, record(index - 1), record(index))) confirm(`replaced ${name}`);
    if (index % 2 === 0) {
      await store.delete(`saved:${name}`);
      confirm(`deleted ${name}`);
    }
    if (index % 10 === 0) await store.cleanup();
  }
}

await Promise.all([0, 1, 2, 3].map(write));
