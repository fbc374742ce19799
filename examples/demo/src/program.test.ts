/** Programs that the demo starts: it waits for them, notices when they end, and leaves none behind. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Program, ProgramFailed } from "./program.ts";

let folder: string;
let stop: AbortController;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "program-"));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(folder, { recursive: true });
});

async function start(script: string, environment: Readonly<Record<string, string>> = {}): Promise<Program> {
  const path = join(folder, "script.mjs");
  await writeFile(path, script);
  return Program.start("test program", pathToFileURL(path).href, environment, stop.signal);
}

const STAYS = 'setInterval(() => undefined, 60_000); console.log("ready http://example.test/" + process.env.NAME);';

test("it is up when it says so, configured by the environment that it was given", async () => {
  const program = await start(STAYS, { NAME: "configured" });

  expect(program.url).toBe("http://example.test/configured");
  await program.end();
});

test("nothing else of the environment reaches it", async () => {
  process.env.PROGRAM_TEST = "leaked";
  try {
    const program = await start(`${STAYS} console.log("got", process.env.PROGRAM_TEST);`);

    expect(await program.line("got", 0)).toBe("got undefined");
    await program.end();
  } finally {
    delete process.env.PROGRAM_TEST;
  }
});

test("one that ends before it is up is told of, with the last that it said", async () => {
  const starting = start('console.error("PORT: has to be set"); process.exitCode = 3;');

  await expect(starting).rejects.toThrow(/test program has ended with exit code 3[\s\S]*PORT: has to be set/);
});

test("one that ends while it should be up is told of", async () => {
  const program = await start(
    `${STAYS} process.once("SIGUSR2", () => process.exit(5)); console.log("pid", process.pid);`,
    { NAME: "x" },
  );
  const pid = Number((await program.line("pid", 0)).slice(4));
  process.kill(pid, "SIGUSR2");

  await expect(program.crashed).rejects.toBeInstanceOf(ProgramFailed);
});

test("one that is killed and started again is configured as before, and that is no crash", async () => {
  const program = await start(`${STAYS} console.log("pid", process.pid);`, { NAME: "configured" });
  const before = await program.line("pid", 0);
  const mark = program.mark;
  await program.killAndStart();

  expect(await program.line("pid", mark)).not.toBe(before);
  expect(program.linesSince(mark)[0]).toBe("ready http://example.test/configured");
  expect(await Promise.race([program.crashed, program.end()])).toBeUndefined();
});

test("one that does not come up again after it was killed is told of", async () => {
  const program = await start(
    `import { existsSync, writeFileSync } from "node:fs";
     const mark = new URL("mark", import.meta.url);
     if (existsSync(mark)) process.exit(7);
     writeFileSync(mark, "");
     ${STAYS}`,
  );

  await expect(program.killAndStart()).rejects.toThrow(/test program has ended with exit code 7/);
});

test("one that is stopped from outside is gone, and that is no crash", async () => {
  const program = await start(STAYS);
  let crashed = false;
  program.crashed.catch(() => {
    crashed = true;
  });
  stop.abort();
  await program.end();

  expect(crashed).toBe(false);
});
