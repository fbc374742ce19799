import { randomUUID } from "node:crypto";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as Version1Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Version1Transport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { requireAll, requireAuth, requireRole, requireScopes } from "@sallyport/oauth-core";
import { freePort } from "@sallyport/test-servers";
import { FastMCP, type Logger } from "fastmcp";
import { afterEach, describe, expect, test, vi } from "vitest";
import { Keychain } from "../test/keychain.ts";
import { Barrier, Person, World } from "../test/world.ts";
import { SallyportProvider, type SallyportSession } from "./fastmcp.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.restoreAllMocks();
});

const silent: Logger = {
  debug: () => undefined,
  error: () => undefined,
  info: () => undefined,
  log: () => undefined,
  warn: () => undefined,
};

interface Options {
  readonly stateless?: boolean;
  readonly mount?: boolean;
  readonly meanwhile?: () => Promise<unknown>;
}

/** FastMCP as its users write it, with our server behind it. */
async function fastmcp({ stateless = false, mount = true, meanwhile }: Options = {}): Promise<World> {
  // The proxy below FastMCP writes each stream to the console.
  vi.spyOn(console, "log").mockReturnValue(undefined);
  const port = await freePort();
  const world = new World(`http://127.0.0.1:${port}`);
  const provider = new SallyportProvider(world.auth, { scopes: ["mcp:tools"] });
  const server = new FastMCP<SallyportSession>({ name: "notes", version: "1.0.0", auth: provider, logger: silent });
  if (mount) provider.mount(server);
  server.addTool({
    name: "whoami",
    canAccess: requireAuth,
    execute: async (_, { session }) => {
      const before = session?.subject;
      await meanwhile?.();
      return JSON.stringify({ before, after: session?.subject, upstream: session?.accessToken });
    },
  });
  server.addTool({ name: "read_notes", canAccess: requireScopes("notes:read"), execute: async () => "notes" });
  server.addTool({
    name: "audit",
    canAccess: requireAll(requireRole("admin"), requireScopes("notes:read")),
    execute: async () => "audit",
  });
  await server.start({ transportType: "httpStream", httpStream: { port, host: "127.0.0.1", stateless } });
  closing.push(() => server.stop());
  return world;
}

async function connected(world: World, who: string | Keychain): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  await client.connect(
    new StreamableHTTPClientTransport(
      new URL(world.resource),
      typeof who === "string"
        ? { requestInit: { headers: { authorization: `Bearer ${who}` } } }
        : { authProvider: who },
    ),
  );
  closing.push(() => client.close());
  return client;
}

const textOf = (result: unknown) =>
  (result as { content: readonly { text: string }[] }).content.map(({ text }) => text).join();

const initialize = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } },
};

function send(world: World, token: string, body: unknown, more: Record<string, string> = {}, method = "POST") {
  return fetch(world.resource, {
    method,
    headers: {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      ...more,
    },
    ...(method === "POST" ? { body: JSON.stringify(body) } : {}),
  });
}

