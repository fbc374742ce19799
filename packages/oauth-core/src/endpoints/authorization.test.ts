import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { answerOf, locationOf, pageOf } from "../../test/answers.ts";
import { BASE_URL, Browser, REDIRECT_URI, RESOURCE, type Server, World } from "../../test/harness.ts";
import type { OAuthProxyConfig } from "../options.ts";
import { PKCEUtils } from "../pkce-utils.ts";

const { challenge } = PKCEUtils.generatePair();

type Changes = Readonly<Record<string, string | undefined>>;

/** One authorization request of a registered client, with some parameters changed. */
async function ask(
  changes: Changes = {},
  config: Partial<OAuthProxyConfig> = {},
  world = new World(),
): Promise<Response> {
  const server = world.server(config);
  return server.get(server.authorizationUrl(await server.register(), challenge, changes));
}

/** What the upstream is asked for, once the person has approved. */
async function upstreamOf(server: Server, changes: Changes = {}): Promise<URLSearchParams> {
  const url = server.authorizationUrl(await server.register(), challenge, changes);
  return locationOf(await server.consent(url, new Browser())).searchParams;
}

/** A server whose one client is at `https://a.example/cb`. */
function configured(redirectUri = "https://a.example/cb"): { server: Server; client: { clientId: string } } {
  const server = new World().server({ clients: [{ clientId: "app", redirectUris: [redirectUri] }] });
  return { server, client: { clientId: "app" } };
}

describe("before client and redirect URI are proven", () => {
  test("T-RU-02: an unknown client is told on a page, and nothing is redirected", async () => {
    const answer = await ask({ client_id: "nobody" });
    expect(answer.headers.get("location")).toBeNull();
    expect(await pageOf(answer)).toBe("400 This application is not known here");
  });

  test("T-RU-02: an unregistered URI is not refused by redirecting to it but shown on a page", async () => {
    const answer = await ask({ redirect_uri: "https://evil.example/cb" });
    expect(answer.headers.get("location")).toBeNull();
    expect(await pageOf(answer)).toBe("400 This sign-in can not begin");
  });

  test.each([
    "https://a.example/cb/",
    "https://a.example/cb?x",
    "https://A.example/cb",
    "https://a.example:443/cb",
    "https://a.example/cb%2F",
    "https://a.example/./cb",
    "https://a.example/x/../cb",
    "https://a.example/..;/cb",
    "https://a.example\\cb",
    "https://a.example./cb",
    "https://a.example.evil/cb",
    "https://a.example@evil.example/cb",
    "https://user@a.example/cb",
    "https://a.example/cb#x",
    "http://a.example/cb",
    "https://a.example",
  ])("T-RU-01: %s is not the registered https://a.example/cb", async (redirectUri) => {
    const { server, client } = configured();
    const answer = await server.get(server.authorizationUrl(client, challenge, { redirect_uri: redirectUri }));
    expect([answer.status, answer.headers.get("location")]).toEqual([400, null]);
  });

  test("T-RU-03: of a loopback URI the port may vary", async () => {
    const answer = await ask({ redirect_uri: "http://127.0.0.1:65535/callback" });
    expect(await pageOf(answer)).toContain("200 Allow");
  });

  test.each([
    "http://localhost:49152/callback",
    "http://[::1]:49152/callback",
    "http://127.0.0.2:49152/callback",
    "https://127.0.0.1:49152/callback",
    "http://127.0.0.1:49152/callback/",
    "http://127.0.0.1:49152/callback?x=1",
    "http://127.0.0.1:49152@evil.example/callback",
    "http://127.0.0.1:0/callback",
  ])("T-RU-03: %s is not the registered http://127.0.0.1:49152/callback", async (redirectUri) => {
    expect((await ask({ redirect_uri: redirectUri })).status).toBe(400);
  });

  test("T-RU-04: other redirect URIs need another registration", async () => {
    const server = new World().server();
    const before = await server.register();
    const changed = { redirect_uri: "http://localhost:1/changed" };
    expect((await server.get(server.authorizationUrl(before, challenge, changed))).status).toBe(400);
    const after = await server.register({ redirect_uris: [changed.redirect_uri] });
    expect((await server.get(server.authorizationUrl(after, challenge, changed))).status).toBe(200);
  });

  test.each(["javascript:alert(1)", "data:text/html,x", "file:///x", "vbscript:x"])(
    "T-RU-05: %s leads nowhere",
    async (redirectUri) => {
      const answer = await ask({ redirect_uri: redirectUri });
      expect([answer.status, answer.headers.get("location")]).toEqual([400, null]);
      expect(await answer.text()).not.toContain(redirectUri);
    },
  );

  test("RFC 6749 §3.1.2.3: the redirect URI may be left out where only one is registered", async () => {
    const server = new World().server();
    const one = await server.register();
    const two = await server.register({ redirect_uris: [REDIRECT_URI, "http://localhost/cb"] });
    const without = { redirect_uri: undefined };
    expect((await server.get(server.authorizationUrl(one, challenge, without))).status).toBe(200);
    expect((await server.get(server.authorizationUrl(two, challenge, without))).status).toBe(400);
  });

  test.each([
    ["client_id", { client_id: undefined }],
    ["client_id of 5,000 characters", { client_id: "a".repeat(5_000) }],
    ["state of 5,000 characters", { state: "a".repeat(5_000) }],
  ])("a missing or endless parameter is shown on a page: %s", async (_, changes) => {
    expect(await pageOf(await ask(changes))).toBe("400 This sign-in can not begin");
  });

  test("RFC 6749 §3.1: duplicated parameters are refused, with any of the two redirect URIs", async () => {
    const server = new World().server();
    const url = server.authorizationUrl(await server.register(), challenge);
    for (const twice of ["state=b", "scope=a&scope=b", "redirect_uri=https%3A%2F%2Fevil.example", "client_id=other"]) {
      const answer = await server.get(`${url}&${twice}`);
      expect([answer.status, answer.headers.get("location")]).toEqual([400, null]);
    }
  });
});

