import { describe, expect, test } from "vitest";
import { refusalOf } from "../../test/answers.ts";
import { BASE_URL, jsonOf, REDIRECT_URI, type Server, World } from "../../test/harness.ts";
import { KNOWN_CLIENTS } from "../protocol/known-callbacks.ts";

const CURSOR = [
  "cursor://anysphere.cursor-mcp/oauth/callback",
  "https://www.cursor.com/agents/mcp/oauth/callback",
  "http://localhost:8787/callback",
];

function post(server: Server, body: unknown, type = "application/json"): Promise<Response> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return server.auth.fetch(
    new Request(`${BASE_URL}/oauth/register`, { method: "POST", body: text, headers: { "content-type": type } }),
  );
}

describe("what is answered", () => {
  test("RFC 7591 §3.2.1: 201, not to be stored, with everything that was registered and nothing null", async () => {
    const answer = await post(new World().server({ resourceScopes: ["mcp:tools"] }), {
      redirect_uris: [REDIRECT_URI],
      client_name: "Notes",
      application_type: "native",
      scope: "mcp:tools unknown",
    });

    expect(answer.status).toBe(201);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await jsonOf(answer)).toEqual({
      client_id: expect.stringMatching(/^[A-Za-z0-9_-]{1,255}$/),
      client_id_issued_at: 1_800_000_000,
      client_name: "Notes",
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      application_type: "native",
      scope: "mcp:tools",
    });
  });

  test.each(["client_secret_basic", "client_secret_post"])(
    "RFC 7591 §3.2.1: with %s there is a secret that raw and percent-encoded Basic read alike, and that never expires",
    async (method) => {
      const { response } = await new World().server().register({ token_endpoint_auth_method: method });
      expect(response).toMatchObject({ token_endpoint_auth_method: method, client_secret_expires_at: 0 });
      expect(response.client_secret).toMatch(/^[A-Za-z0-9_-]{40,}$/);
    },
  );

  test("no secret is handed to a public client", async () => {
    const { response } = await new World().server().register({ token_endpoint_auth_method: "none" });
    expect(response).not.toHaveProperty("client_secret");
    expect(response).not.toHaveProperty("client_secret_expires_at");
  });

  test("an empty scope, a missing application_type, a missing auth method and unknown members are accepted, and the decision is echoed", async () => {
    const { response } = await new World()
      .server()
      .register({ scope: "", software_id: "x", jwks_uri: null, tos_uri: 5 });
    expect(response).toMatchObject({ token_endpoint_auth_method: "none", scope: "read" });
    expect(Object.keys(response)).not.toEqual(expect.arrayContaining(["software_id"]));
    expect(response).not.toHaveProperty("application_type");
  });

  test("two registrations of one client are two clients", async () => {
    const server = new World().server();
    expect((await server.register()).clientId).not.toBe((await server.register()).clientId);
  });
});

