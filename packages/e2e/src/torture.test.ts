/** Two processes of the example server on one storage, killed and started again while 200 people work with them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Random, type StandInUpstream, startStandInUpstream, torture } from "@sallyport/contracts/torture";
import { expect, onTestFinished, test } from "vitest";

const PROGRAM = fileURLToPath(new URL("../../../examples/mcp-server/src/main.ts", import.meta.url));

/** One process that is started again whenever it is killed. */
class Replica {
  readonly #environment: Readonly<Record<string, string>>;
  #child: ReturnType<typeof spawn> | undefined;

  constructor(environment: Readonly<Record<string, string>>) {
    this.#environment = environment;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [PROGRAM], {
      env: { ...this.#environment },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#child = child;
    const lines = createInterface(child.stdout);
    for await (const line of lines) if (line.startsWith("ready ")) return;
    throw new Error("the server ended before it was ready");
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const closed = once(server, "close");
  server.close();
  await closed;
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function replicas(count: number, storage: string, upstream: StandInUpstream) {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  const issuer = `http://127.0.0.1:${ports[0]}`;
  const environment = {
    PATH: process.env.PATH ?? "",
    BASE_URL: issuer,
    STORAGE: storage,
    UPSTREAM_AUTHORIZATION_ENDPOINT: upstream.authorizationEndpoint,
    UPSTREAM_TOKEN_ENDPOINT: upstream.tokenEndpoint,
    UPSTREAM_USERINFO_ENDPOINT: upstream.userinfoEndpoint,
    UPSTREAM_CLIENT_ID: "torture",
    UPSTREAM_CLIENT_SECRET: "a secret of the upstream that is long enough",
    UPSTREAM_SCOPES: "read",
  };
  const servers = ports.map((port) => new Replica({ ...environment, PORT: String(port) }));
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.kill()));
  });
  await Promise.all(servers.map((server) => server.start()));
  return { issuer, origins: ports.map((port) => `http://127.0.0.1:${port}`), servers };
}

const seed = Math.floor(Math.random() * 2 ** 32);

test(`nobody who did nothing wrong is logged out, no code pays twice, and nothing is readable at rest (disk, seed ${seed})`, {
  timeout: 240_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-torture-"));
  const upstream = await startStandInUpstream();
  onTestFinished(async () => {
    await upstream.close();
    await rm(directory, { recursive: true });
  });
  const { issuer, origins, servers } = await replicas(2, `disk:${directory}/state`, upstream);

  const disturb = async (random: Random): Promise<void> => {
    const server = random.one(servers);
    await server.kill();
    await server.start();
  };
  const { figures, secrets } = await torture({ issuer, origins, seed, users: 200, rounds: 2, disturb });
  console.log([`Torture over disk, seed ${seed}:`, ...figures.lines()].join("\n"));

  expect(figures.failures).toEqual([]);
  expect(figures.count("users signed in")).toBe(200);
  expect(figures.count("disturbances")).toBeGreaterThan(0);

  await Promise.all(servers.map((server) => server.kill()));
  const files = await readdir(join(directory, "state"));
  const dump = Buffer.concat(await Promise.all(files.map((file) => readFile(join(directory, "state", file))))).toString(
    "latin1",
  );
  const found = [...secrets, ...upstream.secrets, "user-17@example.com"].filter((secret) => dump.includes(secret));
  expect(found).toEqual([]);
});
