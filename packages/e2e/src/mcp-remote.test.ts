/** `mcp-remote`, which lends its sign-in to clients that know only local servers, as the command that people run. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Site, startSite } from "./site.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

const program = join(fileURLToPath(new URL("../node_modules/mcp-remote/", import.meta.url)), "dist/client.js");

let site: Site;
let configuration: string;
beforeEach(async () => {
  site = await startSite();
  configuration = await mkdtemp(join(tmpdir(), "sallyport-mcp-remote-"));
});
afterEach(async () => {
  await site.close();
  await rm(configuration, { recursive: true });
});

/** Runs it to its end; a person follows the URL that it prints, where it prints one. */
async function run(): Promise<{ readonly code: unknown; readonly output: string; readonly asked: boolean }> {
  const child = spawn(process.execPath, [program, site.example.mcpUrl.href], {
    // BROWSER: it tries to open one by itself, and there is none here.
    env: { PATH: process.env.PATH, HOME: configuration, MCP_REMOTE_CONFIG_DIR: configuration, BROWSER: "true" },
    // It ends when nobody can talk to it any more: its stdin stays open.
    stdio: "pipe",
  });
  process.once("exit", () => child.kill("SIGKILL"));
  const lines: string[] = [];
  let signIn: Promise<void> | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on("line", (line) => {
      lines.push(line);
      if (signIn === undefined && line.startsWith(`${site.example.baseUrl}/oauth/authorize?`)) signIn = follow(line);
    });
  }
  const [code] = await once(child, "close");
  await signIn;
  return { code, output: lines.join("\n"), asked: signIn !== undefined };
}

/** Allows it, signs in, and is sent back to the callback on which it listens. */
async function follow(url: string): Promise<void> {
  const browser = new ScriptedBrowser();
  const signInPage = await browser.submit(await browser.open(url), { action: "approve" });
  await browser.submit(signInPage, { username: "alice", action: "sign-in" });
}

test("registers, sends a person to sign in, and lists the tools; the next time nobody is asked", async () => {
  const first = await run();

  expect(first).toMatchObject({ code: 0, asked: true, output: expect.stringContaining('"upstream_profile"') });
  expect(await run()).toMatchObject({ code: 0, asked: false, output: expect.stringContaining('"upstream_profile"') });
});
