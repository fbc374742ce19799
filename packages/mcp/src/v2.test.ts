import { Client, StreamableHTTPClientTransport, UnauthorizedError } from "@modelcontextprotocol/client";
import { requireBearerAuth as expressBearerAuth } from "@modelcontextprotocol/express";
import {
  createMcpHandler,
  McpServer,
  type OAuthTokenVerifier,
  requireBearerAuth,
  type AuthInfo as SdkAuthInfo,
} from "@modelcontextprotocol/server";
import { type AuthInfo, requireAll, requireRole, requireScopes, toAuthInfo } from "@sallyport/oauth-core";
import express from "express";
import { describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { Keychain } from "../test/keychain.ts";
import { Barrier, listening, Person, World } from "../test/world.ts";
import { getAuthSession, upstreamTokens } from "./index.ts";
import { guardTools, tokenVerifier } from "./v2.ts";

/** The tools of these tests, guarded; `meanwhile` is what slow ones wait for. */
function createServer({ auth }: World, meanwhile = async () => undefined as unknown): McpServer {
  const server = guardTools(new McpServer({ name: "notes", version: "1.0.0" }), auth);
  server.registerTool("whoami", {}, async (ctx) => {
    const before = getAuthSession(ctx);
    await meanwhile();
    const upstream = await upstreamTokens(ctx);
    return answer({ before: before.subject, after: getAuthSession(ctx).subject, upstream: upstream?.accessToken });
  });
  server.registerTool("read_notes", { canAccess: requireScopes("notes:read") }, () => answer("notes"));
  server.registerTool(
    "write_note",
    { canAccess: requireScopes("mcp:tools", "notes:write"), inputSchema: z.object({ text: z.string() }) },
    ({ text }) => answer(text),
  );
  server.registerTool("audit", { canAccess: requireAll(requireRole("admin"), requireScopes("notes:read")) }, () =>
    answer("audit"),
  );
  return server;
}

const answer = (value: unknown) => ({ content: [{ type: "text" as const, text: JSON.stringify(value) }] });

/** The whole server in one function: the endpoints, the guard, the tools. */
function siteOf(world: World, meanwhile?: () => Promise<unknown>) {
  const mcp = createMcpHandler(() => createServer(world, meanwhile));
  return async (request: Request): Promise<Response> => {
    const own = await world.auth.handle(request);
    if (own !== undefined) return own;
    const access = await world.auth.protect(request, { scopes: ["mcp:tools"] });
    return access instanceof Response ? access : mcp.fetch(request, { authInfo: toAuthInfo(access) });
  };
}

type Era = "legacy" | "auto";

/** A real client of one era, with a token or with a keychain. */
async function connected(
  world: World,
  site: (request: Request) => Promise<Response>,
  who: string | Keychain,
  era: Era,
): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode: era } });
  const transport = new StreamableHTTPClientTransport(new URL(world.resource), {
    fetch: (url, init) => site(new Request(url, init as RequestInit)),
    ...(typeof who === "string"
      ? { requestInit: { headers: { authorization: `Bearer ${who}` } } }
      : { authProvider: who }),
  });
  await client.connect(transport);
  return client;
}

const textOf = (result: unknown) =>
  (result as { content: readonly { text: string }[] }).content.map(({ text }) => text).join();

/** One JSON-RPC message as it goes over the wire. */
const post = (world: World, token: string, body: unknown, headers: Record<string, string> = {}) =>
  new Request(world.resource, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      ...headers,
    },
    body: JSON.stringify(body),
  });

test("our AuthInfo is the SDK's, and our verifier is one of the SDK's", () => {
  expectTypeOf<AuthInfo>().toExtend<SdkAuthInfo>();
  expectTypeOf(tokenVerifier).returns.toExtend<OAuthTokenVerifier>();
});

