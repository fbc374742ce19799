import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type StoredOAuthTokens,
  Client as Version2Client,
  StreamableHTTPClientTransport as Version2Transport,
} from "@modelcontextprotocol/client";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { InvalidTokenError, ServerError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import type { OAuthTokenVerifier } from "@modelcontextprotocol/sdk/server/auth/provider.js";
import type { AuthInfo as SdkAuthInfo } from "@modelcontextprotocol/sdk/server/auth/types.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { oauth } from "@sallyport/node-http";
import { type AuthInfo, requireAll, requireRole, requireScopes, toAuthInfo } from "@sallyport/oauth-core";
import express, { type Express } from "express";
import { afterEach, describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { Keychain } from "../test/keychain.ts";
import { Barrier, listening, Person, World } from "../test/world.ts";
import { getAuthSession, OwnedSessions, upstreamTokens } from "./index.ts";
import { guardTools, tokenVerifier } from "./v1.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const answer = (value: unknown) => ({ content: [{ type: "text" as const, text: JSON.stringify(value) }] });

function createServer({ auth }: World, meanwhile = async () => undefined as unknown): McpServer {
  const server = guardTools(new McpServer({ name: "notes", version: "1.0.0" }), auth);
  server.registerTool("whoami", {}, async (extra) => {
    const before = getAuthSession(extra);
    await meanwhile();
    const upstream = await upstreamTokens(extra);
    return answer({ before: before.subject, after: getAuthSession(extra).subject, upstream: upstream?.accessToken });
  });
  server.registerTool("read_notes", { canAccess: requireScopes("notes:read") }, () => answer("notes"));
  server.registerTool(
    "write_note",
    { canAccess: requireScopes("mcp:tools", "notes:write"), inputSchema: { text: z.string() } },
    ({ text }) => answer(text),
  );
  server.registerTool("audit", { canAccess: requireAll(requireRole("admin"), requireScopes("notes:read")) }, () =>
    answer("audit"),
  );
  return server;
}

type McpRequest = IncomingMessage & { auth?: SdkAuthInfo; body?: unknown };
type McpRoute = (req: McpRequest, res: ServerResponse) => Promise<unknown>;

/** A server and a transport for each request. */
function stateless(world: World, meanwhile?: () => Promise<unknown>): McpRoute {
  return async (req, res) => {
    const transport = new StreamableHTTPServerTransport({});
    const server = createServer(world, meanwhile);
    res.once("close", () => void server.close());
    await server.connect(transport as Parameters<McpServer["connect"]>[0]);
    await transport.handleRequest(req, res, req.body);
  };
}

/** A server and a transport for each session, which belongs to whoever began it. */
function stateful(
  world: World,
  sessions: OwnedSessions<StreamableHTTPServerTransport>,
  meanwhile?: () => Promise<unknown>,
): McpRoute {
  return async (req, res) => {
    const id = req.headers["mcp-session-id"];
    let transport = sessions.find(id, req.auth);
    if (transport === undefined && id === undefined && isInitializeRequest(req.body)) {
      const begun = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        onsessioninitialized: (sessionId) => sessions.add(sessionId, req.auth, begun),
        onsessionclosed: (sessionId) => sessions.delete(sessionId),
      });
      await createServer(world, meanwhile).connect(begun as Parameters<McpServer["connect"]>[0]);
      transport = begun;
    }
    if (transport === undefined) return res.writeHead(404).end();
    return transport.handleRequest(req, res, req.body);
  };
}

/** The endpoints, the SDK's own bearer middleware with our verifier, and the tools; `parse` is whether Express parses bodies. */
async function site(routeOf: (world: World) => McpRoute, parse = true): Promise<World> {
  const server = await listening();
  closing.push(() => server.close());
  const world = new World(server.baseUrl);
  const app: Express = express();
  app.use(oauth(world.auth));
  app.use("/mcp", requireBearerAuth({ verifier: tokenVerifier(world.auth), requiredScopes: ["mcp:tools"] }));
  if (parse) app.use(express.json({ limit: "10mb" }));
  const route = routeOf(world);
  app.all("/mcp", (req, res) => void route(req, res));
  server.serve(app);
  return world;
}

async function connected(world: World, who: string | Keychain): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(
    new URL(world.resource),
    typeof who === "string"
      ? { requestInit: { headers: { authorization: `Bearer ${who}` } } }
      : { authProvider: who as never },
  );
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  closing.push(() => client.close());
  return client;
}

