import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** What the compiler says to one of the programs in `test/types`; each is a world of its own, with what an SDK declares for all of it. */
async function complaints(project: string): Promise<string> {
  const path = fileURLToPath(new URL(`../test/types/${project}`, import.meta.url));
  const compile = promisify(execFile)("tsc", ["--noEmit", "--pretty", "false", "-p", path]);
  return compile.then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout,
  );
}

test.each([
  ["without an SDK", "tsconfig.alone.json"],
  ["beside version 1 of the MCP SDK", "tsconfig.sdk-1.json"],
  ["beside version 2 of the MCP SDK", "tsconfig.sdk-2.json"],
  ["beside both versions of the MCP SDK", "tsconfig.json"],
])("req.auth is typed without a cast, %s", async (_, project) => {
  expect(await complaints(project)).toBe("");
});
