/** The small examples, one for each framework and runtime: started as their READMEs say, and signed in to by the official client. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { freePort, until } from "@sallyport/test-servers";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { OfficialClient } from "./clients/official-client.ts";
import { sdkV2 } from "./clients/sdk-v2.ts";
import { Person } from "./person.ts";
import { subjectOf, whoIs } from "./tool-call.ts";
import { Upstream } from "./upstream.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

interface Command {
  readonly example: string;
  readonly folder: string;
  /** The script of its package that the README names. */
  readonly script: string;
}

/** What the READMEs of the small examples tell people to type. */
const COMMANDS = ["express", "koa", "fastify", "hono", "fetch", "sdk-v1", "fastmcp"].flatMap((example): Command[] => {
  const folder = `${root}examples/${example}`;
  const commands = readFileSync(`${folder}/README.md`, "utf8").matchAll(
    /^(?:[A-Z_]+=\S+ (?:\\\n)?)*npx -y pnpm@12 --filter @sallyport\/example-(\S+) (\S+)/gm,
  );
  return [...commands].filter(([, name]) => name === example).map(([, , script = ""]) => ({ example, folder, script }));
});

let upstream: Upstream;
beforeAll(async () => {
  upstream = await Upstream.start();
});
afterAll(() => upstream.close());

/** Runs the script on a free port, as its package manager would, until the test is finished. */
async function start({ folder, script }: Command): Promise<string> {
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  await upstream.admit(baseUrl);
  const { scripts } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8")) as { scripts: Record<string, string> };
  const child = spawn("sh", ["-c", scripts[script]?.replaceAll("3000", String(port)) ?? "false"], {
    cwd: folder,
    env: {
      PATH: `${folder}/node_modules/.bin:${process.env["PATH"]}`,
      HOME: process.env["HOME"],
      PORT: String(port),
      BASE_URL: baseUrl,
      UPSTREAM_AUTHORIZATION_ENDPOINT: upstream.provider.endpoints.authorization,
      UPSTREAM_TOKEN_ENDPOINT: upstream.provider.endpoints.token,
      UPSTREAM_CLIENT_ID: upstream.clientId,
      UPSTREAM_CLIENT_SECRET: upstream.clientSecret,
    },
    // A group of its own, so that what the shell has started ends with it.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  const complaints = text(child.stderr);
  onTestFinished(async () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await exited;
  });
  await until("the example answers", async () => {
    if (child.exitCode !== null) return true;
    return (await fetch(`${baseUrl}/.well-known/oauth-authorization-server`)).ok;
  });
  if (child.exitCode !== null) throw new Error(`The example ended with ${child.exitCode}:\n${await complaints}`);
  return baseUrl;
}

test("every example's README has a command for each of its scripts that start it", () => {
  const scripts = globSync("examples/{express,koa,fastify,hono,fetch,sdk-v1,fastmcp}/package.json", {
    cwd: root,
  }).flatMap((file) => {
    const manifest = JSON.parse(readFileSync(root + file, "utf8")) as { scripts: object };
    return Object.keys(manifest.scripts).filter((name) => name.startsWith("start"));
  });
  expect(COMMANDS.map(({ script }) => script).sort()).toEqual(scripts.sort());
});

test.each(COMMANDS)("$example: $script", async (command) => {
  const baseUrl = await start(command);
  const mcpUrl = new URL(`${baseUrl}/mcp`);
  const client = new OfficialClient(sdkV2, mcpUrl);
  onTestFinished(() => client.close());

  await client.finish(await new Person("alice").signIn(await client.knock()));
  expect(subjectOf(await client.call("whoami"))).toBe("alice");

  const first = client.tokens;
  const second = await client.refresh();
  expect(await whoIs(mcpUrl, second.access_token)).toBe("alice");
  expect(second.refresh_token).not.toBe(first.refresh_token);

  await client.revoke();
  expect(await whoIs(mcpUrl, second.access_token)).toBe(401);
  expect(await whoIs(mcpUrl, `${second.access_token}x`)).toBe(401);
});