describe("tokenVerifier", () => {
  test("the SDK's bearer gate lets a token in, and hands over who it speaks for", async () => {
    const world = new World();
    const gate = requireBearerAuth({ verifier: tokenVerifier(world.auth), requiredScopes: ["mcp:tools"] });
    const token = await world.token("ada");
    const authInfo = await gate(post(world, token, {}));

    expect(authInfo).toMatchObject({
      token,
      scopes: ["openid", "mcp:tools"],
      resource: new URL(world.resource),
      extra: { claims: { roles: ["admin"], aud: world.resource } },
    });
  });

  test("RFC 6750 §3.1: a broad scope satisfies a narrow one in the SDK's word-by-word comparison", async () => {
    const world = new World();
    const gate = requireBearerAuth({ verifier: tokenVerifier(world.auth), requiredScopes: ["notes:read"] });

    expect(await gate(post(world, await world.token("alice", "notes:admin"), {}))).not.toBeInstanceOf(Response);
    expect(await gate(post(world, await world.token("alice", "mcp:tools"), {}))).toMatchObject({ status: 403 });
  });

  test.each(["nonsense", "a.b.c", "a\u00e9", "=", "a=b"])(
    "a token that is none is 401 invalid_token: %s",
    async (token) => {
      const { auth } = new World();

      await expect(tokenVerifier(auth).verifyAccessToken(token)).rejects.toMatchObject({ code: "invalid_token" });
    },
  );

  test("T-TK-02: a token for another resource of the same server is 401", async () => {
    const resources = ["https://mcp.example.com/mcp", "https://mcp.example.com/other"];
    const world = new World(undefined, { resources: ["https://mcp.example.com/mcp"] });
    const several = new World(undefined, { resources, tokenStorage: world.storage });
    const token = await world.token("alice");
    const verify = (resource: string) => tokenVerifier(several.auth, { resource }).verifyAccessToken(token);

    await expect(verify("https://mcp.example.com/mcp")).resolves.toMatchObject({ token });
    await expect(verify("https://mcp.example.com/other")).rejects.toMatchObject({ code: "invalid_token" });
    expect(() => tokenVerifier(several.auth)).toThrow("several resources");
  });

  test("a storage that is down is 500 and not 401, which would make a client throw its token away", async () => {
    const world = new World();
    const token = await world.token("alice");
    const gate = requireBearerAuth({ verifier: tokenVerifier(world.auth) });
    world.storageIsDown = true;
    const refused = await gate(post(world, token, {}));

    expect(refused).toMatchObject({ status: 500 });
    expect((refused as Response).headers.has("www-authenticate")).toBe(false);
  });

  test("the middleware of @modelcontextprotocol/express works with it", async () => {
    const server = await listening();
    const world = new World(server.baseUrl);
    const app = express();
    app.use("/mcp", expressBearerAuth({ verifier: tokenVerifier(world.auth) }));
    app.post("/mcp", (req, res) => void res.json({ subject: req.auth?.extra?.subject }));
    server.serve(app);
    try {
      const token = await world.token("alice");
      const ask = (authorization: string) =>
        fetch(`${server.baseUrl}/mcp`, { method: "POST", headers: { authorization } });
      const statuses = [(await ask("Bearer nonsense")).status];
      expect(await (await ask(`Bearer ${token}`)).json()).toEqual({ subject: expect.stringContaining("alice") });
      world.storageIsDown = true;
      statuses.push((await ask(`Bearer ${token}`)).status);

      expect(statuses).toEqual([401, 500]);
    } finally {
      await server.close();
    }
  });
});

describe.each<Era>(["legacy", "auto"])("guarded tools, %s client", (era) => {
  test.each([
    ["alice", "mcp:tools", ["whoami"]],
    ["alice", "mcp:tools notes:read", ["whoami", "read_notes"]],
    ["alice", "mcp:tools notes:admin", ["whoami", "read_notes", "write_note"]],
    ["ada", "mcp:tools notes:read", ["whoami", "read_notes", "audit"]],
  ])("%s with %s sees only what may be used", async (person, scope, tools) => {
    const world = new World();
    const client = await connected(world, siteOf(world), await world.token(person, scope), era);

    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(tools);
  });

  test("a tool that needs a role refuses, and asks for nothing that would not help", async () => {
    const world = new World();
    const client = await connected(world, siteOf(world), await world.token("alice", "mcp:tools notes:read"), era);

    expect(await client.callTool({ name: "audit" })).toMatchObject({
      isError: true,
      content: [{ text: "You may not use this tool." }],
    });
  });

  test("RFC 6750 §3.1: the client is asked for the missing scope, gets it, and the tool answers", async () => {
    const world = new World();
    const site = siteOf(world);
    const keychain = new Keychain();
    const alice = new Person("alice", site);
    const finish = async () => {
      const callback = await alice.signIn(keychain.taken());
      await new StreamableHTTPClientTransport(new URL(world.resource), {
        fetch: (url, init) => site(new Request(url, init as RequestInit)),
        authProvider: keychain,
      }).finishAuth(callback.searchParams);
    };
    await expect(connected(world, site, keychain, era)).rejects.toThrow(UnauthorizedError);
    await finish();
    const first = await connected(world, site, keychain, era);
    const before = keychain.held?.scope;
    await expect(first.callTool({ name: "write_note", arguments: { text: "x" } })).rejects.toThrow(UnauthorizedError);
    await finish();
    const second = await connected(world, site, keychain, era);

    expect(before).toBe("openid mcp:tools");
    expect(keychain.held?.scope).toBe("openid mcp:tools notes:write");
    expect(textOf(await second.callTool({ name: "write_note", arguments: { text: "written" } }))).toBe('"written"');
  });

  test("identity is taken per request: two users in one process, 100 overlapping calls, slow tools, never the other's identity", async () => {
    const world = new World();
    const barrier = new Barrier(100);
    const site = siteOf(world, () => barrier.pass());
    const people = await Promise.all(
      ["alice", "bob"].map(async (name) => ({
        name,
        client: await connected(world, site, await world.token(name), era),
      })),
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
      expect([before, after]).toEqual([expect.stringContaining(name), expect.stringContaining(name)]);
      expect(upstream).toBe(`upstream-token-of-${name}`);
    }
  });
});