describe("after that, refusals go back to the client", () => {
  test.each([
    ["PKCE is not optional", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
    ["plain is not accepted", { code_challenge_method: "plain" }, "invalid_request"],
    ["a missing method does not mean none or plain", { code_challenge_method: undefined }, "invalid_request"],
    ["a challenge has 43 characters, not 1", { code_challenge: "a" }, "invalid_request"],
    ["RFC 6749 §3.1.1: a response type is required", { response_type: undefined }, "invalid_request"],
    ["RFC 6749 §3.1.1: there is no implicit grant", { response_type: "token" }, "unsupported_response_type"],
    ["there is no hybrid flow", { response_type: "code id_token" }, "unsupported_response_type"],
    ["answers go into the query", { response_mode: "fragment" }, "invalid_request"],
    ["OpenID Connect Core §6: no request objects", { request: "x.y.z" }, "request_not_supported"],
    [
      "OpenID Connect Core §6: nothing is fetched for a client",
      { request_uri: "https://a/" },
      "request_uri_not_supported",
    ],
    ["RFC 6749 §3.3: a scope is printable words", { scope: 'a"b' }, "invalid_scope"],
    ["RFC 8707 §2: a resource is an absolute URI", { resource: "mcp" }, "invalid_target"],
    ["RFC 8707 §2: an unknown resource", { resource: "https://other.example.com/mcp" }, "invalid_target"],
    ["RFC 8707 §2: no resource beside the path of one", { resource: `${RESOURCE}/../x` }, "invalid_target"],
  ])("RFC 9207 §2: %s: error, state and iss", async (_, changes, error) => {
    const world = new World();
    const answer = await ask(changes, {}, world);

    expect(answer.status).toBe(302);
    expect(locationOf(answer).href.split("?")[0]).toBe(REDIRECT_URI);
    expect(answerOf(answer)).toEqual({
      error,
      error_description: expect.stringMatching(/^[ -~]+$/),
      state: "client-state",
      iss: BASE_URL,
    });
    expect(world.storage.calls).toEqual([]);
    expect(world.eventsOf("request.refused")).toHaveLength(1);
  });

  test("a state is echoed if it was sent, byte for byte, and never invented", async () => {
    const refused = { response_type: "token" };
    const state = "a b+c&iss=x#é%00";
    expect(locationOf(await ask({ ...refused, state })).searchParams.getAll("state")).toEqual([state]);
    expect(answerOf(await ask({ ...refused, state: undefined }))).not.toHaveProperty("state");
  });

  test("a redirect URI with a query keeps it, and gets the answer behind it", async () => {
    const { server, client } = configured("https://a.example/cb?tenant=1&x=%20");
    const changes = { redirect_uri: "https://a.example/cb?tenant=1&x=%20", response_type: "token" };
    const answer = await server.get(server.authorizationUrl(client, challenge, changes));
    expect(answer.headers.get("location")).toMatch(/^https:\/\/a\.example\/cb\?tenant=1&x=%20&error=/);
  });
});

describe("what is asked of the person", () => {
  test("T-CON-01: a fresh browser gets the consent page, and the upstream hears nothing", async () => {
    const world = new World();
    const answer = await ask({}, {}, world);
    expect(answer.headers.get("location")).toBeNull();
    expect(await pageOf(answer)).toBe("200 Allow Test client to use mcp.example.com?");
    expect(world.upstreamRequests).toEqual([]);
  });

  test("T-CON-02: the page sets one cookie, and it is worth nothing at the callback", async () => {
    const world = new World();
    const server = world.server();
    const client = await server.register();
    const victim = new Browser();
    victim.keep(await server.get(server.authorizationUrl(client, challenge)));
    expect([...victim.cookies.keys()]).toEqual([expect.stringMatching(/^__Host-sallyport-page-/)]);

    // The attacker approves elsewhere, so that a real state exists; the victim's browser has only seen a page.
    const upstream = await server.consent(server.authorizationUrl(client, challenge), new Browser());
    const answer = await server.callback(locationOf(upstream).href, victim);
    expect(await pageOf(answer)).toBe("400 This sign-in is not open in this browser");
    expect(world.upstreamRequests).toEqual([]);
  });

  test("RFC 6749 §3.1: a form that is posted asks the same", async () => {
    const server = new World().server();
    const url = new URL(server.authorizationUrl(await server.register(), challenge));
    expect(await pageOf(await server.post("/oauth/authorize", url.search.slice(1)))).toContain("200 Allow");
  });

  test("prompt=consent, offline_access and unknown parameters are accepted", async () => {
    const changes = { prompt: "consent", scope: "offline_access read", claims: "{}", nonce: "n", constructor: "x" };
    expect((await ask(changes)).status).toBe(200);
  });

  test("with consentRequired off or a trusted client nobody is asked, except for a loopback address", async () => {
    const hosted = { clientId: "app", redirectUris: ["https://a.example/cb"], trusted: true };
    const local = { clientId: "tool", redirectUris: ["http://127.0.0.1/callback"], trusted: true };
    const server = new World().server({ clients: [hosted, local] });
    const at = (redirectUri: string) => ({ redirect_uri: redirectUri });
    const silent = await server.get(server.authorizationUrl(hosted, challenge, at("https://a.example/cb")));
    expect(locationOf(silent).origin).toBe("https://id.example.com");
    expect(
      (await server.get(server.authorizationUrl(local, challenge, at("http://127.0.0.1:5/callback")))).status,
    ).toBe(200);
    expect(locationOf(await ask({}, { consentRequired: false })).origin).toBe("https://id.example.com");
  });
});

describe("what is asked of the upstream", () => {
  test("not any scope that a client names, only configured ones; unknown ones are dropped", async () => {
    const server = new World().server({ scopes: ["openid", "read"], resourceScopes: ["mcp:tools"] });
    expect((await upstreamOf(server, { scope: "admin read repo mcp:tools" })).get("scope")).toBe("openid read");
    expect((await upstreamOf(server, { scope: "admin" })).get("scope")).toBe("openid read");
    expect((await upstreamOf(server)).get("scope")).toBe("openid read");
  });

  test("T-ST-08: the verifier upstream is ours, S256, and the client's challenge is not used", async () => {
    const asked = await upstreamOf(new World().server());
    expect(asked.get("code_challenge_method")).toBe("S256");
    expect(asked.get("code_challenge")).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(asked.get("code_challenge")).not.toBe(challenge);
    expect(asked.has("code_verifier")).toBe(false);
  });

  test("T-ST-01: the state upstream is 256 bits, new each time, and not the client's", async () => {
    const server = new World().server();
    const states = await Promise.all(Array.from({ length: 20 }, async () => (await upstreamOf(server)).get("state")));
    expect(new Set(states).size).toBe(20);
    for (const state of states) expect(state).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test("RFC 8707: the client's resource, state and unknown parameters stay here", async () => {
    const asked = await upstreamOf(new World().server(), { resource: RESOURCE, login_hint: "x", prompt: "consent" });
    expect([...asked.keys()].sort()).toEqual(
      [
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
      ].sort(),
    );
    expect(asked.get("client_id")).toBe("our-app");
    expect(asked.get("redirect_uri")).toBe(`${BASE_URL}/oauth/callback`);
  });
});

describe("resource", () => {
  test.each([
    RESOURCE,
    "HTTPS://MCP.EXAMPLE.COM/mcp",
    "https://mcp.example.com:443/mcp",
    `${RESOURCE}?session=1`,
    undefined,
  ])("resource %s is not ignored: the token's aud is the configured resource", async (resource) => {
    const server = new World().server();
    const { tokens } = await server.signIn({ parameters: { resource } });
    expect(decodeJwt(tokens.access_token).aud).toBe(RESOURCE);
  });

  test("no token is without audience: where there are several resources, one has to be named", async () => {
    const resources = [RESOURCE, `${BASE_URL}/other`];
    expect(answerOf(await ask({}, { resources }))).toMatchObject({ error: "invalid_target" });
    expect((await ask({ resource: `${BASE_URL}/other` }, { resources })).status).toBe(200);
  });
});

describe("remembered consent", () => {
  const redirectUri = "https://a.example/cb";
  const clients = ["one", "two"].map((clientId) => ({ clientId, redirectUris: [redirectUri] }));
  const REMEMBERING = { rememberConsent: 3600, scopes: ["read", "write"], resourceScopes: ["mcp:tools"], clients };

  /** A browser that has approved client one for `read`, and a way to ask again. */
  async function approved(config: Partial<OAuthProxyConfig> = {}) {
    const world = new World();
    const server = world.server({ ...REMEMBERING, ...config });
    const browser = new Browser();
    const usual = { redirect_uri: redirectUri, scope: "read mcp:tools" };
    const urlOf = (clientId: string, changes: Changes = {}) =>
      server.authorizationUrl({ clientId }, challenge, { ...usual, ...changes });
    await server.consent(urlOf("one"), browser);
    const again = async (clientId: string, changes: Changes = {}, site = "none") =>
      (await server.get(urlOf(clientId, changes), { cookie: browser.header(), "sec-fetch-site": site })).status;
    return { world, again, browser, server, urlOf };
  }

  test("the same client is not asked about again", async () => {
    const { again } = await approved();
    expect(await again("one")).toBe(302);
  });

  test("it is off by default", async () => {
    const { again } = await approved({ rememberConsent: 0 });
    expect(await again("one")).toBe(200);
  });

  test("T-CON-03: another client with the same redirect host, in the same browser, is asked about", async () => {
    const { again } = await approved();
    expect(await again("two")).toBe(200);
  });

  test("T-CON-10: more scopes than remembered are asked about, with the new ones visible", async () => {
    const { server, browser, urlOf } = await approved();
    const headers = { cookie: browser.header(), "sec-fetch-site": "none" };
    const answer = await server.get(urlOf("one", { scope: "read write mcp:tools" }), headers);
    expect(await answer.text()).toContain("<code>write</code>");
  });

  test.each(["cross-site", "same-site", undefined])(
    "it is not ridden by an attacker's authorization request: Sec-Fetch-Site %s asks again",
    async (site) => {
      const { server, browser, urlOf } = await approved();
      const headers = { cookie: browser.header(), ...(site === undefined ? {} : { "sec-fetch-site": site }) };
      expect((await server.get(urlOf("one"), headers)).status).toBe(200);
    },
  );

  test("T-CON-04: an edited, a moved and an expired approval are none", async () => {
    const { world, again, browser, server, urlOf } = await approved();
    const name = "__Host-sallyport-approvals";
    const value = browser.cookies.get(name) ?? "";
    const other = new Browser();
    await server.consent(urlOf("two"), other);

    browser.cookies.set(name, value.replace(/\.\d+~/, ".9999999999~"));
    expect(await again("one")).toBe(200);
    browser.cookies.set(name, `${(other.cookies.get(name) ?? "").split("~")[0]}~${value.split("~")[1]}`);
    expect(await again("two")).toBe(200);
    browser.cookies.set(name, value);
    expect(await again("one")).toBe(302);
    world.now += 3600;
    expect(await again("one")).toBe(200);
  });

  test("T-CON-04: it is bound to the redirect URI", async () => {
    const both = { clientId: "one", redirectUris: [redirectUri, "https://b.example/cb"] };
    const { again } = await approved({ clients: [both] });
    expect(await again("one", { redirect_uri: "https://b.example/cb" })).toBe(200);
    expect(await again("one")).toBe(302);
  });

  test("T-CON-11: never for loopback redirects, for a trusted client neither", async () => {
    const local = { clientId: "one", redirectUris: [REDIRECT_URI], trusted: true };
    const { server, browser, urlOf } = await approved({ clients: [local] });
    await server.consent(urlOf("one", { redirect_uri: REDIRECT_URI }), browser);
    expect(browser.cookies.has("__Host-sallyport-approvals")).toBe(false);
    const headers = { cookie: browser.header(), "sec-fetch-site": "none" };
    expect((await server.get(urlOf("one", { redirect_uri: REDIRECT_URI }), headers)).status).toBe(200);
  });

  test("at most 25 are remembered, and the oldest is forgotten", async () => {
    const many = Array.from({ length: 26 }, (_, index) => ({ clientId: `c${index}`, redirectUris: [redirectUri] }));
    const { again, server, browser, urlOf } = await approved({ clients: [...clients, ...many] });
    for (const { clientId } of many) await server.consent(urlOf(clientId), browser);
    expect(await again("one")).toBe(200);
    expect(await again("c0")).toBe(200);
    expect(await again("c1")).toBe(302);
    expect(await again("c25")).toBe(302);
    expect(browser.header().length).toBeLessThan(4096);
  });
});
