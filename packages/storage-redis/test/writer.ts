/** Writes without end, and says what was confirmed, in the moment in which it is. */

import { writeSync } from "node:fs";
import { RedisStore } from "../src/index.ts";
import { SINGLE } from "./clients.ts";

const [kind = "", url = "", life = ""] = process.argv.slice(2);
const opened = await SINGLE[kind]?.({ url });
if (opened === undefined) throw new Error("There is no such client.");
const store = new RedisStore({ client: opened.client });

/** Straight to the pipe: what a stream has buffered would die with the process. */
const confirm = (words: string): number => writeSync(1, `${words}\n`);

/** Two copies of the number, far apart: of a torn record they would differ, or one would be missing. */
const record = (index: number) => ({ first: index, filling: "x".repeat(index % 3 === 0 ? 20_000 : 200), last: index });

/** One lane claims ever new records, deletes every other one, and replaces one over and over. */
async function write(lane: string): Promise<void> {
  const generation = `generation:${lane}`;
  await store.save(generation, record(0));
  for (let index = 1; ; index += 1) {
    const name = `${lane}:${index}`;
    if (await store.claim(`claimed:${name}`, record(index), 3600)) confirm(`claimed ${name}`);
    if (await store.replace(generation, record(index - 1), record(index))) confirm(`replaced ${name}`);
    if (index % 2 === 0) {
      await store.delete(`claimed:${name}`);
      confirm(`deleted ${name}`);
    }
  }
}

await Promise.all([0, 1, 2, 3].map((lane) => write(`${life}:${lane}`)));
