/** Processes that race for everything: each prize has one winner, and no increment is lost. */

import { expect } from "vitest";
import type { Program } from "../program.ts";
import { told } from "./told.ts";
import type { WholeStorage } from "./whole-storage.ts";

/**
 * Puts into `store` what can be won, lets the racers go, which wait for it, and holds what they said against each other and against what is
 * there afterwards.
 *
 * @param racers what each of them calls itself, and its process
 */
export async function race(store: WholeStorage, racers: ReadonlyMap<string, Program>, size: number): Promise<void> {
  const numbers = Array.from({ length: size }, (_, index) => String(index)).sort();
  await Promise.all(
    numbers.flatMap((name) => [
      store.save(`grant:${name}`, "generation 1", 3600),
      store.save(`ticket:${name}`, "one journey", 3600),
    ]),
  );
  await store.save("counter", 0);

  const programs = [...racers.values()];
  for (const program of programs) program.go();
  const endings = await Promise.all(programs.map((program) => program.ended));
  for (const { code, complaints } of endings) expect({ code, complaints }).toEqual({ code: 0, complaints: "" });

  for (const word of ["claimed", "replaced", "took"]) {
    expect(endings.flatMap(({ lines }) => told(lines, word)).sort(), word).toEqual(numbers);
  }
  expect(await store.get("counter")).toBe(programs.length * size);
  // The value at rest is the winner's.
  for (const [winner, program] of racers) {
    const { lines } = await program.ended;
    for (const name of told(lines, "claimed")) expect(await store.get(`code:${name}`)).toEqual({ winner });
    for (const name of told(lines, "replaced"))
      expect(await store.get(`grant:${name}`)).toBe(`generation 2 by ${winner}`);
  }
}
