import { expect, test } from "vitest";
import { cycles } from "./cycles.ts";

/** Sources of one package, each given by what it says. */
function sources(files: Readonly<Record<string, string>>) {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}

test("a chain of imports is no cycle, however often an end is reached", () => {
  const found = cycles(
    sources({
      "packages/a/src/index.ts": 'export * from "./one.ts"; export * from "./two.ts";',
      "packages/a/src/one.ts": 'import { two } from "./two.ts";',
      "packages/a/src/two.ts": "export const two = 2;",
    }),
  );
  expect(found).toEqual([]);
});

test("a type import closes a cycle as well", () => {
  const found = cycles(
    sources({
      "packages/a/src/one.ts": 'import { two } from "./two.ts";',
      "packages/a/src/two.ts": 'import { three } from "./three.ts";',
      "packages/a/src/three.ts": 'import type { One } from "./one.ts";',
    }),
  );
  expect(found.map((knot) => knot.toSorted())).toEqual([
    ["packages/a/src/one.ts", "packages/a/src/three.ts", "packages/a/src/two.ts"],
  ]);
});

test("a cycle is seen through the names of packages", () => {
  const found = cycles(
    sources({
      "packages/a/src/index.ts": 'export type { B } from "@sallyport/b/part";',
      "packages/b/src/part.ts": 'import { a } from "@sallyport/a";',
    }),
  );
  expect(found).toHaveLength(1);
});

test("a file that imports itself is a cycle, and two knots are two", () => {
  const found = cycles(
    sources({
      "packages/a/src/self.ts": 'import { self } from "./self.ts";',
      "packages/a/src/one.ts": 'import { two } from "./two.ts";',
      "packages/a/src/two.ts": 'import { one } from "./one.ts";',
    }),
  );
  expect(found).toHaveLength(2);
});
