/** The secret that is kept where the users are. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { keptSecret, newSecret } from "./secret.ts";

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "secret-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

test("it has 32 random bytes", () => {
  expect(Buffer.from(newSecret(), "base64url")).toHaveLength(32);
  expect(newSecret()).not.toBe(newSecret());
});

test("it is made up once, and found again; nothing else is left behind", () => {
  const directory = temporaryDirectory();
  const secret = keptSecret(directory);

  expect(keptSecret(directory)).toBe(secret);
  expect(readdirSync(directory)).toEqual(["secret"]);
});

test("of several processes that make it up at the same time, all have the same one", async () => {
  const directory = temporaryDirectory();
  const program = "import(process.argv[1]).then(({ keptSecret }) => console.log(keptSecret(process.argv[2])))";
  const module = new URL("secret.ts", import.meta.url).href;
  const run = promisify(execFile);
  const secrets = await Promise.all(
    Array.from({ length: 4 }, () => run(process.execPath, ["-e", program, module, directory])),
  );

  expect(new Set(secrets.map(({ stdout }) => stdout.trim()))).toEqual(new Set([keptSecret(directory)]));
  expect(readdirSync(directory)).toEqual(["secret"]);
});

test.each(["", "\n", "short\n"])("what is there and is none (%j) is refused, and is not replaced", (content) => {
  const directory = temporaryDirectory();
  const path = join(directory, "secret");
  writeFileSync(path, content);

  expect(() => keptSecret(directory)).toThrow(`SECRET: ${path} holds none of 32 bytes`);
  expect(readFileSync(path, "utf8")).toBe(content);
});
