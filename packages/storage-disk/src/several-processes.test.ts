/** Several processes over one directory, and processes that end as nobody wished. */

import { DatabaseSync } from "node:sqlite";
import { everythingIsThere, killedWhileWriting, race } from "@sallyport/test-servers/storage-proofs";
import { expect, type TestContext, test } from "vitest";
import { databaseIn, opened, place } from "../test/place.ts";
import { started } from "../test/started.ts";

const TIMEOUT = { timeout: 60_000 };
const LIVES = 6;

/** Lets processes race for everything in a directory, which one of them makes where it is not there yet. */
async function raceIn(context: TestContext, directory: string, names: readonly string[], size: number): Promise<void> {
  const racers = new Map(names.map((name) => [name, started(context, "racer", directory, name, String(size))]));
  await Promise.all([...racers.values()].map((racer) => racer.said(1)));
  await race(opened({ directory }), racers, size);
}

test(
  "of two processes that race for each code, refresh and ticket, one wins each, and no increment is lost",
  TIMEOUT,
  (context) => raceIn(context, place(), ["one", "other"], 400),
);

test("several processes that make the database at the same moment agree on one", TIMEOUT, (context) =>
  raceIn(context, `${place()}/new`, ["0", "1", "2", "3"], 20),
);

test(
  "after SIGKILL, again and again, everything that was confirmed is there, and nothing is torn",
  TIMEOUT,
  async (context) => {
    const directory = place();
    const said: string[] = [];
    for (let life = 0; life < LIVES; life += 1) {
      const victim = started(context, "writer", directory, `victim ${life}`);
      const survivor = started(context, "writer", directory, `survivor ${life}`);
      said.push(...(await killedWhileWriting(victim, survivor, life)));
      // As a new process finds it.
      const store = opened({ directory });
      await everythingIsThere(store, said);
      await store.close();
      const database = new DatabaseSync(databaseIn(directory));
      expect(database.prepare("PRAGMA integrity_check").all()).toEqual([
        expect.objectContaining({ integrity_check: "ok" }),
      ]);
      database.close();
    }
  },
);

test(
  "a process ends by itself while a store is open, and what it had begun to write is there",
  TIMEOUT,
  async (context) => {
    const directory = place();
    const { code, signal, lines, complaints } = await started(context, "leaver", directory).ended;
    expect({ code, signal, lines, complaints }).toEqual({ code: 0, signal: null, lines: ["done"], complaints: "" });
    expect(await opened({ directory }).get("last")).toBe("value");
  },
);
