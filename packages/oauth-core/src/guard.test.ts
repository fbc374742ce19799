import { generateKeyPairSync } from "node:crypto";
import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { Browser, idToken, jsonOf, RESOURCE, type Server, World } from "../test/harness.ts";
import { HmacSigner } from "./domain/signer.ts";
import type { Requirement } from "./guard.ts";
import { ConfigurationError } from "./protocol/errors.ts";

const OTHER = "https://mcp.example.com/other";
const METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
const KEY = "a-signing-key-of-at-least-32-bytes";

/** A request to the protected resource. */
function request(headers: Record<string, string> = {}, { url = RESOURCE, method = "POST" } = {}): Request {
  return new Request(url, { method, headers });
}

/** What the guard answers instead of letting a request through. */
async function refused(server: Server, asked: Request, requirement: Requirement = {}): Promise<Response> {
  const result = await server.auth.protect(asked, requirement);
  if (!(result instanceof Response)) throw new Error(`let in: ${result.subject}`);
  return result;
}

describe("the challenge", () => {
  test("RFC 6750 §3.1: who brings nothing is told of no error, only of the way in", async () => {
    const server = new World().server({
      scopes: ["openid", "offline_access"],
      resourceScopes: ["mcp:tools", "mcp:admin"],
      defaultScopes: ["mcp:tools"],
    });
    const answer = await refused(server, request());
    expect(answer.status).toBe(401);
    expect(await answer.text()).toBe("");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    // T-SC-01: the configured baseline, without offline_access.
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer scope="openid mcp:tools", resource_metadata="${METADATA}"`,
    );
  });

  test("RFC 6750 §3.1: a token that is no good is 401 invalid_token, with resource_metadata", async () => {
    const answer = await refused(new World().server(), request({ authorization: "Bearer nonsense" }));
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer error="invalid_token", scope="read", resource_metadata="${METADATA}", error_description="The access token is not valid."`,
    );
    expect(await jsonOf(answer)).toEqual({
      error: "invalid_token",
      error_description: "The access token is not valid.",
    });
  });

  test("T-SC-02: a missing scope is 403, and the challenge lists all scopes of that operation and only those", async () => {
    const server = new World().server({ scopes: ["read"], resourceScopes: ["mcp:tools", "mcp:admin", "mcp:audit"] });
    const { tokens } = await server.signIn({ parameters: { scope: "read mcp:tools" } });
    const asked = request({ authorization: `Bearer ${tokens.access_token}` });
    const answer = await refused(server, asked, { scopes: ["mcp:tools", "mcp:audit"] });
    expect(answer.status).toBe(403);
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer error="insufficient_scope", scope="mcp:tools mcp:audit", resource_metadata="${METADATA}", error_description="The access token lacks a scope that this operation needs."`,
    );
  });

  test("T-SC-03: a broader scope passes through the hierarchy, an unrelated one does not", async () => {
    const server = new World().server({
      resourceScopes: ["admin", "write", "unrelated"],
      scopeHierarchy: { admin: ["write"], write: ["read-notes"] },
    });
    const broad = await server.signIn({ parameters: { scope: "admin" } });
    const unrelated = await server.signIn({ parameters: { scope: "unrelated" } });
    expect(await server.call(broad.tokens.access_token, ["read-notes", "write"])).toBe(200);
    expect(await server.call(unrelated.tokens.access_token, ["read-notes"])).toBe(403);
  });

  test("WWW-Authenticate is exposed to browsers, whether the page is known or not even named", async () => {
    const server = new World().server();
    const own = await refused(server, request({ origin: "http://localhost:6274" }));
    expect(own.headers.get("access-control-allow-origin")).toBe("http://localhost:6274");
    expect(own.headers.get("access-control-expose-headers")).toContain("www-authenticate");
    expect(own.headers.get("vary")).toBe("Origin");
    const without = await refused(server, request());
    expect(without.headers.get("access-control-expose-headers")).toContain("www-authenticate");
    expect(without.headers.has("access-control-allow-origin")).toBe(false);
  });

  test.each(["Bearer a, Bearer b", "Bearer", "Bearer ", "Bearer a b", `Bearer ${"a".repeat(20_000)}`])(
    "RFC 6750 §3.1: credentials that are not well-formed are 400: %.20s",
    async (authorization) => {
      const answer = await refused(new World().server(), request({ authorization }));
      expect([answer.status, (await jsonOf(answer)).error]).toEqual([400, "invalid_request"]);
    },
  );

  test("a HEAD request is challenged without a body", async () => {
    const answer = await refused(new World().server(), request({ authorization: "Bearer x" }, { method: "HEAD" }));
    expect([answer.status, await answer.text()]).toEqual([401, ""]);
    expect(answer.headers.get("www-authenticate")).toContain("invalid_token");
  });
});

describe("which tokens open", () => {
  test.each(["Bearer", "bearer", "BEARER"])("lower-case bearer is not refused: %s", async (scheme) => {
    const server = new World().server();
    const { client, tokens } = await server.signIn();
    const access = await server.auth.protect(request({ authorization: `${scheme} ${tokens.access_token}` }));
    expect(access).toMatchObject({
      token: tokens.access_token,
      clientId: client.clientId,
      scopes: ["read"],
      expiresAt: 1_800_003_600,
      resource: RESOURCE,
      subject: expect.stringMatching(/^anonymous\|/),
      claims: { iss: "https://mcp.example.com", aud: RESOURCE },
    });
  });

  test("T-TK-01: a token of the upstream does not, in swap mode", async () => {
    const server = new World().server();
    await server.signIn();
    expect(await server.call("upstream-access-1")).toBe(401);
  });

  test("T-TK-02: our own token for another resource does not", async () => {
    const server = new World().server({ resources: [RESOURCE, OTHER] });
    const { tokens } = await server.signIn({ parameters: { resource: OTHER } });
    const authorization = `Bearer ${tokens.access_token}`;
    expect((await refused(server, request({ authorization }))).status).toBe(401);
    expect(await server.auth.protect(request({ authorization }, { url: OTHER }))).toMatchObject({ resource: OTHER });
    expect(await server.auth.protect(request({ authorization }, { url: `${OTHER}/below?x=/mcp` }))).toMatchObject({
      resource: OTHER,
    });
    expect((await refused(server, request({ authorization }, { url: OTHER }), { resource: RESOURCE })).status).toBe(
      401,
    );
  });

  test("T-TK-03: neither a refresh token, a code, an ID token, a state, a consent cookie nor a client's secret does", async () => {
    const server = new World().server();
    const browser = new Browser();
    const client = await server.register({ token_endpoint_auth_method: "client_secret_post" });
    const upstream = await server.consent(server.authorizationUrl(client, "c".repeat(43)), browser);
    const state = new URL(upstream.headers.get("location") ?? "").searchParams.get("state") ?? "";
    const { tokens, authorized } = await server.signIn();
    const others = [
      tokens.refresh_token,
      authorized.code,
      state,
      client.clientId,
      client.clientSecret ?? "",
      idToken({ iss: "https://mcp.example.com", aud: RESOURCE, sub: "alice", exp: 2_000_000_000 }),
      ...browser.cookies.values(),
    ];
    for (const other of others) expect(await server.call(other)).toBe(401);
  });

  test("a token in the query or in the body is not looked at", async () => {
    const server = new World().server();
    const { tokens } = await server.signIn();
    const answer = await refused(server, request({}, { url: `${RESOURCE}?access_token=${tokens.access_token}` }));
    expect(answer.headers.get("www-authenticate")).not.toContain("error");
  });

  test("a token of a server with another secret, or with another storage, does not", async () => {
    const server = new World().server();
    const secret = await new World().server({ secret: "another-secret-of-32-bytes-or-more" }).signIn();
    const storage = await new World().server().signIn();
    expect(await server.call(secret.tokens.access_token)).toBe(401);
    expect(await server.call(storage.tokens.access_token)).toBe(401);
  });
});

describe("forged tokens", () => {
  /** A server whose signing key we know, and a sound token of it to be spoiled. */
  async function forger() {
    const server = new World().server({ jwtSigningKey: KEY });
    const { tokens } = await server.signIn();
    const sound = decodeJwt(tokens.access_token);
    const signer = new HmacSigner([Buffer.from(KEY)]);
    const call = (claims: object, typ = "at+jwt") => server.call(signer.sign(typ, { ...sound, ...claims }));
    return { server, sound, call, token: tokens.access_token };
  }

  test("the sound token that the others are made of opens", async () => {
    const { call } = await forger();
    expect(await call({})).toBe(200);
  });

  test.each([
    ["missing exp", { exp: undefined }],
    ["string exp", { exp: "9999999999" }],
    ["past exp", { exp: 1_800_000_000 }],
    ["future nbf", { nbf: 1_800_000_001 }],
    ["wrong iss", { iss: "https://evil.example" }],
    ["iss with a slash", { iss: "https://mcp.example.com/" }],
    ["wrong aud", { aud: "https://mcp.example.com" }],
    ["empty aud", { aud: [] }],
    ["no sub", { sub: undefined }],
    ["a jti that leads to no grant", { jti: "x" }],
    ["a jti that leads to another grant", { jti: `${"A".repeat(22)}.x` }],
  ])("%s: refused", async (_, claims) => {
    expect(await (await forger()).call(claims)).toBe(401);
  });

  test.each(["JWT", "rt+jwt", "id+jwt", ""])("wrong typ: %j is refused", async (typ) => {
    expect(await (await forger()).call({}, typ)).toBe(401);
  });

  test("alg none, another algorithm, another key and a changed claim are refused", async () => {
    const { server, sound, token } = await forger();
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const [header = "", , signature = ""] = token.split(".");
    const { publicKey } = generateKeyPairSync("ed25519");
    const publicPem = publicKey.export({ type: "spki", format: "pem" }).toString();
    const forgeries = [
      `${part({ alg: "none", typ: "at+jwt" })}.${part(sound)}.`,
      `${part({ alg: "none", typ: "at+jwt" })}.${part(sound)}.${signature}`,
      `${part({ alg: "HS512", typ: "at+jwt" })}.${part(sound)}.${signature}`,
      `${part({ alg: "RS256", typ: "at+jwt" })}.${part(sound)}.${signature}`,
      `${header}.${part({ ...sound, sub: "admin" })}.${signature}`,
      `${header}.${part(sound)}.${"A".repeat(43)}`,
      new HmacSigner([Buffer.from(publicPem)]).sign("at+jwt", sound),
      `${token}.${signature}`,
      token.slice(0, -1),
    ];
    for (const forgery of forgeries) expect(await server.call(forgery)).toBe(401);
    expect(await server.call(token)).toBe(200);
  });
});

describe("which requests are guarded", () => {
  test.each(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])("every method is: %s", async (method) => {
    expect((await refused(new World().server(), request({}, { method }))).status).toBe(401);
  });

  test.each([
    { "user-agent": "kube-probe/1.30" },
    { "x-forwarded-for": "127.0.0.1" },
    { "x-forwarded-host": "mcp.example.com", "x-forwarded-proto": "https" },
    { "x-forwarded-uri": "/.well-known/oauth-authorization-server" },
    { "x-original-url": "/oauth/token", "x-rewrite-url": "/oauth/token" },
    { x_authorization: "Bearer x", "x-auth-request-user": "admin", "x-forwarded-user": "admin" },
    { host: "localhost" },
    { cookie: "__Host-sallyport-approved-x=y" },
  ])("no header lets a request by: %j", async (headers) => {
    const answer = await refused(new World().server(), request(headers));
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain(METADATA);
  });

  test.each([`${RESOURCE}?/.well-known/oauth-protected-resource`, `${RESOURCE}#/oauth/token`, `${RESOURCE}/../mcp`])(
    "nor does anything in the path, the query or the fragment: %s",
    async (url) => {
      expect((await refused(new World().server(), request({}, { url }))).status).toBe(401);
    },
  );

  test("identity is per request: 100 overlapping calls of two people are never mixed up", async () => {
    const world = new World();
    const server = world.server({ revocationCheckTtl: 0 });
    const people: string[] = [];
    for (const sub of ["alice", "bob"]) {
      world.answer = () => world.tokens({ id_token: idToken({ sub, aud: "our-app", exp: world.now + 60 }) });
      people.push((await server.signIn()).tokens.access_token);
    }
    const calls = Array.from({ length: 100 }, (_, index) =>
      server.auth.protect(request({ authorization: `Bearer ${people[index % 2]}` })),
    );
    const subjects = (await Promise.all(calls)).map((access) => ("subject" in access ? access.subject : "refused"));
    expect(subjects).toEqual(Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? "alice" : "bob")));
  });

  test("while it can not be known whether a grant lives, nobody is let in and nobody is turned away: 503", async () => {
    const world = new World();
    const server = world.server({ revocationCheckTtl: 0 });
    const { tokens } = await server.signIn();
    world.storage.before = () => Promise.reject(new Error("down"));
    const headers = { authorization: `Bearer ${tokens.access_token}`, origin: "http://localhost:1" };
    const answer = await refused(server, request(headers));
    expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(answer.headers.get("access-control-allow-origin")).toBe("http://localhost:1");
    expect((await jsonOf(answer)).error).toBe("temporarily_unavailable");
  });
});

