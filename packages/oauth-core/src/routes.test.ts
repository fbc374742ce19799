import { describe, expect, test } from "vitest";
import { BASE_URL, jsonOf, RESOURCE, World } from "../test/harness.ts";

const DOCUMENTS = [
  "/.well-known/oauth-authorization-server",
  "/.well-known/oauth-protected-resource",
  "/.well-known/oauth-protected-resource/mcp",
];
const PROGRAMS = ["/oauth/token", "/oauth/revoke", "/oauth/register"];
const PEOPLE = ["/oauth/authorize", "/oauth/consent", "/oauth/callback"];
const ALLOW: Readonly<Record<string, string>> = {
  "/oauth/authorize": "GET, POST, HEAD, OPTIONS",
  "/oauth/consent": "POST, OPTIONS",
  "/oauth/callback": "GET, HEAD, OPTIONS",
  "/oauth/token": "POST, OPTIONS",
  "/oauth/revoke": "POST, OPTIONS",
  "/oauth/register": "POST, OPTIONS",
  ...Object.fromEntries(DOCUMENTS.map((path) => [path, "GET, HEAD, OPTIONS"])),
};

const { auth } = new World().server();

function ask(path: string, method = "GET", headers: Record<string, string> = {}): Promise<Response> {
  return auth.fetch(new Request(BASE_URL + path, { method, headers }));
}

describe.each(Object.entries(ALLOW))("%s", (path, allow) => {
  const allowed = allow.split(", ");

  test.each(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"])(
    "RFC 9110 §15.5.6: %s is answered, or 405 with Allow",
    async (method) => {
      const answer = await ask(path, method);
      expect(answer.status === 405).toBe(!allowed.includes(method));
      expect(answer.headers.get("allow")).toBe(allowed.includes(method) ? null : allow);
    },
  );

  test("RFC 9110 §9.3.2: HEAD is like GET, without the body", async () => {
    const [get, head] = [await ask(path, "GET"), await ask(path, "HEAD")];
    expect(head.status).toBe(get.status);
    expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
    expect(await head.text()).toBe("");
  });

  test("OPTIONS is answered", async () => {
    const answer = await ask(path, "OPTIONS", {
      origin: "https://app.example",
      "access-control-request-method": "POST",
    });
    expect([answer.status, answer.headers.get("allow")]).toEqual([204, allow]);
    expect(answer.headers.get("access-control-allow-methods")).toBe(PEOPLE.includes(path) ? null : allow);
  });

  test("what is no fixed document is nobody's to keep", async () => {
    const expected = DOCUMENTS.includes(path) ? "public, max-age=3600" : "no-store";
    for (const method of allowed.filter((each) => each !== "OPTIONS")) {
      expect((await ask(path, method)).headers.get("cache-control")).toBe(expected);
    }
    expect((await ask(path, "PUT")).headers.get("cache-control")).toBe("no-store");
  });
});

describe("what is known without a request", () => {
  const targets = [...Object.keys(ALLOW), "/mcp", "/", "/login", "/oauth"].flatMap((path) => [
    path,
    `${path}?a=b`,
    `${path}/`,
    `/${path}`,
    `${path}/../x`,
    path.toUpperCase(),
    path.replace("o", "%6f"),
  ]);
  const methods = ["GET", "HEAD", "POST", "OPTIONS", "PUT"];
  const preflight = { origin: BASE_URL, "access-control-request-method": "POST" };
  const whole = async (answer: Response) => [answer.status, [...answer.headers], await answer.text()];

  test("what the server owns is what it answers, preflights included", async () => {
    for (const target of targets)
      for (const method of methods) {
        // A Request can't be made with a path that is not tidy, and adapters have such paths.
        const url = { value: BASE_URL + target };
        const request = Object.defineProperty(new Request(BASE_URL, { method, headers: preflight }), "url", url);
        const isAnswered = (await auth.handle(request)) !== undefined;
        expect([method, target, isAnswered]).toEqual([method, target, auth.owns(target, method)]);
      }
  });

  test("a fixed document is what the server answers", async () => {
    for (const target of targets)
      for (const method of methods) {
        const known = auth.documentAt(target, method);
        expect(known !== undefined).toBe(method === "GET" && DOCUMENTS.includes(target.replace("?a=b", "")));
        if (known === undefined) continue;
        const { status, headers, body } = known;
        expect(await whole(await ask(target))).toEqual(
          await whole(new Response(body, { status, headers: headers.map(([name, value]) => [name, value]) })),
        );
      }
  });
});

