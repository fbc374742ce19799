import { expect, test } from "vitest";
import { RecentlySeen } from "./recently-seen.ts";

test("something counts as seen for less than the seconds that are asked for", () => {
  const seen = new RecentlySeen(10);
  seen.see("grant", 100);
  expect(seen.seenWithin("grant", 100, 5)).toBe(true);
  expect(seen.seenWithin("grant", 104, 5)).toBe(true);
  expect(seen.seenWithin("grant", 105, 5)).toBe(false);
  expect(seen.seenWithin("grant", 1_000_000, Number.POSITIVE_INFINITY)).toBe(true);
  expect(seen.seenWithin("another", 100, Number.POSITIVE_INFINITY)).toBe(false);
});

test("zero seconds remember nothing", () => {
  const seen = new RecentlySeen(10);
  seen.see("grant", 100);
  expect(seen.seenWithin("grant", 100, 0)).toBe(false);
});

test("a clock that is set back lets nothing be remembered for longer", () => {
  const seen = new RecentlySeen(10);
  seen.see("grant", 100_000);
  expect(seen.seenWithin("grant", 99_998, 5)).toBe(true);
  expect(seen.seenWithin("grant", 90_000, 5)).toBe(false);
});

test("what is forgotten was never seen", () => {
  const seen = new RecentlySeen(10);
  seen.see("grant", 100);
  seen.forget("grant");
  seen.forget("another");
  expect(seen.seenWithin("grant", 100, 5)).toBe(false);
});

test("the memory is bounded: what was seen longest ago goes first, and seeing it again keeps it", () => {
  const seen = new RecentlySeen(3);
  for (const name of ["a", "b", "c"]) seen.see(name, 1);
  seen.see("a", 1);
  seen.see("d", 1);
  const kept = ["a", "b", "c", "d"].filter((name) => seen.seenWithin(name, 1, 5));
  expect(kept).toEqual(["a", "c", "d"]);
});
