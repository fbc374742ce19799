import { describe, expect, test } from "vitest";
import type { TokenVerificationResult as Verification } from "./domain/token-verifier.ts";
import {
  ConfigurationError,
  type OAuthEvent,
  type Requirement,
  ResourceServer,
  type ResourceServerConfig,
} from "./index.ts";

const RESOURCE = "https://mcp.example.com/mcp";
const METADATA = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";
const ISSUER = "https://login.example.com/tenant/v2.0";
const CLAIMS = { sub: "alice", exp: 1_800_003_600, client_id: "client", scope: "mcp:tools read" };

interface World {
  readonly server: ResourceServer;
  readonly events: OAuthEvent[];
}

/** A resource whose verifier finds this; one that finds something else for each token is a function. */
function world(
  found: Verification | ((token: string) => Verification),
  config: Partial<ResourceServerConfig> = {},
): World {
  const events: OAuthEvent[] = [];
  const server = new ResourceServer({
    resource: RESOURCE,
    authorizationServers: [ISSUER],
    tokenVerifier: { verify: async (token) => (typeof found === "function" ? found(token) : found) },
    onEvent: (event) => events.push(event),
    ...config,
  });
  return { server, events };
}

const request = (headers: Record<string, string> = { authorization: "Bearer abc" }, url = RESOURCE, method = "POST") =>
  new Request(url, { method, headers });

async function refused({ server }: World, asked = request(), requirement: Requirement = {}): Promise<Response> {
  const result = await server.protect(asked, requirement);
  if (!(result instanceof Response)) throw new Error(`let in: ${result.subject}`);
  return result;
}

async function admitted({ server }: World, requirement: Requirement = {}) {
  const result = await server.protect(request(), requirement);
  if (result instanceof Response) throw new Error(`refused: ${result.status}`);
  return result;
}

describe("metadata", () => {
  test("RFC 9728 §2: names the resource and every authorization server, at its own location and at the root", async () => {
    const other = "https://other.example.com/";
    const { server } = world(
      { valid: false },
      { authorizationServers: [ISSUER, other], scopes: ["mcp:tools", "offline_access"] },
    );
    for (const url of [METADATA, "https://mcp.example.com/.well-known/oauth-protected-resource"]) {
      const answer = await server.fetch(new Request(url));
      expect(answer.status).toBe(200);
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect(await answer.json()).toEqual({
        resource: RESOURCE,
        authorization_servers: [ISSUER, other],
        scopes_supported: ["mcp:tools"],
        bearer_methods_supported: ["header"],
        resource_name: "mcp.example.com",
      });
    }
  });

  test("what it owns and which documents it has is known without a request", async () => {
    const { server } = world({ valid: false });
    const { pathname } = new URL(METADATA);
    const document = server.documentAt(`${pathname}?a=b`, "GET");
    expect(document?.body).toBe(await (await server.fetch(new Request(METADATA))).text());
    expect([server.documentAt(pathname, "HEAD"), server.documentAt("/mcp", "GET")]).toEqual([undefined, undefined]);
    expect([server.owns(pathname, "PUT"), server.owns("/mcp", "OPTIONS")]).toEqual([true, true]);
    expect([server.owns("/mcp", "POST"), server.owns(`/${pathname}`, "GET")]).toEqual([false, false]);
  });

  test("nothing else is answered: it is no authorization server", async () => {
    const { server } = world({ valid: false });
    for (const path of [
      "/.well-known/oauth-authorization-server",
      "/oauth/token",
      "/mcp",
      "/.well-known/oauth-protected-resource/other",
    ]) {
      expect(await server.handle(new Request(`https://mcp.example.com${path}`))).toBeUndefined();
      expect((await server.fetch(new Request(`https://mcp.example.com${path}`))).status).toBe(404);
    }
    const posted = await server.handle(new Request(METADATA, { method: "POST" }));
    expect(posted?.status).toBe(405);
  });

  test("is answered by the path alone, never by what a request says that its host is", async () => {
    const { server } = world({ valid: false });
    const answer = await server.fetch(new Request("https://evil.example/.well-known/oauth-protected-resource/mcp"));
    expect(await answer.text()).not.toContain("evil");
  });
});