/** An application on a real client. */
interface Application {
  readonly keychain: Keychain;
  connect(): Promise<{ callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown> }>;
  finish(callback: URL): Promise<void>;
}

/** Version 1 of the client answers every challenge with a refresh where it can, and then gives up: it only asks a person when it has no refresh token. */
class ForgetfulKeychain extends Keychain {
  override saveTokens({ refresh_token, ...tokens }: StoredOAuthTokens): void {
    expect(refresh_token).toBeDefined();
    super.saveTokens(tokens);
  }
}

function onVersion1(world: World): Application {
  const keychain = new ForgetfulKeychain();
  return {
    keychain,
    connect: () => connected(world, keychain),
    finish: (callback) =>
      new StreamableHTTPClientTransport(new URL(world.resource), { authProvider: keychain as never }).finishAuth(
        callback.searchParams.get("code") ?? "",
      ),
  };
}

function onVersion2(world: World): Application {
  const keychain = new Keychain();
  const transport = () => new Version2Transport(new URL(world.resource), { authProvider: keychain });
  return {
    keychain,
    async connect() {
      const client = new Version2Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
      await client.connect(transport());
      closing.push(() => client.close());
      return client;
    },
    finish: (callback) => transport().finishAuth(callback.searchParams),
  };
}

const CLIENTS: readonly (readonly [string, (world: World) => Application, boolean])[] = [
  ["version 1", onVersion1, true],
  ["version 1, nobody parsed the body before", onVersion1, false],
  ["version 2", onVersion2, true],
];

const textOf = (result: unknown) =>
  (result as { content: readonly { text: string }[] }).content.map(({ text }) => text).join();
const call = (id: number, name: string) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name } });
const headersOf = (token: string, more: Record<string, string> = {}) => ({
  authorization: `Bearer ${token}`,
  accept: "application/json, text/event-stream",
  "content-type": "application/json",
  ...more,
});

test("our AuthInfo is the SDK's, and our verifier is one of the SDK's", () => {
  expectTypeOf<AuthInfo>().toExtend<SdkAuthInfo>();
  expectTypeOf(tokenVerifier).returns.toExtend<OAuthTokenVerifier>();
});

describe("tokenVerifier", () => {
  test("a bad token is the SDK's InvalidTokenError, a storage that is down its ServerError", async () => {
    const world = new World();
    const verifier = tokenVerifier(world.auth);
    const token = await world.token("alice");

    await expect(verifier.verifyAccessToken(token)).resolves.toMatchObject({
      token,
      resource: new URL(world.resource),
    });
    await expect(verifier.verifyAccessToken("nonsense")).rejects.toThrow(InvalidTokenError);
    world.storageIsDown = true;
    await expect(verifier.verifyAccessToken(token)).rejects.toThrow(ServerError);
  });

  test("the SDK's middleware answers 401, 403 and 500", async () => {
    const world = await site(stateless);
    const ask = async (token: string) =>
      (await fetch(world.resource, { method: "POST", headers: headersOf(token), body: "{}" })).status;
    const [good, narrow] = [await world.token("alice"), await world.token("alice", "openid notes:read")];
    const statuses = [await ask("nonsense"), await ask(narrow), await ask(good)];
    world.storageIsDown = true;
    statuses.push(await ask(good));

    expect(statuses).toEqual([401, 403, 400, 500]);
  });
});

describe.each([
  ["stateless", stateless],
  ["stateful", (world: World) => stateful(world, new OwnedSessions())],
] as const)("guarded tools, %s", (_, routeOf) => {
  test.each([
    ["alice", "mcp:tools", ["whoami"]],
    ["alice", "mcp:tools notes:admin", ["whoami", "read_notes", "write_note"]],
    ["ada", "mcp:tools notes:read", ["whoami", "read_notes", "audit"]],
  ])("%s with %s sees only what may be used", async (person, scope, tools) => {
    const world = await site(routeOf);
    const client = await connected(world, await world.token(person, scope));

    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(tools);
  });

  test("a tool that needs a role refuses, and asks for nothing that would not help", async () => {
    const world = await site(routeOf);
    const client = await connected(world, await world.token("alice", "mcp:tools notes:read"));

    expect(await client.callTool({ name: "audit" })).toMatchObject({
      isError: true,
      content: [{ text: "You may not use this tool." }],
    });
  });

  test.each(CLIENTS)(
    "RFC 6750 §3.1: the client is asked for the missing scope, gets it, and the tool answers: %s",
    async (_, open, parse) => {
      if (!parse && routeOf !== stateless) return;
      const world = await site(routeOf, parse);
      const application = open(world);
      const alice = new Person("alice");
      const signIn = async () => application.finish(await alice.signIn(application.keychain.taken()));
      await expect(application.connect()).rejects.toThrow("Unauthorized");
      await signIn();
      const first = await application.connect();
      const before = application.keychain.held?.scope;
      await expect(first.callTool({ name: "write_note", arguments: { text: "x" } })).rejects.toThrow("Unauthorized");
      await signIn();
      const second = await application.connect();

      expect(before).toBe("openid mcp:tools");
      expect(application.keychain.held?.scope?.split(" ")).toContain("notes:write");
      expect(textOf(await second.callTool({ name: "write_note", arguments: { text: "written" } }))).toBe('"written"');
    },
  );
});

