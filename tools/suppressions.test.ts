import { expect, test } from "vitest";
import { suppressions } from "./suppressions.ts";

test.each([
  ["// @ts-ignore\nlet a;", "the suppression @ts-ignore"],
  ["/* @ts-expect-error: why not */ let a;", "the suppression @ts-expect-error"],
  ["// biome-ignore lint/x: because\nlet a;", "the suppression biome-ignore"],
  ["/* v8 ignore next */ let a;", "the suppression v8 ignore"],
  ["let a: any;", "any"],
  ["const a = b as unknown as Map<string, any[]>;", "any"],
])("%j is refused", (text, problem) => {
  expect(suppressions({ path: "a.ts", text })).toEqual([{ path: "a.ts", line: 1, problem }]);
});

test("the same words in a string or in prose are not", () => {
  const text = 'const a = "@ts-ignore any"; // any of them, ignored\nlet b: unknown;';
  expect(suppressions({ path: "a.ts", text })).toEqual([]);
});
