import { expect, test } from "vitest";
import { expiryOf } from "./lifetime.ts";

test("a record expires after its ttl to the fraction of a second, and without one never", () => {
  expect(expiryOf(60, 1000.25)).toBe(1060.25);
  expect(expiryOf(undefined, 1000.25)).toBeNull();
});