describe("the guard", () => {
  test("lets a verified token through, with what it says", async () => {
    expect(await admitted(world({ valid: true, claims: CLAIMS }), { scopes: ["mcp:tools"] })).toEqual({
      token: "abc",
      clientId: "client",
      scopes: ["mcp:tools", "read"],
      expiresAt: CLAIMS.exp,
      resource: RESOURCE,
      subject: "alice",
      claims: CLAIMS,
    });
  });

  test.each([
    ["of Entra, second version", { azp: "app", scp: "Tools.Read Tools.Write" }, "app", ["Tools.Read", "Tools.Write"]],
    ["of Entra, first version", { appid: "app", scp: "Tools.Read" }, "app", ["Tools.Read"]],
    ["of Keycloak", { azp: "app", scope: "openid tools" }, "app", ["openid", "tools"]],
    ["of Okta", { cid: "app", scp: ["tools", "openid"] }, "app", ["tools", "openid"]],
    ["that names neither client nor scope", {}, "", []],
    ["whose scopes are nonsense", { scope: { a: 1 }, client_id: 7 }, "", []],
    ["whose scopes would break a header", { scope: 'tools a"b \n x' }, "", ["tools", "x"]],
  ])("reads client and scopes of a token %s", async (_, claims, clientId, scopes) => {
    const access = await admitted(world({ valid: true, claims: { sub: "alice", exp: CLAIMS.exp, ...claims } }));
    expect(access).toMatchObject({ clientId, scopes });
  });

  test("RFC 6750 §3.1: who brings nothing is told the way in, and the scopes that a first visit needs", async () => {
    const answer = await refused(world({ valid: false }, { scopes: ["mcp:tools"] }), request({}));
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe(`Bearer scope="mcp:tools", resource_metadata="${METADATA}"`);
  });

  test("a token that the verifier refuses is 401 invalid_token, and no word of why leaves", async () => {
    const found = world({ valid: false, error: "<b>unknown</b>" });
    const answer = await refused(found);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(await answer.text()).not.toContain("unknown");
    expect(found.events).toMatchObject([{ type: "access.refused", reason: "token_signature" }]);
  });

  test("the verifier's word is the reason where the core has it, and never one that changes what the answer is", async () => {
    const expired = world({ valid: false, error: "token_expired" });
    expect(await (await refused(expired)).json()).toMatchObject({ error_description: "The access token has expired." });
    expect(expired.events).toMatchObject([{ reason: "token_expired" }]);
    for (const error of ["token_scope", "internal", "storage_unavailable", "toString", "client_unknown"])
      expect(await (await refused(world({ valid: false, error }))).json()).toMatchObject({ error: "invalid_token" });
  });

  test.each<[string, Verification]>([
    ["is valid and says nothing", { valid: true }],
    ["has no subject", { valid: true, claims: { exp: CLAIMS.exp } }],
    ["has an empty subject", { valid: true, claims: { ...CLAIMS, sub: "" } }],
    ["has no end", { valid: true, claims: { sub: "alice" } }],
    [
      "RFC 9449 §7.1: is bound to a key, and shown as one that is not",
      { valid: true, claims: { ...CLAIMS, cnf: { jkt: "x" } } },
    ],
  ])("a token that %s is refused", async (_, found) => {
    expect((await refused(world(found))).status).toBe(401);
  });

  test("what can't be known right now is 503, so that clients keep their tokens", async () => {
    const answer = await refused(world({ valid: false, error: "keys_unavailable", temporary: true }));
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(answer.headers.get("www-authenticate")).toBeNull();
  });

  test("a verifier that throws is our failure, and the operator is told", async () => {
    const found = world(() => {
      throw new Error("broken");
    });
    expect((await refused(found)).status).toBe(500);
    expect(found.events).toMatchObject([{ type: "error", endpoint: "guard" }]);
  });

  test("a missing scope is 403, and a broader one holds what it contains", async () => {
    const found = world({ valid: true, claims: CLAIMS }, { scopeHierarchy: { "mcp:tools": ["mcp:read"] } });
    expect((await refused(found, request(), { scopes: ["mcp:admin"] })).status).toBe(403);
    expect(await admitted(found, { scopes: ["mcp:read"] })).toMatchObject({ subject: "alice" });
    expect(found.server.impliedScopes(["mcp:tools"])).toEqual(["mcp:tools", "mcp:read"]);
  });

  test("a page of another site is refused before its token is looked at, and one of an admitted origin is not", async () => {
    let asked = 0;
    const found = world(
      () => {
        asked++;
        return { valid: true, claims: CLAIMS };
      },
      { allowedOrigins: ["https://app.example.com"] },
    );
    const from = (origin: string) => request({ authorization: "Bearer abc", origin });
    expect((await refused(found, from("https://evil.example"))).status).toBe(403);
    expect(asked).toBe(0);
    for (const origin of ["https://app.example.com", "https://mcp.example.com", "http://localhost:6274"]) {
      expect(await found.server.protect(from(origin))).not.toBeInstanceOf(Response);
      expect(found.server.corsHeaders(from(origin))).toMatchObject({ "access-control-allow-origin": origin });
    }
    const preflight = request(
      { origin: "https://app.example.com", "access-control-request-method": "POST" },
      RESOURCE,
      "OPTIONS",
    );
    expect((await found.server.handle(preflight))?.status).toBe(204);
  });
});

describe("options", () => {
  test.each<[string, object]>([
    ["resource", { resource: undefined }],
    ["resource", { resource: "/mcp" }],
    ["resource", { resource: "http://mcp.example.com/mcp" }],
    ["resource", { resource: "https://mcp.example.com/mcp?x=1" }],
    ["resource", { resource: "https://mcp.example.com/mcp#x" }],
    ["authorizationServers", { authorizationServers: [] }],
    ["authorizationServers", { authorizationServers: ISSUER }],
    ["authorizationServers[1]", { authorizationServers: [ISSUER, "javascript:alert(1)"] }],
    ["authorizationServers[0]", { authorizationServers: [undefined] }],
    ["tokenVerifier", { tokenVerifier: undefined }],
    ["scopes", { scopes: ['a"b'] }],
    ["allowedOrigins[0]", { allowedOrigins: ["https://app.example.com/"] }],
    ["allowedOrigins[0]", { allowedOrigins: ["*"] }],
  ])("%s: what can't work is refused at once: %j", (option, change) => {
    const make = () => world({ valid: false }, change);
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(expect.objectContaining({ option }));
  });
});