describe.each([{ stateless: false }, { stateless: true }])("%o", (options) => {
  test("the whole journey: challenge, discovery, registration, consent, sign-in, token, tool", async () => {
    const world = await fastmcp(options);
    const keychain = new Keychain();
    await expect(connected(world, keychain)).rejects.toThrow("Unauthorized");
    const callback = await new Person("alice").signIn(keychain.taken());
    await new StreamableHTTPClientTransport(new URL(world.resource), { authProvider: keychain }).finishAuth(
      callback.searchParams,
    );
    const client = await connected(world, keychain);

    expect(JSON.parse(textOf(await client.callTool({ name: "whoami" })))).toEqual({
      before: expect.stringContaining("alice"),
      after: expect.stringContaining("alice"),
      upstream: "upstream-token-of-alice",
    });
  });

  test.each([
    ["alice", "mcp:tools", ["whoami"]],
    ["alice", "mcp:tools notes:admin", ["whoami", "read_notes"]],
    ["ada", "mcp:tools notes:read", ["whoami", "read_notes", "audit"]],
  ])("canAccess takes our helpers: %s with %s sees only what may be used", async (person, scope, tools) => {
    const world = await fastmcp(options);
    const client = await connected(world, await world.token(person, scope));

    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(tools);
    if (!tools.includes("audit")) await expect(client.callTool({ name: "audit" })).rejects.toThrow("Unknown tool");
  });

  test("identity is taken per request: two users in one process, 100 overlapping calls, slow tools, never the other's identity", async () => {
    const barrier = new Barrier(100);
    const world = await fastmcp({ ...options, meanwhile: () => barrier.pass() });
    const people = await Promise.all(
      ["alice", "bob"].map(async (name) => {
        const client = new Version1Client({ name: "test", version: "1.0.0" });
        const requestInit = { headers: { authorization: `Bearer ${await world.token(name)}` } };
        await client.connect(
          new Version1Transport(new URL(world.resource), { requestInit }) as Parameters<Version1Client["connect"]>[0],
        );
        closing.push(() => client.close());
        return { name, client };
      }),
    );
    const calls = Array.from({ length: 50 }, () => people).flat();
    const answers = await Promise.all(
      calls.map(async ({ name, client }) => ({
        name,
        ...JSON.parse(textOf(await client.callTool({ name: "whoami" }))),
      })),
    );

    expect(answers).toHaveLength(100);
    for (const { name, before, after, upstream } of answers) {
      expect([before, after, upstream]).toEqual([
        expect.stringContaining(name),
        expect.stringContaining(name),
        `upstream-token-of-${name}`,
      ]);
    }
  });

  test("the challenge is our guard's: the way in, the scopes, readable for browsers", async () => {
    const world = await fastmcp(options);
    const narrow = await world.token("alice", "openid notes:read");
    const [bare, bad, short] = [
      await send(world, "", initialize, { origin: "http://localhost:6274" }),
      await send(world, "nonsense", initialize),
      await send(world, narrow, initialize),
    ];
    const metadata = `resource_metadata="${world.auth.issuer}/.well-known/oauth-protected-resource/mcp"`;

    expect([bare.status, bad.status, short.status]).toEqual([401, 401, 403]);
    expect(bare.headers.get("www-authenticate")).toBe(`Bearer scope="mcp:tools", ${metadata}`);
    expect(bare.headers.get("access-control-expose-headers")).toContain("www-authenticate");
    expect(bare.headers.get("access-control-allow-origin")).toBe("http://localhost:6274");
    expect(bad.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(short.headers.get("www-authenticate")).toContain('error="insufficient_scope", scope="mcp:tools"');
  });

  test("a storage that is down is 503, which keeps the client's token", async () => {
    const world = await fastmcp(options);
    const token = await world.token("alice");
    world.storageIsDown = true;

    expect((await send(world, token, initialize)).status).toBe(503);
  });

  test("a foreign origin is 403, and two Authorization headers are 400", async () => {
    const world = await fastmcp(options);
    const token = await world.token("alice");
    const foreign = await send(world, token, initialize, { origin: "https://evil.example" });

    expect(foreign.status).toBe(403);
    expect((await send(world, `${token}, Bearer ${token}`, initialize)).status).toBe(400);
  });

  test("the transport of 2024, whose messages nobody verifies, is not served", async () => {
    const world = await fastmcp(options);
    const headers = { authorization: `Bearer ${await world.token("alice")}` };
    const statuses = await Promise.all(
      ["/sse", "/sse?x", "/x/../sse", "/./sse"].map(
        async (path) => (await fetch(world.auth.issuer + path, { headers })).status,
      ),
    );

    expect(statuses).toEqual([404, 404, 404, 404]);
  });
});

describe("sessions of 2025", () => {
  /** A session of alice's. */
  async function begun(scope = "openid mcp:tools") {
    const world = await fastmcp();
    const token = await world.token("alice", scope);
    const answer = await send(world, token, initialize);
    await answer.text();
    const headers = {
      "mcp-session-id": answer.headers.get("mcp-session-id") ?? "",
      "mcp-protocol-version": "2025-11-25",
    };
    const whoami = { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "whoami", arguments: {} } };
    const ask = (method: string, withToken: string, more: Record<string, string> = {}) =>
      send(world, withToken, whoami, { ...headers, ...more }, method);
    return { world, token, ask };
  }

  test.each(["POST", "GET", "DELETE"])(
    "T-SE-02: %s with another's session id is 404, as with one that nobody has",
    async (method) => {
      const { world, token, ask } = await begun();
      const bob = await world.token("bob");
      const others = await ask(method, bob);
      const nobodys = await ask(method, bob, { "mcp-session-id": randomUUID() });

      expect([others.status, nobodys.status]).toEqual([404, 404]);
      expect(await others.text()).toBe(await nobodys.text());
      expect(await (await ask("POST", token)).text()).toContain("alice");
    },
  );

  test("another client of the same person does not get the session either", async () => {
    const { world, ask } = await begun();

    expect((await ask("POST", await world.token("alice", undefined, "another client"))).status).toBe(404);
  });

  test("T-SE-01: a session id without a token is 401, on every method", async () => {
    const { ask } = await begun();
    const statuses = await Promise.all(["POST", "GET", "DELETE"].map(async (method) => (await ask(method, "")).status));

    expect(statuses).toEqual([401, 401, 401]);
  });

  test("rights are not frozen: a token with fewer of them does not go on with the session's tools", async () => {
    const { world, token, ask } = await begun("openid mcp:tools notes:read");

    expect((await ask("POST", token)).status).toBe(200);
    expect((await ask("POST", await world.token("alice", "openid mcp:tools"))).status).toBe(404);
  });
});

test("consent is never readable across origins, and the token endpoint is", async () => {
  const world = await fastmcp();
  const metadata = world.auth.getAuthorizationServerMetadata();
  const headers = { origin: "https://evil.example" };
  const authorize = await fetch(metadata.authorizationEndpoint, { headers });
  const token = await fetch(metadata.tokenEndpoint, { method: "POST", headers, body: new URLSearchParams() });

  expect(authorize.headers.has("access-control-allow-origin")).toBe(false);
  expect(token.headers.get("access-control-allow-origin")).toBe("*");
});

test("a server that was not mounted says so, and lets nobody in", async () => {
  const world = await fastmcp({ mount: false });
  const answer = await send(world, await world.token("alice"), initialize);

  expect(answer.status).toBe(500);
  expect(await answer.text()).toContain("mount(server)");
});

test("on stdio there is nobody to ask", async () => {
  expect(await new SallyportProvider(new World().auth).authenticate(undefined)).toBeUndefined();
});