test("MCP caching: the list of a guarded server is private, whatever the server says of its lists", async () => {
  const world = new World();
  const token = await world.token("alice");
  const mcp = createMcpHandler(() => {
    const options = { cacheHints: { "tools/list": { cacheScope: "public", ttlMs: 60_000 } } } as const;
    const server = guardTools(new McpServer({ name: "notes", version: "1.0.0" }, options), world.auth);
    server.registerTool("open", {}, () => answer("open"));
    return server;
  });
  const client = { name: "io.modelcontextprotocol/clientInfo", value: { name: "test", version: "1.0.0" } };
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
    [client.name]: client.value,
  };
  const request = post(
    world,
    token,
    { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta } },
    { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" },
  );

  expect(await (await mcp.fetch(request)).json()).toMatchObject({
    result: { cacheScope: "private", ttlMs: 60_000, tools: [{ name: "open" }] },
  });
});

test("T-SC-02: the challenge is a 403 with all scopes of the tool, and the tool has not run", async () => {
  const world = new World();
  const token = await world.token("alice", "mcp:tools");
  const body = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "write_note", arguments: { text: "x" } },
  };
  const refused = await siteOf(world)(post(world, token, body));

  expect(refused.status).toBe(403);
  expect(refused.headers.get("www-authenticate")).toBe(
    'Bearer error="insufficient_scope", error_description="The access token lacks a scope that this operation needs.", scope="mcp:tools notes:write", resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"',
  );
});

test("in a batch of 2025, the first call that lacks scopes stops the whole of it", async () => {
  const world = new World();
  const token = await world.token("alice", "mcp:tools");
  const call = (id: number, name: string) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name } });
  const batch = [call(1, "whoami"), call(2, "read_notes"), call(3, "write_note")];
  const refused = await siteOf(world)(post(world, token, batch));

  expect(refused.status).toBe(403);
  expect(refused.headers.get("www-authenticate")).toContain('scope="notes:read",');
});

test("a request that came past the guard is nobody's: no guarded tool, and no identity", async () => {
  const world = new World();
  const mcp = createMcpHandler(() => createServer(world));
  const site = (request: Request) => mcp.fetch(request);
  const client = await connected(world, site, "nobody's", "legacy");

  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(["whoami"]);
  expect(await client.callTool({ name: "read_notes" })).toMatchObject({ isError: true });
  expect(await client.callTool({ name: "whoami" })).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining("Nobody is signed in") }],
  });
});

test("a tool keeps its guard under a new name", async () => {
  const world = new World();
  const mcp = createMcpHandler(({ authInfo }) => {
    expect(authInfo).toBeDefined();
    const server = guardTools(new McpServer({ name: "notes", version: "1.0.0" }), world.auth);
    server.registerTool("old", { canAccess: requireRole("admin") }, () => answer("secret")).update({ name: "new" });
    return server;
  });
  const site = async (request: Request) => {
    const access = await world.auth.protect(request);
    return access instanceof Response ? access : mcp.fetch(request, { authInfo: toAuthInfo(access) });
  };
  const client = await connected(world, site, await world.token("alice"), "legacy");

  expect((await client.listTools()).tools).toEqual([]);
  expect(await client.callTool({ name: "new" })).toMatchObject({ isError: true });
});

test("registering a name twice takes nothing from the tool that has it", async () => {
  const world = new World();
  const server = guardTools(new McpServer({ name: "notes", version: "1.0.0" }), world.auth);
  server.registerTool("audit", { canAccess: requireRole("admin") }, () => answer("secret"));

  expect(() => server.registerTool("audit", {}, () => answer("open"))).toThrow("already registered");
  const mcp = createMcpHandler(() => server);
  const client = await connected(world, (request) => mcp.fetch(request), "x", "legacy");
  expect((await client.listTools()).tools).toEqual([]);
});

test("a server that has tools already is refused: they would stay unguarded", () => {
  const { auth } = new World();
  const late = new McpServer({ name: "notes", version: "1.0.0" });
  late.registerTool("open", {}, () => answer("open"));
  const declared = new McpServer({ name: "notes", version: "1.0.0" }, { capabilities: { tools: {} } });

  expect(() => guardTools(late, auth)).toThrow("Guard the server before");
  expect(() => guardTools(declared, auth)).toThrow("capabilities");
});
