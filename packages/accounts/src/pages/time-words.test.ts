import { expect, test } from "vitest";
import { durationWords, instant } from "./time-words.ts";

test.each([
  [0, "1 second"],
  [1, "1 second"],
  [1.2, "2 seconds"],
  [59, "59 seconds"],
  [60, "1 minute"],
  [61, "2 minutes"],
  [900, "15 minutes"],
  [3600, "1 hour"],
  [3601, "61 minutes"],
  [7200, "2 hours"],
  [7201, "3 hours"],
  [86_400, "24 hours"],
])("%d seconds are %s, and never less than they are", (seconds, words) => {
  expect(durationWords(seconds)).toBe(words);
});

test("an instant is said in UTC, to people and to programs", () => {
  expect(instant(0).text).toBe('<time datetime="1970-01-01T00:00:00Z">1 January 1970, 00:00 UTC</time>');
  expect(instant(1_793_059_199).text).toBe('<time datetime="2026-10-26T23:59:59Z">26 October 2026, 23:59 UTC</time>');
});
