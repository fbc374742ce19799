import { expect, test } from "vitest";
import { tracesIn } from "./traces.ts";

test.each([
  ["docs/a.md", "cd /work/main", "a machine's path"],
  ["a.ts", 'open("/home/somebody/x")', "a machine's path"],
  [".npmrc", "registry=https://mirror.example/npm/", "a registry's settings"],
  ["a.json", '"https://registry.npmjs.org/x/-/x-1.0.0.tgz"', "a registry's host"],
  ["pnpm-lock.yaml", "    resolution: {integrity: sha512-x, tarball: x.tgz}", "an address in the lock file"],
  ["pnpm-lock.yaml", "    resolution: {url: http://10.0.0.1/x.tgz}", "an address in the lock file"],
])("%s must not say: %s", (path, text, problem) => {
  expect(tracesIn({ path, text: `first\n${text}` })).toEqual([{ path, line: 2, problem }]);
});

test.each([
  ["a.md", "https://www.rfc-editor.org/rfc/rfc6749 and /usr/bin/chromium and path/work/x"],
  ["a.ts", 'directory: "/var/lib/mcp"'],
  ["pnpm-lock.yaml", "    resolution: {integrity: sha512-x}"],
])("%s may say: %s", (path, text) => {
  expect(tracesIn({ path, text })).toEqual([]);
});
