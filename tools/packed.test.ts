import { expect, test } from "vitest";
import { dataEntries, incompleteness } from "./packed.ts";

const complete = {
  name: "@sallyport/a",
  description: "A.",
  type: "module",
  license: "MIT",
  sideEffects: false,
  engines: { node: ">=22.13" },
  publishConfig: { access: "public" },
  exports: { ".": "./dist/index.js" },
  files: ["dist"],
};
const files = ["package.json", "README.md", "LICENSE", "dist/index.js"];

test("a complete package lacks nothing", () => {
  expect(incompleteness(complete, files)).toEqual([]);
});

test("what a package lacks is named", () => {
  const { license: _, ...unlicensed } = complete;
  expect(incompleteness({ ...unlicensed, sideEffects: true }, ["package.json"])).toEqual([
    'package.json: license is not "MIT"',
    "package.json: sideEffects is not false",
    "README.md is not in the tarball",
    "LICENSE is not in the tarball",
  ]);
});

test("workspace links, sources and tests do not leave the workspace", () => {
  const linked = { ...complete, dependencies: { "@sallyport/b": "workspace:^" } };
  expect(incompleteness(linked, [...files, "src/index.ts", "dist/a.test.js"])).toEqual([
    "package.json: @sallyport/b is still a workspace link",
    "src/index.ts does not belong in the tarball",
    "dist/a.test.js does not belong in the tarball",
  ]);
});

test("an entry that is no code has no types to look for", () => {
  const exports = {
    ".": { types: "./dist/index.d.ts", default: "./dist/index.js" },
    "./a": "./dist/a.js",
    "./schema.sql": "./schema.sql",
    "./package.json": "./package.json",
  };
  expect(dataEntries({ ...complete, exports })).toEqual(["./schema.sql"]);
});
