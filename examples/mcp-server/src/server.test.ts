/** The whole server, in front of a real identity provider, as the official client and the people meet it. */
import { createHash, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import {
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  request,
  type ServerResponse,
} from "node:http";
import { text } from "node:stream/consumers";
import { type CallToolResult, Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { type IdentityProvider, startIdentityProvider } from "@sallyport/example-demo-idp";
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type Configuration, EnvironmentError, readConfiguration } from "./configuration.ts";
import { type RunningServer, startServer } from "./server.ts";

const CALLBACK = "http://127.0.0.1:1/callback";
const ERAS = ["auto", "legacy"] as const;
const ADAPTERS = ["node-http", "express", "koa", "fastify", "hono", "fetch"] as const;

const WHOAMI = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "whoami" } });
/** Of the tools' path, as somebody writes it who wants to get past the guard. */
const SPELLINGS = [
  ...[
    "/mcp",
    "/mcp/",
    "/MCP",
    "//mcp",
    "/./mcp",
    "/mcp/.",
    "/x/../mcp",
    "/x/%2e%2e/mcp",
    "/x/..%2fmcp",
    "/mcp;",
    "/mcp;a=b",
  ],
  ...[
    "/%6dcp",
    "/mcp%2f",
    "/mcp%00",
    "/mcp\\",
    "/\\mcp",
    "/x\\..\\mcp",
    "/mcp?access_token=x",
    "/mcp#",
    "http://a.example/mcp",
  ],
];