describe("which resource", () => {
  test("a route under none of several resources has to name its own, and a name has to be one of them", async () => {
    const server = new World().server({ resources: [RESOURCE, OTHER] });
    const elsewhere = request({}, { url: "https://mcp.example.com/elsewhere" });
    await expect(server.auth.protect(elsewhere)).rejects.toThrow(ConfigurationError);
    await expect(server.auth.protect(elsewhere, { resource: "https://mcp.example.com/x" })).rejects.toThrow("resource");
    expect((await refused(server, elsewhere, { resource: OTHER })).headers.get("www-authenticate")).toContain(
      "/oauth-protected-resource/other",
    );
  });

  test("the longest path decides, by whole segments", async () => {
    const server = new World().server({ resources: ["https://mcp.example.com", "https://mcp.example.com/mcp"] });
    const metadataAt = async (url: string) =>
      /resource_metadata="([^"]+)"/.exec(
        (await refused(server, request({}, { url }))).headers.get("www-authenticate") ?? "",
      )?.[1];
    expect(await metadataAt("https://mcp.example.com/mcp/x")).toBe(METADATA);
    expect(await metadataAt("https://mcp.example.com/mcpx")).toBe(
      "https://mcp.example.com/.well-known/oauth-protected-resource",
    );
  });
});

