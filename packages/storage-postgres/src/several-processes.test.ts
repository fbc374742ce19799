/** Several processes over one table, and processes that end as nobody wished. */

import { installedPostgres, type PostgresServer, type Program, startPostgres } from "@sallyport/test-servers";
import { everythingIsThere, killedWhileWriting, race, startedFor } from "@sallyport/test-servers/storage-proofs";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, type TestContext, test } from "vitest";
import { CLIENTS } from "../test/clients.ts";
import { PostgresStore } from "./postgres-store.ts";

const TIMEOUT = { timeout: 120_000 };
const SIZE = 100;
const LIVES = 3;

/** A program of the tests' folder. */
function started(context: TestContext, name: string, ...args: readonly string[]): Program {
  return startedFor(context, new URL(`../test/${name}.ts`, import.meta.url), ...args);
}

describe.skipIf((await installedPostgres()) === undefined)("over one table", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server.stop());

  /** A store of this process, for one test. */
  function opened(): PostgresStore {
    const { client, close } = CLIENTS.pg(server);
    onTestFinished(close);
    return new PostgresStore({ client });
  }

  beforeEach(async () => {
    const { query, close } = CLIENTS.pg(server);
    await query("DROP TABLE IF EXISTS sallyport_records");
    await close();
  });

  test(
    "of processes that make the table at the same moment and race for each code, refresh and ticket, one wins each, and no increment is lost",
    TIMEOUT,
    async (context) => {
      const kinds = { 0: "pg", 1: "postgres", 2: "pg", 3: "postgres" };
      const racers = new Map(
        Object.entries(kinds).map(([me, kind]) => [me, started(context, "racer", kind, server.url, me, String(SIZE))]),
      );
      const programs = [...racers.values()];
      await Promise.all(programs.map((racer) => racer.said(1)));
      for (const racer of programs) racer.go();
      await Promise.all(programs.map((racer) => racer.said(2)));
      await race(opened(), racers, SIZE);
    },
  );

  test(
    "after SIGKILL, again and again, everything that was confirmed is there, and nothing is torn",
    TIMEOUT,
    async (context) => {
      const store = opened();
      await store.migrate();
      const said: string[] = [];
      for (let life = 0; life < LIVES; life += 1) {
        const [victim, survivor] = [
          started(context, "writer", "pg", server.url, `victim ${life}`),
          started(context, "writer", "postgres", server.url, `survivor ${life}`),
        ];
        said.push(...(await killedWhileWriting(victim, survivor, life)));
        await everythingIsThere(store, said);
      }
    },
  );

  test(
    "a process ends by itself while a store is open, and what it had begun to write is there",
    TIMEOUT,
    async (context) => {
      const store = opened();
      await store.migrate();
      const { code, lines, complaints } = await started(context, "leaver", server.url).ended;
      expect({ code, lines, complaints }).toEqual({ code: 0, lines: ["done"], complaints: "" });
      expect(await store.get("last")).toBe("value");
    },
  );
});