describe("what is admitted", () => {
  test("a registration with one unacceptable redirect URI among three locks nobody known out: all three of Cursor's are admitted", async () => {
    const { response } = await new World().server().register({ redirect_uris: CURSOR });
    expect(response.redirect_uris).toEqual(CURSOR);
  });

  test.each(KNOWN_CLIENTS)(
    "the callbacks of $name are admitted, in an id that fits a database column",
    async (client) => {
      const redirectUris = client.callbacks.map((uri) => uri.replace("<id>", "a-Z_09").replace("<port>", "49152"));
      const { clientId } = await new World().server().register({ redirect_uris: redirectUris });
      expect(clientId.length).toBeLessThanOrEqual(255);
    },
  );

  test("a refusal names the first refused host and the option that would admit it", async () => {
    const answer = await post(new World().server(), {
      redirect_uris: [REDIRECT_URI, "https://chat.example.org/cb?secret=1", "https://second.example.org/cb"],
    });
    expect(answer.status).toBe(400);
    expect(await jsonOf(answer)).toEqual({
      error: "invalid_redirect_uri",
      error_description:
        "The redirect URI at chat.example.org is not admitted. The operator can admit it with allowedRedirectUriPatterns.",
    });
  });

  test("T-RU-06: no wildcard registers, and a pattern of the operator admits to registration only", async () => {
    const open = new World().server();
    const policed = new World().server({ allowedRedirectUriPatterns: ["https://*.example.com/*"] });
    for (const uri of ["https://*.example.com/cb", "https://app.example.com/*", "http://localhost:*/cb"]) {
      expect(await refusalOf(await post(policed, { redirect_uris: [uri] }))).toBe("400 invalid_redirect_uri");
    }
    const uri = "https://app.example.com/cb";
    expect(await refusalOf(await post(open, { redirect_uris: [uri] }))).toBe("400 invalid_redirect_uri");

    const client = await policed.register({ redirect_uris: [uri] });
    const other = policed.authorizationUrl(client, "c".repeat(43), { redirect_uri: "https://other.example.com/cb" });
    const answer = await policed.get(other);
    expect([answer.status, answer.headers.get("location")]).toEqual([400, null]);
  });

  test.each([
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    "data:text/html,x",
    "DATA:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "blob:https://a.example/x",
    "http://evil.example/cb",
    "https://user@a.example/cb",
    "https://a.example/cb#x",
    "https://a.example/%2e%2e/cb",
  ])("T-RU-05: %j is refused", async (uri) => {
    const server = new World().server({ allowedRedirectUriPatterns: ["https://a.example/*"] });
    expect(await refusalOf(await post(server, { redirect_uris: [uri] }))).toBe("400 invalid_redirect_uri");
  });

  test("20,000 redirect URIs, nested arrays and names that are no text are refused", async () => {
    const server = new World().server();
    const many = Array.from({ length: 33 }, (_, index) => `http://localhost:${index + 1}/cb`);
    expect(await refusalOf(await post(server, { redirect_uris: many }))).toBe("400 invalid_redirect_uri");
    expect(await refusalOf(await post(server, { redirect_uris: [[REDIRECT_URI]] }))).toBe("400 invalid_redirect_uri");
    const unnamed = { redirect_uris: [REDIRECT_URI], client_name: { toString: "x" } };
    expect(await refusalOf(await post(server, unnamed))).toBe("400 invalid_client_metadata");
  });
});

describe("what it costs", () => {
  test("150 anonymous registrations cost no storage", async () => {
    const world = new World();
    const server = world.server();
    await Promise.all(Array.from({ length: 150 }, () => server.register()));
    expect(world.storage.calls).toEqual([]);
  });

  test("a flood of registrations evicts nobody: who registered before it still signs in", async () => {
    const server = new World().server();
    const client = await server.register();
    await Promise.all(Array.from({ length: 500 }, () => server.register()));
    expect((await server.signIn({ client })).tokens).toHaveProperty("access_token");
  });

  test("a body of more than 64 KiB is refused, wherever it comes from", async () => {
    const padding = " ".repeat(64 * 1024);
    const answer = await post(new World().server(), `{"redirect_uris":["${REDIRECT_URI}"]}${padding}`);
    expect(await refusalOf(answer)).toBe("413 invalid_request");
  });

  test("a registration that does not fit into an id is kept under a short one", async () => {
    const world = new World();
    const redirectUris = Array.from({ length: 8 }, (_, index) => `http://localhost:${index + 1}/${"long".repeat(10)}`);
    const { clientId } = await world.server().register({ redirect_uris: redirectUris });
    expect(clientId).toMatch(/^sp_cs_/);
    expect(world.storage.calls).toEqual(["save client"]);
  });
});

test.each([
  ["text/plain", "{}"],
  ["application/x-www-form-urlencoded", "redirect_uris=x"],
  ["", "{}"],
  ["application/json", ""],
  ["application/json", "{"],
  ["application/json", "[".repeat(10_000)],
  ["application/json", "\u{fffd}\u0000"],
])("a body of type %j that is %j is refused", async (type, body) => {
  expect(await refusalOf(await post(new World().server(), body, type))).toBe("400 invalid_request");
});

test.each([null, [], "x", 5, true])("RFC 7591 §3.2.2: JSON that is %j is no metadata", async (body) => {
  expect(await refusalOf(await post(new World().server(), JSON.stringify(body)))).toBe("400 invalid_client_metadata");
});

test("a client that did not register refresh_token is given none, and may not refresh", async () => {
  const server = new World().server();
  const client = await server.register({ grant_types: ["authorization_code", "password"] });
  expect(client.response.grant_types).toEqual(["authorization_code"]);
  const { tokens } = await server.signIn({ client });
  expect(tokens).not.toHaveProperty("refresh_token");
  expect(await refusalOf(await server.refresh(client, "sp_rt_any"))).toBe("400 unauthorized_client");
});