describe("foreign origins", () => {
  const ORIGINS: readonly [string, boolean][] = [
    ["https://mcp.example.com", true],
    ["https://app.example.org", true],
    ["http://localhost:6274", true],
    ["http://127.0.0.1", true],
    ["http://[::1]:5173", true],
    ["https://chatgpt.com", true],
    ["https://claude.ai", true],
    ["https://evil.example", false],
    ["null", false],
    ["http://mcp.example.com", false],
    ["https://mcp.example.com.evil.example", false],
    ["https://localhost.evil.example", false],
    ["http://localhost.evil.example", false],
    ["http://localhost:1@evil.example", false],
    ["https://app.example.org/", false],
    ["http://192.168.0.1", false],
  ];
  const server = new World().server({ allowedOrigins: ["https://app.example.org"] });

  test.each(ORIGINS)(
    "MCP transports, Security Warning: a foreign Origin is not served: %s %s",
    async (origin, admitted) => {
      const answer = await refused(server, request({ origin }));
      expect(answer.status).toBe(admitted ? 401 : 403);
      expect(answer.headers.get("access-control-allow-origin")).toBe(admitted ? origin : null);
      expect(server.auth.corsHeaders(request({ origin }))["access-control-allow-origin"]).toBe(
        admitted ? origin : undefined,
      );
    },
  );

  test.each(ORIGINS)("a preflight from %s is answered: %s", async (origin, admitted) => {
    const headers = { origin, "access-control-request-method": "POST" };
    const answer = await server.auth.fetch(request(headers, { method: "OPTIONS" }));
    expect(answer.status).toBe(admitted ? 204 : 403);
    expect(answer.headers.get("access-control-allow-origin")).toBe(admitted ? origin : null);
    if (!admitted) return;
    for (const name of [
      "authorization",
      "content-type",
      "mcp-protocol-version",
      "mcp-session-id",
      "mcp-method",
      "dpop",
      "*",
    ]) {
      expect(answer.headers.get("access-control-allow-headers")?.split(", ")).toContain(name);
    }
    expect(answer.headers.get("access-control-allow-methods")).toBe("GET, HEAD, POST, DELETE, OPTIONS");
  });

  test("a stolen token does not help a foreign page", async () => {
    const world = new World();
    const { tokens } = await world.server().signIn();
    const headers = { authorization: `Bearer ${tokens.access_token}`, origin: "https://evil.example" };
    expect((await refused(world.server(), request(headers))).status).toBe(403);
  });

  test("only preflights of the protected resources are ours", async () => {
    const preflight = (url: string) =>
      server.auth.handle(
        request({ origin: "http://localhost:1", "access-control-request-method": "POST" }, { url, method: "OPTIONS" }),
      );
    expect(await preflight("https://mcp.example.com/elsewhere")).toBeUndefined();
    expect((await preflight(`${RESOURCE}/`))?.status).toBe(204);
    expect(await server.auth.handle(request({ origin: "http://localhost:1" }, { method: "OPTIONS" }))).toBeUndefined();
  });

  test("a program that sends no Origin needs no CORS", () => {
    expect(server.auth.corsHeaders(request())).toEqual({});
  });
});
