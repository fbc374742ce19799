import { expect, test } from "vitest";
import { assertTtl, expiryOf } from "./lifetime.ts";

test("a ttl is whole seconds, at least one, years too, or absent", () => {
  for (const ttl of [undefined, 1, 3600, 10 * 365 * 86_400, Number.MAX_SAFE_INTEGER]) {
    expect(() => assertTtl(ttl)).not.toThrow();
  }
  for (const ttl of [0, -1, 0.5, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(() => assertTtl(ttl)).toThrow(RangeError);
  }
});

test("a record expires after its ttl to the fraction of a second, and without one never", () => {
  expect(expiryOf(60, 1000.25)).toBe(1060.25);
  expect(expiryOf(undefined, 1000.25)).toBeNull();
});
