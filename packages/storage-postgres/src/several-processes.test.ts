/** Several processes over one table, and processes that end as nobody wished. */

import { installedPostgres, type PostgresServer, Program, startPostgres } from "@sallyport/test-servers";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { CLIENTS } from "../test/clients.ts";
import { PostgresStore } from "./postgres-store.ts";

const TIMEOUT = { timeout: 120_000 };

/** What was said of something, by its first word. */
const told = (lines: readonly string[], word: string): string[] =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index)).sort();

/** A program of the tests' folder, for one test. */
function started(name: string, ...args: readonly string[]): Program {
  const program = new Program(new URL(`../test/${name}.ts`, import.meta.url), ...args);
  onTestFinished(() => program.kill());
  return program;
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
    async () => {
      const size = 100;
      const names = ["pg", "postgres", "pg", "postgres"];
      const racers = names.map((kind, index) => started("racer", kind, server.url, String(index), String(size)));
      await Promise.all(racers.map((racer) => racer.said(1)));
      for (const racer of racers) racer.go();
      const endings = await Promise.all(racers.map((racer) => racer.ended));
      for (const { code, complaints } of endings) expect({ code, complaints }).toEqual({ code: 0, complaints: "" });

      for (const word of ["claimed", "replaced", "took"]) {
        expect(endings.flatMap(({ lines }) => told(lines, word)).sort()).toEqual(numbers(size));
      }
      const store = opened();
      expect(await store.get("counter")).toBe(names.length * size);
      // The value at rest is the winner's.
      for (const [index, { lines }] of endings.entries()) {
        for (const won of told(lines, "claimed")) {
          expect(await store.get(`code:${won}`)).toEqual({ winner: String(index) });
        }
      }
    },
  );

  test(
    "after SIGKILL, again and again, everything that was confirmed is there, and nothing is torn",
    TIMEOUT,
    async () => {
      const store = opened();
      await store.migrate();
      const said: string[] = [];
      for (let life = 0; life < 3; life += 1) {
        const [victim, survivor] = [
          started("writer", "pg", server.url, `victim ${life}`),
          started("writer", "postgres", server.url, `survivor ${life}`),
        ];
        await victim.said(50 + 37 * life);
        victim.kill();
        said.push(...(await victim.ended).lines);
        // The other one is not harmed by it, and goes on until it is killed as well.
        await survivor.said(200 + 37 * life);
        survivor.kill();
        const { signal, complaints, lines } = await survivor.ended;
        expect({ signal, complaints }).toEqual({ signal: "SIGKILL", complaints: "" });
        said.push(...lines);
        await everythingIsThere(store, said);
      }
    },
  );

  test("a process ends by itself while a store is open, and what it had begun to write is there", TIMEOUT, async () => {
    const store = opened();
    await store.migrate();
    const { code, lines, complaints } = await started("leaver", server.url).ended;
    expect({ code, lines, complaints }).toEqual({ code: 0, lines: ["done"], complaints: "" });
    expect(await store.get("last")).toBe("value");
  });
});

/** Holds every confirmation against the table. */
async function everythingIsThere(store: PostgresStore, said: readonly string[]): Promise<void> {
  const deleted = new Set(told(said, "deleted"));
  const whole = (index: number) => ({ first: index, filling: expect.stringMatching(/^x+$/), last: index });
  const indexOf = (name: string): number => Number(name.split(":").at(-1));

  const saved = told(said, "saved");
  expect(saved.length).toBeGreaterThan(0);
  for (const name of saved) {
    const value = await store.get(`saved:${name}`);
    if (deleted.has(name)) expect(value).toBeUndefined();
    // The delete of an even one may have been on its way.
    else if (indexOf(name) % 2 === 1 || value !== undefined) expect(value).toEqual(whole(indexOf(name)));
  }
  for (const name of told(said, "claimed")) {
    expect(await store.get(`claimed:${name}`)).toEqual(whole(indexOf(name)));
    expect(await store.claim(`claimed:${name}`, "again", 60)).toBe(false);
  }

  const generations = new Map<string, number>();
  for (const name of told(said, "replaced")) generations.set(name.slice(0, name.lastIndexOf(":")), indexOf(name));
  for (const [lane, confirmed] of generations) {
    const value = (await store.get(`generation:${lane}`)) as { readonly last: number };
    // One more may have been on its way.
    expect([confirmed, confirmed + 1]).toContain(value.last);
    expect(value).toEqual(whole(value.last));
  }
}