test("a client of version 1 that holds a refresh token refreshes, and gives up", async () => {
  const world = await site(stateless);
  const keychain = new Keychain();
  await expect(connected(world, keychain)).rejects.toThrow("Unauthorized");
  const callback = await new Person("alice").signIn(keychain.taken());
  await new StreamableHTTPClientTransport(new URL(world.resource), { authProvider: keychain as never }).finishAuth(
    callback.searchParams.get("code") ?? "",
  );
  const client = await connected(world, keychain);

  await expect(client.callTool({ name: "read_notes" })).rejects.toThrow("403 after trying upscoping");
});

test("identity is taken per request: two users in one process, 100 overlapping calls, slow tools, never the other's identity", async () => {
  const barrier = new Barrier(100);
  const world = await site((of) => stateless(of, () => barrier.pass()));
  const people = await Promise.all(
    ["alice", "bob"].map(async (name) => ({ name, client: await connected(world, await world.token(name)) })),
  );
  const calls = Array.from({ length: 50 }, () => people).flat();
  const answers = await Promise.all(
    calls.map(async ({ name, client }) => ({ name, ...JSON.parse(textOf(await client.callTool({ name: "whoami" }))) })),
  );

  expect(answers).toHaveLength(100);
  for (const { name, before, after, upstream } of answers) {
    expect([before, after]).toEqual([expect.stringContaining(name), expect.stringContaining(name)]);
    expect(upstream).toBe(`upstream-token-of-${name}`);
  }
});

test("within one session, each call has the identity and the rights of its own token", async () => {
  const barrier = new Barrier(100);
  const sessions = new OwnedSessions<StreamableHTTPServerTransport>();
  const world = await site((of) => stateful(of, sessions, () => barrier.pass()));
  const people = await Promise.all(
    ["alice", "bob"].map(async (name) => ({ name, client: await connected(world, await world.token(name)) })),
  );
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => people)
      .flat()
      .map(async ({ name, client }) => ({ name, ...JSON.parse(textOf(await client.callTool({ name: "whoami" }))) })),
  );

  for (const { name, before, after, upstream } of answers) {
    expect([before, after, upstream]).toEqual([
      expect.stringContaining(name),
      expect.stringContaining(name),
      `upstream-token-of-${name}`,
    ]);
  }
});

describe("sessions of 2025", () => {
  /** A session of alice's, and somebody else's token. */
  async function stolen() {
    const sessions = new OwnedSessions<StreamableHTTPServerTransport>();
    const world = await site((of) => stateful(of, sessions));
    const token = await world.token("alice");
    const begun = await fetch(world.resource, {
      method: "POST",
      headers: headersOf(token),
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 0,
        method: "initialize",
        params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } },
      }),
    });
    await begun.text();
    const id = begun.headers.get("mcp-session-id") ?? "";
    const ask = (method: string, withToken: string, sessionId = id) =>
      fetch(world.resource, {
        method,
        headers: headersOf(withToken, { "mcp-session-id": sessionId, "mcp-protocol-version": "2025-11-25" }),
        ...(method === "POST" ? { body: JSON.stringify(call(1, "whoami")) } : {}),
      });
    return { world, sessions, token, id, ask };
  }

  test.each(["POST", "GET", "DELETE"])(
    "T-SE-02: %s with another's session id is 404, as with one that nobody has",
    async (method) => {
      const { world, sessions, token, ask } = await stolen();
      const bob = await world.token("bob");
      const [others, nobodys] = [await ask(method, bob), await ask(method, bob, randomUUID())];

      expect([others.status, nobodys.status]).toEqual([404, 404]);
      expect(await others.text()).toBe(await nobodys.text());
      expect(sessions.size).toBe(1);
      expect((await ask("POST", token)).status).toBe(200);
    },
  );

  test("T-SE-01: a session id without a token is 401", async () => {
    const { ask } = await stolen();

    expect((await ask("POST", "")).status).toBe(401);
  });

  test("a newer token of the same person goes on with the session", async () => {
    const { world, id } = await stolen();
    const sessions = new OwnedSessions<string>();
    const verifier = tokenVerifier(world.auth);
    const first = await verifier.verifyAccessToken(await world.token("alice"));
    sessions.add(id, first, "transport");

    expect(sessions.find(id, { ...first, token: "newer" })).toBe("transport");
  });

  test("a session that its owner ended is gone", async () => {
    const { sessions, token, ask } = await stolen();

    expect((await ask("DELETE", token)).status).toBe(200);
    expect(sessions.size).toBe(0);
    expect((await ask("POST", token)).status).toBe(404);
  });
});

