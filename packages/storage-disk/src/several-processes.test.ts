/** Several processes over one directory, and processes that end as nobody wished. */

import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { databaseIn, opened, place } from "../test/place.ts";
import { Program } from "../test/program.ts";

const TIMEOUT = { timeout: 60_000 };

/** What was said of something, by its first word. */
const told = (lines: readonly string[], word: string): string[] =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

test(
  "of two processes that race for each code, refresh and ticket, one wins each, and no increment is lost",
  TIMEOUT,
  async () => {
    const size = 400;
    const directory = place();
    const store = opened({ directory });
    await Promise.all(
      numbers(size).flatMap((name) => [
        store.save(`grant:${name}`, "generation 1", 3600),
        store.save(`ticket:${name}`, "one journey", 3600),
      ]),
    );
    await store.save("counter", 0);

    const racers = ["one", "other"].map((name) => new Program("racer", directory, name, String(size)));
    await Promise.all(racers.map((racer) => racer.said(1)));
    for (const racer of racers) racer.go();
    const endings = await Promise.all(racers.map((racer) => racer.ended));
    for (const { code, complaints } of endings) expect({ code, complaints }).toEqual({ code: 0, complaints: "" });

    for (const word of ["claimed", "replaced", "took"]) {
      const won = endings.flatMap(({ lines }) => told(lines, word));
      expect(won.sort()).toEqual(numbers(size).sort());
    }
    expect(await store.get("counter")).toBe(2 * size);
    // The value at rest is the winner's.
    for (const [index, name] of ["one", "other"].entries()) {
      for (const won of told(endings[index]?.lines ?? [], "claimed")) {
        expect(await store.get(`code:${won}`)).toEqual({ winner: name });
      }
    }
  },
);

test("several processes that make the database at the same moment agree on one", TIMEOUT, async () => {
  const directory = `${place()}/new`;
  const racers = numbers(4).map((name) => new Program("racer", directory, name, "20"));
  await Promise.all(racers.map((racer) => racer.said(1)));
  const store = opened({ directory });
  await store.save("counter", 0);
  for (const racer of racers) racer.go();
  const endings = await Promise.all(racers.map((racer) => racer.ended));
  expect(endings.map(({ code, complaints }) => ({ code, complaints }))).toEqual(
    Array(4).fill({ code: 0, complaints: "" }),
  );
  expect(endings.flatMap(({ lines }) => told(lines, "claimed")).sort()).toEqual(numbers(20).sort());
  expect(await store.get("counter")).toBe(80);
});

test(
  "after SIGKILL, again and again, everything that was confirmed is there, and nothing is torn",
  TIMEOUT,
  async () => {
    const directory = place();
    const said: string[] = [];
    for (let life = 0; life < 6; life += 1) {
      const [victim, survivor] = ["victim", "survivor"].map(
        (name) => new Program("writer", directory, `${name} ${life}`),
      );
      if (victim === undefined || survivor === undefined) throw new Error("unreachable");
      await victim.said(50 + 37 * life);
      victim.kill();
      said.push(...(await victim.ended).lines);
      // The other one is not harmed by it, and goes on until it is killed as well.
      await survivor.said(200 + 37 * life);
      survivor.kill();
      const ending = await survivor.ended;
      expect({ signal: ending.signal, complaints: ending.complaints }).toEqual({ signal: "SIGKILL", complaints: "" });
      said.push(...ending.lines);
      await everythingIsThere(directory, said);
    }
  },
);

/** Holds every confirmation against the database, as a new process finds it. */
async function everythingIsThere(directory: string, said: readonly string[]): Promise<void> {
  const store = opened({ directory });
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
  for (const name of told(said, "replaced")) {
    generations.set(name.slice(0, name.lastIndexOf(":")), indexOf(name));
  }
  for (const [lane, confirmed] of generations) {
    const value = (await store.get(`generation:${lane}`)) as { readonly last: number };
    // One more may have been on its way.
    expect([confirmed, confirmed + 1]).toContain(value.last);
    expect(value).toEqual(whole(value.last));
  }
  await store.close();

  const database = new DatabaseSync(databaseIn(directory));
  expect(database.prepare("PRAGMA integrity_check").all()).toEqual([
    expect.objectContaining({ integrity_check: "ok" }),
  ]);
  database.close();
}

test("a process ends by itself while a store is open, and what it had begun to write is there", TIMEOUT, async () => {
  const directory = place();
  const { code, signal, lines, complaints } = await new Program("leaver", directory).ended;
  expect({ code, signal, lines, complaints }).toEqual({ code: 0, signal: null, lines: ["done"], complaints: "" });
  expect(await opened({ directory }).get("last")).toBe("value");
});
