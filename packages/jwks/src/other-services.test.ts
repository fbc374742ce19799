import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { oauth } from "@sallyport/node-http";
import { DiskStore } from "@sallyport/storage-disk";
import { createRemoteJWKSet, decodeProtectedHeader, type JWTVerifyResult, jwtVerify } from "jose";
import { expect, onTestFinished, test } from "vitest";
import { BASE_URL, idToken, jsonOf, RESOURCE, type Server, World } from "../../oauth-core/test/harness.ts";
import { SigningKeys } from "./index.ts";

const DAY = 86_400;

/** A server whose endpoints are on a socket, and how often its key set was asked for there. */
interface Served {
  readonly server: Server;
  readonly jwksUri: URL;
  readonly requests: { count: number };
}

function place(): string {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-jwks-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** One replica with a connection of its own to the database. */
async function served(world: World, directory: string, signing = new SigningKeys()): Promise<Served> {
  const tokenStorage = new DiskStore({ directory, now: () => world.now });
  const server = world.server({ tokenStorage, signing });
  const requests = { count: 0 };
  const endpoints = oauth(server.auth);
  const http = createServer((req, res) => {
    requests.count++;
    endpoints(req, res);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(async () => {
    http.closeAllConnections();
    http.close();
    await once(http, "close");
    await tokenStorage.close();
  });
  const { port } = http.address() as AddressInfo;
  return { server, jwksUri: new URL(`http://127.0.0.1:${port}/oauth/jwks`), requests };
}

/** What a service does that has jose, the address of the key set, and two names. */
function verifiedBy(keys: ReturnType<typeof createRemoteJWKSet>, token: string, now: number): Promise<JWTVerifyResult> {
  return jwtVerify(token, keys, {
    issuer: BASE_URL,
    audience: RESOURCE,
    typ: "at+jwt",
    algorithms: ["ES256"],
    requiredClaims: ["sub", "client_id", "exp", "iat", "jti"],
    currentDate: new Date(now * 1000),
  });
}

test("RFC 9068 §4: a service verifies our tokens with jose and the address of the key set alone, and a rotation costs it nothing", async () => {
  const world = new World();
  const { server, jwksUri, requests } = await served(world, place());
  const { client, tokens } = await server.signIn();
  const { payload, protectedHeader } = await verifiedBy(createRemoteJWKSet(jwksUri), tokens.access_token, world.now);
  expect(payload).toMatchObject({ client_id: client.clientId, scope: "read", aud: RESOURCE });

  // The next key is published a day before it signs: a service that has looked since then need not look again.
  world.now += 29 * DAY;
  const fetched = createRemoteJWKSet(jwksUri, { cacheMaxAge: Number.POSITIVE_INFINITY });
  const before = await jsonOf(await server.refresh(client, tokens.refresh_token));
  await verifiedBy(fetched, String(before["access_token"]), world.now);
  requests.count = 0;
  world.now += DAY;
  const after = await jsonOf(await server.refresh(client, String(before["refresh_token"])));
  const kid = decodeProtectedHeader(String(after["access_token"])).kid;
  expect(kid).not.toBe(protectedHeader.kid);
  await verifiedBy(fetched, String(after["access_token"]), world.now);
  expect(requests.count).toBe(0);

  // Tokens of before are good until they expire, also for a service that starts only now.
  world.now -= 1;
  const last = await jsonOf(await server.refresh(client, String(after["refresh_token"])));
  expect(decodeProtectedHeader(String(last["access_token"])).kid).toBe(protectedHeader.kid);
  world.now += 3599;
  await verifiedBy(createRemoteJWKSet(jwksUri), String(last["access_token"]), world.now);
});

test("two replicas over one database sign with one key, publish the same set, and accept each other's tokens over a rotation", async () => {
  const world = new World();
  const directory = place();
  const replicas = await Promise.all([served(world, directory), served(world, directory)]);
  const documents = () =>
    Promise.all(replicas.map(async ({ jwksUri }) => (await fetch(jwksUri)).json() as Promise<{ keys: object[] }>));
  for (const [due, keys] of [
    [0, 1],
    [29 * DAY, 2],
    [DAY + 3900, 1],
  ] as const) {
    world.now += due;
    const [one, other] = await documents();
    expect(one?.keys).toHaveLength(keys);
    expect(other).toEqual(one);
    for (const { server } of replicas) {
      const { tokens } = await server.signIn();
      for (const each of replicas) {
        expect(await each.server.call(tokens.access_token)).toBe(200);
        await verifiedBy(createRemoteJWKSet(each.jwksUri), tokens.access_token, world.now);
      }
    }
  }
  expect(world.eventsOf("signing_key.published")).toHaveLength(2);
  expect(world.eventsOf("signing_keys.unavailable")).toEqual([]);
});

test("another process guards its resource by our key set: our tokens open it, and those of a key that was taken back do not", async () => {
  const world = new World();
  world.now = Math.floor(Date.now() / 1000);
  world.answer = () => world.tokens({ id_token: idToken({ sub: "alice", aud: "our-app", exp: world.now + 60 }) });
  const signing = new SigningKeys();
  const { server, jwksUri } = await served(world, place(), signing);
  const url = await resourceProcess(BASE_URL, RESOURCE, jwksUri.href);
  const call = async (token: string) => {
    const answer = await fetch(url, { method: "POST", headers: { authorization: `Bearer ${token}` } });
    return [answer.status, await answer.text()];
  };

  const { client, tokens } = await server.signIn();
  expect(await call(tokens.access_token)).toEqual([200, "hello alice"]);
  expect((await call(`${tokens.access_token.slice(0, -8)}AAAAAAAA`))[0]).toBe(401);
  const foreign = await new World().server({ signing: new SigningKeys() }).signIn();
  expect((await call(foreign.tokens.access_token))[0]).toBe(401);

  await signing.retire(String(decodeProtectedHeader(tokens.access_token).kid));
  expect((await call(tokens.access_token))[0]).toBe(401);
  const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));
  expect(await call(String(refreshed["access_token"]))).toEqual([200, "hello alice"]);
});

/** Where it listens, once it does. */
async function resourceProcess(...args: readonly string[]): Promise<string> {
  const file = fileURLToPath(new URL("../test/resource-process.ts", import.meta.url));
  const fromSource = new URL("../../../tools/from-source.ts", import.meta.url).href;
  const child: ChildProcess = spawn(process.execPath, ["--no-warnings", "--import", fromSource, file, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  if (child.stdout === null) throw new Error("the process has no output");
  const ended = once(child, "exit").then(() => Promise.reject(new Error("the process ended before it listened")));
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), ended]);
  return String(line);
}