interface Exchanged {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let identityProvider: IdentityProvider;
let configuration: Configuration;
let server: RunningServer;
/** Told of the next request for a profile, which is then held up until it is answered here. */
let held: ((res: ServerResponse) => void) | undefined;

beforeAll(async () => {
  identityProvider = await startIdentityProvider({
    clients: [],
    intercept: (req, res) => {
      if (held === undefined || !req.url?.startsWith("/userinfo")) return false;
      held(res);
      return true;
    },
  });
  const { endpoints, issuer } = identityProvider;
  configuration = readConfiguration({
    PORT: "0",
    UPSTREAM_ISSUER: issuer,
    UPSTREAM_AUTHORIZATION_ENDPOINT: endpoints.authorization,
    UPSTREAM_TOKEN_ENDPOINT: endpoints.token,
    UPSTREAM_USERINFO_ENDPOINT: endpoints.userinfo,
    UPSTREAM_CLIENT_ID: "example",
    UPSTREAM_CLIENT_SECRET: "a secret that the test has made up for itself",
  });
});
afterAll(() => identityProvider.close());

const post = (path: string, body: URLSearchParams | string) =>
  fetch(server.baseUrl + path, {
    method: "POST",
    body,
    ...(typeof body === "string" ? { headers: { "content-type": "application/json" } } : {}),
  });

/** What is asked with the path, the method and the headers as they are, where `fetch` would tidy them. */
async function exchanged(port: number, options: RequestOptions, body = ""): Promise<Exchanged> {
  const req = request({ host: "127.0.0.1", port, setHost: false, ...options }).end(body);
  const [res] = (await once(req, "response")) as [IncomingMessage];
  return { status: res.statusCode, headers: res.headers, body: await text(res) };
}

/** Registers a client, signs a person in through every page, and answers their access token. */
async function signedIn(username: string): Promise<string> {
  const registration = await post("/oauth/register", JSON.stringify({ redirect_uris: [CALLBACK] }));
  const { client_id } = (await registration.json()) as { client_id: string };
  const verifier = randomBytes(32).toString("base64url");
  const authorize = new URLSearchParams({
    client_id,
    redirect_uri: CALLBACK,
    response_type: "code",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  });
  const browser = new ScriptedBrowser({ stopAt: (url) => url.href.startsWith(CALLBACK) });
  const consent = await browser.open(`${server.baseUrl}/oauth/authorize?${authorize}`);
  const signIn = await browser.submit(consent, { action: "approve" });
  const { url } = await browser.submit(signIn, { username, action: "sign-in" });
  const grant = new URLSearchParams({
    grant_type: "authorization_code",
    client_id,
    code: url.searchParams.get("code") ?? "",
    code_verifier: verifier,
    redirect_uri: CALLBACK,
  });
  const tokens = (await (await post("/oauth/token", grant)).json()) as { access_token: string };
  return tokens.access_token;
}

async function connected(token: string, mode: (typeof ERAS)[number] = "auto"): Promise<Client> {
  const client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
  const authProvider = { token: async () => token };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${server.baseUrl}/mcp`), { authProvider }));
  return client;
}

const call = (client: Client, name: string): Promise<CallToolResult> => client.callTool({ name });

function textOf({ content: [part] }: CallToolResult): string {
  return part?.type === "text" ? part.text : "";
}

test.each([
  [{ storage: "clay-tablets" }, "STORAGE: has to be one of memory, disk, redis, rediss, postgres, postgresql"],
  [{ adapter: "carrier-pigeon" }, "ADAPTER: has to be one of node-http, express, koa, fastify, hono, fetch"],
  [{ baseUrl: "http://mcp.example.com" }, "BASE_URL: must be https, or http on localhost, 127.0.0.1 or [::1]"],
  [{ host: "203.0.113.1" }, "HOST: is not an address of this computer"],
])("%o is refused before anything listens", async (wrong, problem) => {
  await expect(startServer({ ...configuration, ...wrong })).rejects.toEqual(new EnvironmentError([problem]));
});

describe.each(ADAPTERS)("on %s", (adapter) => {
  /** What some frameworks decide before the site is asked. */
  const decodesPaths = adapter === "fastify" || adapter === "hono";
  const refusesHosts = adapter === "hono";
  const unknownMethods = adapter === "fastify" ? ["PROPFIND"] : [];

  beforeEach(async () => {
    held = undefined;
    server = await startServer({ ...configuration, adapter });
    await identityProvider.addClient({
      clientId: "example",
      clientSecret: "a secret that the test has made up for itself",
      redirectUris: [`${server.baseUrl}/oauth/callback`],
    });
  });
  afterEach(() => server.close());

  test.each(ERAS)("a client of the %s era is told who signed in, and through which client", async (era) => {
    const client = await connected(await signedIn("alice"), era);
    const whoami = JSON.parse(textOf(await call(client, "whoami"))) as Record<string, unknown>;
    await client.close();

    expect(whoami).toMatchObject({ subject: "alice", claims: { email: "alice@example.com", roles: ["user"] } });
    expect(whoami.scopes).toContain("mcp:tools");
  });

  test("the upstream's profile is asked with the person's own token", async () => {
    const client = await connected(await signedIn("alice"));
    const profile = JSON.parse(textOf(await call(client, "upstream_profile"))) as Record<string, unknown>;
    await client.close();

    expect(profile).toMatchObject({ sub: "alice", email: "alice@example.com" });
  });

  test("an identity provider that fails is told of in words, and nothing more", async () => {
    held = (res) => res.writeHead(500, { "content-type": "text/html" }).end("<h1>secret details</h1>");
    const client = await connected(await signedIn("alice"));
    const answer = await call(client, "upstream_profile");
    await client.close();

    expect(answer.isError).toBe(true);
    expect(textOf(answer)).toBe("The identity provider answered with status 500.");
  });

  test("only a person with the role admin may use admin_only", async () => {
    const [alice, admin] = await Promise.all([connected(await signedIn("alice")), connected(await signedIn("admin"))]);
    const [refused, answered] = await Promise.all([call(alice, "admin_only"), call(admin, "admin_only")]);
    await Promise.all([alice.close(), admin.close()]);

    expect(refused.isError).toBe(true);
    expect(answered.isError).toBeUndefined();
  });

  test.each(ERAS)("of overlapping calls in the %s era each one is its own person's", async (era) => {
    const names = ["alice", "bob"];
    const clients = await Promise.all(names.map(async (name) => connected(await signedIn(name), era)));
    const rounds = Array.from({ length: 25 }, () => clients.map((client) => call(client, "whoami"))).flat();
    const subjects = (await Promise.all(rounds)).map(
      (answer) => (JSON.parse(textOf(answer)) as { subject: string }).subject,
    );
    await Promise.all(clients.map((client) => client.close()));

    expect(subjects).toEqual(rounds.map((_, index) => names[index % 2]));
  });

  test.each(["GET", "POST", "DELETE"])(
    "RFC 9728 §5.1: %s without a token is refused, and told where to get one",
    async (method) => {
      const response = await fetch(`${server.baseUrl}/mcp`, {
        method,
        headers: { "mcp-session-id": "somebody-else's" },
      });

      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain(
        `${server.baseUrl}/.well-known/oauth-protected-resource/mcp`,
      );
    },
  );

  test("there are no sessions that could fall into other hands: none is made, and GET and DELETE are refused", async () => {
    const authorization = `Bearer ${await signedIn("alice")}`;
    const initialize = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    };
    const headers = {
      authorization,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const begun = await fetch(`${server.baseUrl}/mcp`, { method: "POST", headers, body: JSON.stringify(initialize) });
    const others = await Promise.all(
      ["GET", "DELETE"].map((method) => fetch(`${server.baseUrl}/mcp`, { method, headers })),
    );

    expect(begun.status).toBe(200);
    expect(await begun.text()).toContain("sallyport-example");
    expect(begun.headers.has("mcp-session-id")).toBe(false);
    expect(others.map(({ status }) => status)).toEqual([405, 405]);
  });

  test("a path that only resembles the tools' does not lead to them", async () => {
    const headers = { authorization: `Bearer ${await signedIn("alice")}`, host: "127.0.0.1" };
    const paths = ["/mcp/", "/mcp/x", "/MCP", "//mcp", "/mcp;", "/mcp%2f", ...(decodesPaths ? [] : ["/%6dcp"])];
    const answers = await Promise.all(
      paths.map((path) =>
        exchanged(server.port, { method: "POST", path, headers: { ...headers, "content-length": 0 } }),
      ),
    );

    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 404));
  });

  test("no spelling of their path leads to the tools without a token", async () => {
    const spellings = SPELLINGS.flatMap((path) => ["GET", "POST"].map((method) => ({ path, method })));
    const headers = {
      host: "127.0.0.1",
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const answers = await Promise.all(
      spellings.map((spelling) =>
        exchanged(server.port, { ...spelling, headers }, spelling.method === "POST" ? WHOAMI : ""),
      ),
    );
    const admitted = answers.filter(({ status = 0 }) => ![400, 401, 404].includes(status));

    expect(admitted).toEqual([]);
  });

  test.each(["TRACE", "PROPFIND", "HEAD"])(
    "%s on the tools is a 405, whatever else the request claims",
    async (method) => {
      const headers = {
        authorization: `Bearer ${await signedIn("alice")}`,
        host: refusesHosts ? "other.example" : "::[not a host",
      };
      const { status } = await exchanged(server.port, { path: "/mcp", method, headers });

      expect(status).toBe(unknownMethods.includes(method) ? 404 : 405);
    },
  );

  test("a Host that is none, or another's, changes nothing for a call, or is refused", async () => {
    const headers = {
      authorization: `Bearer ${await signedIn("alice")}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    };
    const ask = (host: string) =>
      exchanged(server.port, { path: "/mcp", method: "POST", headers: { ...headers, host } }, WHOAMI);
    const [none, other] = [await ask("::[not a host"), await ask("other.example")];

