/** Processes that are killed while they write: what was confirmed is there, and nothing is torn. */

import { expect } from "vitest";
import type { Program } from "../program.ts";
import { told } from "./told.ts";
import type { WholeStorage } from "./whole-storage.ts";

/** What ends a process that was killed, and says nothing of trouble before that. */
const KILLED = { signal: "SIGKILL", complaints: "" };

/**
 * Kills one of two writers in the middle of it, and the other one later, whom that has not harmed. Answers with what both have confirmed.
 *
 * @param life how many were killed before: each life is longer than the one before it
 */
export async function killedWhileWriting(victim: Program, survivor: Program, life: number): Promise<readonly string[]> {
  await victim.said(50 + 37 * life);
  victim.kill();
  const first = await victim.ended;
  const before = survivor.lines.length;
  await survivor.said(before + 150);
  survivor.kill();
  const second = await survivor.ended;
  for (const { signal, complaints } of [first, second]) expect({ signal, complaints }).toEqual(KILLED);
  return [...first.lines, ...second.lines];
}

/** Holds every confirmation against what is there. */
export async function everythingIsThere(store: WholeStorage, said: readonly string[]): Promise<void> {
  const deleted = new Set(told(said, "deleted"));
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
  const generations = new Map(told(said, "replaced").map((name) => [laneOf(name), indexOf(name)]));
  for (const [lane, confirmed] of generations) {
    const value = (await store.get(`generation:${lane}`)) as { readonly last: number };
    // One more may have been on its way.
    expect([confirmed, confirmed + 1]).toContain(value.last);
    expect(value).toEqual(whole(value.last));
  }
}

const indexOf = (name: string): number => Number(name.split(":").at(-1));
const laneOf = (name: string): string => name.slice(0, name.lastIndexOf(":"));
const whole = (index: number) => ({ first: index, filling: expect.stringMatching(/^x+$/), last: index });
