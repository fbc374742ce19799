import { expect, test } from "vitest";
import { breaches } from "./walls.ts";

const folder = "packages/oauth-core";
const manifest = { name: "@sallyport/oauth-core", dependencies: { srvx: "^1.0.0" } };

function problems(path: string, text: string): string[] {
  return breaches(folder, manifest, [{ path: `${folder}/src/${path}`, text }]).map(({ problem }) => problem);
}

test.each([
  ["state/a.ts", 'import { b } from "../protocol/b.ts";'],
  ["domain/a.ts", 'import type { B } from "../state/b.ts";'],
  ["domain/grant-types/a.ts", 'import { b } from "../codes.ts";'],
  ["endpoints/a.ts", 'export * from "../transport/b.ts";'],
  ["protocol/a.ts", 'import { createHash } from "node:crypto";'],
  ["protocol/a.ts", 'import type { Runtime } from "../runtime.ts";'],
  ["options.ts", 'import type { TokenStorage } from "./state/token-storage.ts";'],
  ["state/a.test.ts", 'import { b } from "../endpoints/b.ts"; import { test } from "vitest";'],
])("%s may say: %s", (path, text) => {
  expect(problems(path, text)).toEqual([]);
});

test.each([
  ["protocol/a.ts", 'import type { B } from "../state/b.ts";', "protocol imports state (../state/b.ts)"],
  ["protocol/a.ts", 'import { readFileSync } from "node:fs";', "protocol imports node:fs"],
  ["state/a.ts", 'export { b } from "../transport/b.ts";', "state imports transport (../transport/b.ts)"],
  ["transport/a.ts", 'export * from "../state/b.ts";', "transport imports state (../state/b.ts)"],
  ["domain/a.ts", 'type B = import("../upstream/b.ts").B;', "domain imports upstream (../upstream/b.ts)"],
  ["pages/a.ts", 'const b = await import("../domain/b.ts");', "pages imports domain (../domain/b.ts)"],
  ["endpoints/a.ts", 'import { O } from "../oauth-proxy.ts";', "endpoints imports a root file (../oauth-proxy.ts)"],
  ["helpers/a.ts", 'import "./b.ts";', "helpers is not a layer of the house"],
  ["runtime.ts", 'import "node:crypto";', "runtime.ts imports nothing, so that every layer may know it"],
  ["domain/a.ts", 'import type { TokenStorage } from "../state/b.ts";', "domain imports TokenStorage, a word of state"],
  ["index.ts", 'import { j } from "jose";', "jose is not a dependency of @sallyport/oauth-core"],
  ["index.ts", 'import "../../node-http/src/index.ts";', "../../node-http/src/index.ts leaves the package"],
])("%s may not say: %s", (path, text, problem) => {
  expect(problems(path, text)).toEqual([problem]);
});

test("a breach is named with its file and line", () => {
  const text = 'import { a } from "./a.ts";\n\nimport { b } from "../state/b.ts";\n';
  expect(breaches(folder, manifest, [{ path: `${folder}/src/protocol/c.ts`, text }])).toMatchObject([
    { path: `${folder}/src/protocol/c.ts`, line: 3 },
  ]);
});

test("a file that does not parse is not passed over", () => {
  expect(() => problems("protocol/a.ts", 'import { from "b";')).toThrow(SyntaxError);
});