    expect(other).toMatchObject({ status: 200, body: expect.stringContaining("alice") });
    if (refusesHosts) expect(none.status).toBe(400);
    else expect(none).toMatchObject({ status: 200, body: expect.stringContaining("alice") });
  });

  test("the site is the same as on plain node:http, byte for byte", async () => {
    const baseUrl = "https://mcp.example.com/tools";
    const sites = [];
    for (const each of ["node-http", adapter]) {
      const site = await startServer({ ...configuration, adapter: each, baseUrl });
      onTestFinished(() => site.close());
      sites.push(site);
    }
    const origins = [undefined, "https://claude.ai", "https://evil.example"];
    const requests = ["", "/", "/mcp", "/mcp/", "/oauth/token", "/oauth/authorize", "/login"]
      .map((path) => `/tools${path}`)
      .concat("/.well-known/oauth-authorization-server/tools", "/.well-known/oauth-protected-resource/tools/mcp", "/")
      .flatMap((path) => ["GET", "HEAD", "POST", "OPTIONS", "DELETE"].map((method) => ({ path, method })))
      .flatMap((asked) =>
        origins.map((origin) => ({
          ...asked,
          headers: { host: "a.example", "content-length": 0, ...(origin && { origin }) },
        })),
      );

    // Each answer has its own second and trace; and a Response without a length is sent in chunks.
    const framing = adapter === "fetch" ? { "content-length": "", "transfer-encoding": "" } : {};
    const lasting = ({ status, headers, body }: Exchanged) => ({
      status,
      headers: { ...headers, date: "", ...framing },
      body: body.replace(/<code>[0-9a-f]{16}<\/code>/, ""),
    });
    for (const asked of requests) {
      const [plain, here] = await Promise.all(sites.map(async ({ port }) => lasting(await exchanged(port, asked))));
      expect({ asked, ...here }).toEqual({ asked, ...plain });
    }
  });

  test("the page at the root says where to connect, and runs and loads nothing", async () => {
    const response = await fetch(`${server.baseUrl}/`);
    const page = await response.text();

    expect(page).toContain(`${server.baseUrl}/mcp`);
    expect(page).not.toMatch(/<script|<link|<img|url\(/);
    expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect((await fetch(`${server.baseUrl}/`, { method: "POST" })).status).toBe(405);
  });

  test("BASE_URL makes every URL, its path included, wherever the server listens", async () => {
    const behind = await startServer({ ...configuration, adapter, baseUrl: "https://mcp.example.com/tools" });
    const at = (path: string) => fetch(`http://127.0.0.1:${behind.port}${path}`);
    try {
      const metadata = (await (await at("/.well-known/oauth-authorization-server/tools")).json()) as Record<
        string,
        unknown
      >;

      expect(behind.baseUrl).toBe("https://mcp.example.com/tools");
      expect(metadata).toMatchObject({
        issuer: "https://mcp.example.com/tools",
        token_endpoint: "https://mcp.example.com/tools/oauth/token",
      });
      expect((await at("/tools/mcp")).headers.get("www-authenticate")).toContain(
        "https://mcp.example.com/.well-known/oauth-protected-resource/tools/mcp",
      );
      expect(await (await at("/tools/")).text()).toContain("https://mcp.example.com/tools/mcp");
    } finally {
      await behind.close();
    }
  });

  test("a port that is taken is told of by the variable's name", async () => {
    await expect(startServer({ ...configuration, adapter, port: server.port })).rejects.toEqual(
      new EnvironmentError(["PORT: is in use already"]),
    );
  });

  test("closing finishes what is in flight and takes nothing more", async () => {
    const requests = new EventEmitter<{ held: [ServerResponse] }>();
    const waiting = once(requests, "held");
    held = (response) => requests.emit("held", response);
    const client = await connected(await signedIn("alice"));
    const answer = call(client, "upstream_profile");
    const [res] = (await waiting) as [ServerResponse];
    const closed = server.close();

    await expect(fetch(`${server.baseUrl}/`)).rejects.toThrow("fetch failed");
    res.writeHead(200, { "content-type": "application/json" }).end('{"sub":"alice"}');
    expect(JSON.parse(textOf(await answer))).toEqual({ sub: "alice" });
    await closed;
    server = await startServer({ ...configuration, adapter });
  });
});
