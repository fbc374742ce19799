/** The whole demo, as a newcomer runs it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "demo-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The demo, with a folder of its own for what is temporary. */
const runDemo = () =>
  spawn(process.execPath, [MAIN, "--once"], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });

test("with --once every step holds, the exit code is 0, and no token is shown whole", { timeout: 60_000 }, async () => {
  const demo = runDemo();
  const [story, [code]] = await Promise.all([text(demo.stdout), once(demo, "exit")]);

  expect(code).toBe(0);
  expect(story).toMatch(/Everything held: \d\d checks/);
  expect(story).not.toContain("✗");
  expect(story).toContain("another process knows alice by the same token");
  expect(readdirSync(folder)).toEqual([]);
  expect(story).not.toMatch(/eyJ[\w-]{20}|sp_(?:rt|ac)_[\w-]{20}/);
});

test.each([
  ["once", 1],
  ["twice", 2],
])(
  "interrupted %s, it leaves neither a server nor a file behind, and the exit code is 130",
  { timeout: 60_000 },
  async (_times, signals) => {
    const demo = runDemo();
    const ended = once(demo, "exit");
    let story = "";
    let sent = 0;
    for await (const chunk of demo.stdout.setEncoding("utf8")) {
      story += String(chunk);
      if (story.includes("The client knocks")) for (; sent < signals; sent += 1) demo.kill("SIGINT");
    }
    const urls = story.match(/http:\/\/127\.0\.0\.1:\d+(?=[\s/])/g) ?? [];

    expect(await ended).toEqual([130, null]);
    expect(new Set(urls).size).toBeGreaterThanOrEqual(2);
    for (const url of new Set(urls)) {
      await expect.poll(() => fetch(url).then(String, () => "gone")).toBe("gone");
    }
    expect(readdirSync(folder)).toEqual([]);
  },
);