describe("the challenge", () => {
  test("T-SC-02: is our guard's own: all scopes of a batch, CORS, an event; and no tool has run", async () => {
    const world = await site(stateless);
    const refused = await fetch(world.resource, {
      method: "POST",
      headers: headersOf(await world.token("alice"), { origin: "http://localhost:6274" }),
      body: JSON.stringify([call(1, "whoami"), call(2, "read_notes"), call(3, "write_note")]),
    });

    expect(refused.status).toBe(403);
    expect(refused.headers.get("www-authenticate")).toContain(
      'error="insufficient_scope", scope="notes:read mcp:tools notes:write"',
    );
    expect(refused.headers.get("access-control-expose-headers")).toContain("www-authenticate");
    expect(await refused.json()).toMatchObject({ error: "insufficient_scope" });
    expect(world.events).toContainEqual(expect.objectContaining({ type: "access.refused", reason: "token_scope" }));
  });

  test.each([
    ["no JSON", "{", 400],
    ["no message", "null", 400],
    ["a name that is none", JSON.stringify({ ...call(1, "x"), params: { name: 1 } }), 200],
    ["more than any transport reads", `[${"0,".repeat(3_000_000)}0]`, 413],
  ])("%s is for the transport to answer", async (_, body, status) => {
    const world = await site(stateless, false);
    const asked = await fetch(world.resource, { method: "POST", headers: headersOf(await world.token("alice")), body });

    expect(asked.status).toBe(status);
    await asked.body?.cancel();
  });

  test("the transport for Request and Response asks as well, and reads what it should", async () => {
    const world = new World();
    const ask = async (name: string, scope: string, body = JSON.stringify(call(1, name))) => {
      const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
      await createServer(world).connect(transport as Parameters<McpServer["connect"]>[0]);
      const request = new Request(world.resource, {
        method: "POST",
        headers: headersOf(await world.token("alice", scope)),
        body,
      });
      const access = await world.auth.protect(request);
      if (access instanceof Response) return access;
      return transport.handleRequest(request, { authInfo: toAuthInfo(access) });
    };
    const refused = await ask("read_notes", "mcp:tools");

    expect(refused.status).toBe(403);
    expect(refused.headers.get("www-authenticate")).toContain('scope="notes:read"');
    expect(await (await ask("read_notes", "notes:read")).json()).toMatchObject({ result: answer("notes") });
    expect((await ask("", "notes:read", "{")).status).toBe(400);
    expect((await ask("", "notes:read", `[${"0,".repeat(3_000_000)}0]`)).status).toBe(413);
  });

  test("where there is no HTTP to ask with, the tool refuses in words", async () => {
    const { auth } = new World();
    const [clientSide, serverSide] = InMemoryTransport.createLinkedPair();
    const server = guardTools(new McpServer({ name: "notes", version: "1.0.0" }), auth);
    server.registerTool("read_notes", { canAccess: requireScopes("notes:read") }, () => answer("notes"));
    await server.connect(serverSide);
    await clientSide.start();
    const replied = new Promise((resolve) => {
      clientSide.onmessage = resolve;
    });
    await clientSide.send(call(1, "read_notes") as never, {
      authInfo: { token: "t", clientId: "c", scopes: [], extra: { subject: "alice", claims: {} } },
    });

    expect(await replied).toMatchObject({
      result: { isError: true, content: [{ text: "This tool needs the scopes notes:read. Sign in again." }] },
    });
  });
});