describe("CORS", () => {
  const origin = { origin: "https://evil.example" };

  test.each(PEOPLE)("* is not on %s, where cookies count", async (path) => {
    for (const method of ["GET", "POST", "OPTIONS", "PUT"]) {
      const answer = await ask(path, method, { ...origin, "access-control-request-method": "POST" });
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });

  test.each([...DOCUMENTS, ...PROGRAMS])("* is on %s, refusals included, and never with credentials", async (path) => {
    for (const method of ["GET", "POST", "OPTIONS", "PUT"]) {
      const { headers } = await ask(path, method, origin);
      expect(headers.get("access-control-allow-origin")).toBe("*");
      expect(headers.has("access-control-allow-credentials")).toBe(false);
    }
  });

  test.each(PROGRAMS)("a preflight of %s admits what clients in browsers send", async (path) => {
    const { headers } = await ask(path, "OPTIONS", { ...origin, "access-control-request-method": "POST" });
    const admitted = headers.get("access-control-allow-headers")?.split(", ");
    expect(admitted).toEqual(expect.arrayContaining(["authorization", "content-type", "mcp-protocol-version", "dpop"]));
  });
});

describe("what is none of ours", () => {
  test.each([
    "/",
    "/mcp",
    "/oauth",
    "/oauth/",
    "/oauth/token/",
    "/oauth//token",
    "/OAuth/token",
    "/oauth/%74oken",
    "/oauth/token;x",
    "/authorize",
    "/token",
    "/register",
    "/oauth/introspect",
    // Half an OpenID document is fatal to clients, and none at all sends them on.
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/oauth-protected-resource/other",
    "/.well-known/oauth-protected-resource/mcp/",
  ])("%s", async (path) => {
    expect(await auth.handle(new Request(BASE_URL + path))).toBeUndefined();
    expect((await ask(path)).status).toBe(404);
  });

  test("a query and a fragment are no part of the path", async () => {
    expect((await ask("/oauth/token?/oauth/authorize")).status).toBe(405);
    expect((await ask("/.well-known/oauth-authorization-server?x=/y#z")).status).toBe(200);
  });
});

describe("authorization server metadata", () => {
  test("RFC 8414 §2: it says what works, with the issuer as it is everywhere else", async () => {
    const answer = await ask("/.well-known/oauth-authorization-server");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await jsonOf(answer)).toEqual({
      issuer: BASE_URL,
      authorization_endpoint: `${BASE_URL}/oauth/authorize`,
      token_endpoint: `${BASE_URL}/oauth/token`,
      registration_endpoint: `${BASE_URL}/oauth/register`,
      revocation_endpoint: `${BASE_URL}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
      scopes_supported: ["read"],
      response_types_supported: ["code"],
      response_modes_supported: ["query"],
      grant_types_supported: ["authorization_code", "refresh_token"],
      token_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
    });
  });

  test("RFC 8414 §3.1: for an issuer with a path it lies behind the suffix, and at the root for clients from before that", async () => {
    const server = new World().server({ baseUrl: `${BASE_URL}/tenant/` });
    const inserted = await server.get("/.well-known/oauth-authorization-server/tenant");
    const document = await inserted.text();
    expect(document).toContain(`"issuer":"${BASE_URL}/tenant"`);
    expect(document).toContain(`"token_endpoint":"${BASE_URL}/tenant/oauth/token"`);
    expect(await (await server.get("/.well-known/oauth-authorization-server")).text()).toBe(document);
    expect(await jsonOf(await server.get("/.well-known/oauth-protected-resource/tenant/mcp"))).toMatchObject({
      resource: `${BASE_URL}/tenant/mcp`,
      authorization_servers: [`${BASE_URL}/tenant`],
    });
    expect((await server.post("/tenant/oauth/token", {})).status).toBe(401);
    expect((await server.get("/oauth/token")).status).toBe(404);
  });

  test("issuer and URLs are not derived from Host or a forwarded header", async () => {
    const headers = { "x-forwarded-host": "evil.example", "x-forwarded-proto": "http", forwarded: "host=evil.example" };
    for (const path of DOCUMENTS) {
      const answer = await auth.fetch(new Request(`http://evil.example:81${path}`, { headers }));
      expect(await answer.text()).toBe(await (await ask(path)).text());
    }
  });
});

describe("protected resource metadata", () => {
  test("RFC 9728 §2: it names the MCP URL and not the origin, at the inserted path and at the root", async () => {
    const documents = await Promise.all(DOCUMENTS.slice(1).map(async (path) => jsonOf(await ask(path))));
    for (const document of documents) {
      expect(document).toEqual({
        resource: RESOURCE,
        authorization_servers: [BASE_URL],
        scopes_supported: ["read"],
        bearer_methods_supported: ["header"],
        resource_name: "mcp.example.com",
      });
    }
  });

  test("of several resources each has its own, and none stands for the others at the root", async () => {
    const server = new World().server({ resources: [RESOURCE, `${BASE_URL}/other`] });
    expect(await jsonOf(await server.get("/.well-known/oauth-protected-resource/mcp"))).toMatchObject({
      resource: RESOURCE,
    });
    expect(await jsonOf(await server.get("/.well-known/oauth-protected-resource/other"))).toMatchObject({
      resource: `${BASE_URL}/other`,
    });
    expect((await server.get("/.well-known/oauth-protected-resource")).status).toBe(404);
  });

  test("T-SC-01: scopes_supported is the configured baseline, not the whole catalogue, and never has offline_access", async () => {
    const server = new World().server({
      scopes: ["openid", "offline_access"],
      resourceScopes: ["mcp:tools", "mcp:admin"],
      defaultScopes: ["mcp:tools"],
    });
    const resource = await jsonOf(await server.get("/.well-known/oauth-protected-resource"));
    expect(resource.scopes_supported).toEqual(["openid", "mcp:tools"]);
    const issuer = await jsonOf(await server.get("/.well-known/oauth-authorization-server"));
    expect(issuer.scopes_supported).toEqual(["openid", "offline_access", "mcp:tools", "mcp:admin"]);
  });

  test("T-SC-08: nothing offers a wildcard scope by default, and nothing is null or empty", async () => {
    const server = new World().server({ scopes: [] });
    for (const path of DOCUMENTS) {
      const text = await (await server.get(path)).text();
      expect(text).not.toMatch(/"\*"|"all"|null|\[\]|""/);
      expect(text).not.toContain("scopes_supported");
    }
  });
});
