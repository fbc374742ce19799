/** The program: what it says, and how it ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ENVIRONMENT = {
  PORT: "0",
  UPSTREAM_AUTHORIZATION_ENDPOINT: "https://id.example.com/authorize",
  UPSTREAM_TOKEN_ENDPOINT: "https://id.example.com/token",
  UPSTREAM_CLIENT_ID: "example",
  UPSTREAM_CLIENT_SECRET: "a secret that the test has made up for itself",
};

function run(environment: Readonly<Record<string, string>>) {
  const program: ChildProcess = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (program.stdout === null || program.stderr === null) throw new Error("The program's output is not readable.");
  return { program, stdout: program.stdout, ended: once(program, "exit"), errors: text(program.stderr) };
}

test.each([
  ["node-http", "SIGINT"],
  ...["node-http", "express", "koa", "fastify", "hono", "fetch"].map((adapter) => [adapter, "SIGTERM"] as const),
] as const)("on %s it says that it is ready, serves, and ends with exit code 0 on %s", async (adapter, signal) => {
  const { program, stdout, ended } = run({ ...ENVIRONMENT, ADAPTER: adapter });
  const [line] = await once(stdout.setEncoding("utf8"), "data");
  const [, baseUrl] = /^ready (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(String(line)) ?? [];
  const { status } = await fetch(`${baseUrl}/mcp`);
  program.kill(signal);

  expect(status).toBe(401);
  expect(await ended).toEqual([0, null]);
});

test("without its variables it ends with exit code 1, and names each of them", async () => {
  const { ended, errors } = run({});

  expect(await ended).toEqual([1, null]);
  expect((await errors).trim().split("\n")).toEqual([
    "UPSTREAM_AUTHORIZATION_ENDPOINT: has to be set",
    "UPSTREAM_TOKEN_ENDPOINT: has to be set",
    "UPSTREAM_CLIENT_ID: has to be set",
    "UPSTREAM_CLIENT_SECRET: has to be set",
  ]);
});

test("a key that is too weak is refused by the variable's name, and is not shown", async () => {
  const { ended, errors } = run({ ...ENVIRONMENT, JWT_SIGNING_KEY: "short-key" });

  expect(await ended).toEqual([1, null]);
  expect(await errors).toMatch(/^JWT_SIGNING_KEY: /);
  expect(await errors).not.toContain("short-key");
});

test.each(["redis", "postgres"])("a %s that is not there is told of in one line, and ends it", async (kind) => {
  const { ended, errors } = run({ ...ENVIRONMENT, STORAGE: `${kind}://user:the-password@127.0.0.1:1/0` });

  expect(await ended).toEqual([1, null]);
  expect(await errors).toMatch(/^STORAGE: \w+ can't be used: connect ECONNREFUSED 127\.0\.0\.1:1\n$/);
});
