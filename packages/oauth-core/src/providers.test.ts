import { describe, expect, test } from "vitest";
import { answerOf, locationOf, pageOf, refusalOf } from "../test/answers.ts";
import {
  BASE_URL,
  Browser,
  formOf,
  idToken,
  jsonOf,
  providerAt,
  RESOURCE,
  type RegisteredClient,
  type Server,
  type UpstreamRequest,
  World,
} from "../test/harness.ts";
import type { OAuthProxyConfig } from "./options.ts";
import { PKCEUtils } from "./pkce-utils.ts";
import type { UpstreamDescriptor } from "./upstream.ts";

const { challenge } = PKCEUtils.generatePair();
/** A client that is no program on the person's computer, so that its approvals may be remembered. */
const HOSTED = "https://claude.ai/api/mcp/auth_callback";

/** A server with two providers at which everybody is called `alice`. */
function two(config: Partial<OAuthProxyConfig> = {}, change: Partial<UpstreamDescriptor> = {}) {
  const world = new World();
  world.answer = (request) => answered(world, request);
  const server = world.server({ providers: [providerAt("one"), providerAt("two", change)], ...config });
  return { world, server };
}

/** Tokens for alice, as the provider whose endpoint was asked would give them. */
function answered(world: World, { url }: UpstreamRequest, claims: object = {}) {
  const host = new URL(url).origin;
  if (!url.endsWith("/token")) return { body: {} };
  return world.tokens({
    id_token: idToken({
      iss: host,
      aud: `our-app-at-${new URL(url).hostname.split(".")[0]}`,
      sub: "alice",
      email: "alice@example.com",
      email_verified: true,
      exp: world.now + 300,
      ...claims,
    }),
  });
}

/** A page for a new client. */
async function opened(server: Server, browser = new Browser(), client?: RegisteredClient) {
  const url = server.authorizationUrl(client ?? (await server.register()), challenge);
  const page = await server.get(url, { cookie: browser.header(), "sec-fetch-site": "none" });
  browser.keep(page);
  return { browser, page, text: await page.text() };
}

/** Presses a button of a page. */
async function press(server: Server, browser: Browser, text: string, fields: Readonly<Record<string, string>>) {
  const answer = await server.post("/oauth/consent", { ...formOf(text), ...fields }, { cookie: browser.header() });
  browser.keep(answer);
  return answer;
}

async function subjectOf(server: Server, accessToken: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}` };
  const access = await server.auth.protect(new Request(RESOURCE, { headers }));
  return access instanceof Response ? access.status : access.subject;
}

describe("the page", () => {
  test("has one button for each provider, in their order, after the one that refuses", async () => {
    const { text } = await opened(two().server);
    const buttons = [...text.matchAll(/<button [^>]*name="(\w+)" value="(\w+)"[^>]*>([^<]*)</g)];
    expect(buttons.map(([, name, value, words]) => [name, value, words])).toEqual([
      ["action", "deny", "Cancel"],
      ["provider", "one", "Continue with ONE"],
      ["provider", "two", "Continue with TWO"],
    ]);
    expect(text).toContain("Allow Test client to use");
  });

  test("says which scope is asked of which provider only", async () => {
    const { text } = await opened(two({}, { scopes: ["profile", "repo"] }).server);
    expect(text).toContain('(email)</span> <span class="soft">with ONE</span>');
    expect(text).toContain('<code>repo</code> <span class="soft">with TWO</span>');
    expect(text).toContain("(profile)</span></li>");
  });

  test("may lead to each provider, and with one that has to be discovered to any https server", async () => {
    const { page } = await opened(two().server);
    expect(page.headers.get("content-security-policy")).toContain(
      "form-action 'self' https://one.example https://two.example http://127.0.0.1:49152",
    );
    const undiscovered = two({}, { endpoints: {}, discovery: { issuer: "https://two.example" } }).server;
    const { page: other } = await opened(undiscovered);
    expect(other.headers.get("content-security-policy")).toContain(
      "form-action 'self' https://one.example https: http://",
    );
  });

  test("costs nothing upstream", async () => {
    const { world, server } = two({}, { endpoints: {}, discovery: { issuer: "https://two.example" } });
    await opened(server);
    expect(world.upstreamRequests).toEqual([]);
  });

  test.each([
    ["no provider", { action: "approve" }],
    ["a provider that there is not", { provider: "three" }],
    ["a provider by a name that every object has", { provider: "constructor" }],
    ["the provider of a server with only one", { provider: "upstream" }],
    ["nothing at all", {}],
    ["something else", { action: "maybe", provider: "one" }],
  ])("takes %s for no answer, and another one after it", async (_, fields) => {
    const { server } = two();
    const { browser, text } = await opened(server);
    expect(await pageOf(await press(server, browser, text, fields))).toBe("400 This sign-in can not begin");
    expect((await press(server, browser, text, { provider: "two" })).status).toBe(303);
  });

  test("takes a yes and the provider as well, and a no whatever is chosen", async () => {
    const { server } = two();
    const { browser, text } = await opened(server);
    const yes = await press(server, browser, text, { action: "approve", provider: "two" });
    expect(locationOf(yes).origin).toBe("https://two.example");
    const no = await press(server, browser, text, { action: "deny", provider: "two" });
    expect(answerOf(no)).toMatchObject({ error: "access_denied" });
  });
});

describe("where nobody has to be asked for consent", () => {
  test("the page is a choice and no more", async () => {
    const { world, server } = two({ consentRequired: false });
    const { browser, text } = await opened(server);
    expect(text).toContain("<h1>Sign in to mcp.example.com</h1>");
    expect(text).not.toContain("Test client");
    const chosen = await press(server, browser, text, { provider: "two" });
    expect(locationOf(chosen).origin).toBe("https://two.example");
    expect(world.eventsOf("sign_in.offered")).toMatchObject([{ providers: ["one", "two"] }]);
    expect(world.eventsOf("consent.shown")).toEqual([]);
    expect(world.eventsOf("consent.granted")).toEqual([]);
  });

  test("so it is for a client that the operator vouches for", async () => {
    const { server } = two({
      clients: [{ clientId: "ours", clientName: "Ours", trusted: true, redirectUris: [HOSTED] }],
    });
    const url = server.authorizationUrl({ clientId: "ours" }, challenge, { redirect_uri: HOSTED });
    expect(await pageOf(await server.get(url))).toBe("200 Sign in to mcp.example.com");
  });

  test("a single provider needs no page", async () => {
    const { server } = two({ consentRequired: false, providers: [providerAt("one")] });
    const answer = await server.get(server.authorizationUrl(await server.register(), challenge));
    expect(locationOf(answer).origin).toBe("https://one.example");
  });
});

describe("an approval that is remembered", () => {
  const REMEMBERED = { rememberConsent: 3600 };
  async function asked(server: Server, client: RegisteredClient, browser: Browser, from = "none") {
    const url = server.authorizationUrl(client, challenge, { redirect_uri: HOSTED });
    return server.get(url, { cookie: browser.header(), "sec-fetch-site": from });
  }
  async function arranged(config: Partial<OAuthProxyConfig> = {}) {
    const { world, server } = two({ ...REMEMBERED, ...config });
    const client = await server.register({ redirect_uris: [HOSTED] });
    const browser = new Browser();
    const choose = async (provider: string) => {
      const url = server.authorizationUrl(client, challenge, { redirect_uri: HOSTED });
      const page = await server.get(url, { cookie: browser.header() });
      browser.keep(page);
      return press(server, browser, await page.text(), { provider });
    };
    return { world, server, client, browser, choose };
  }

  test.each([true, false])(
    "leads straight to the provider that was chosen; consentRequired: %s",
    async (consentRequired) => {
      const { server, client, browser, choose } = await arranged({ consentRequired });
      await choose("two");
      expect(locationOf(await asked(server, client, browser)).origin).toBe("https://two.example");
      await choose("one");
      expect(locationOf(await asked(server, client, browser)).origin).toBe("https://one.example");
    },
  );

  test("is believed of the person's own visit only", async () => {
    const { server, client, browser, choose } = await arranged();
    await choose("two");
    expect((await asked(server, client, browser, "cross-site")).status).toBe(200);
    expect((await asked(server, client, new Browser())).status).toBe(200);
  });

  test("is no consent where only a choice was made", async () => {
    const { world, client, browser, choose } = await arranged({ consentRequired: false });
    await choose("two");
    const strict = world.server({ ...REMEMBERED, providers: [providerAt("one"), providerAt("two")] });
    expect(await pageOf(await asked(strict, client, browser))).toBe("200 Allow Claude to use mcp.example.com?");
  });

  test("ends with its provider", async () => {
    const { world, client, browser, choose } = await arranged();
    await choose("two");
    const without = world.server({ ...REMEMBERED, providers: [providerAt("one"), providerAt("three")] });
    expect((await asked(without, client, browser)).status).toBe(200);
  });
});

describe("each provider is a client of its own", () => {
  test("RFC 9700 §4.4.2: with a redirect URI, a client id, scopes and a state of its own", async () => {
    const { server } = two({}, { scopes: ["repo"] });
    const { browser, text } = await opened(server);
    const [one, other] = [
      locationOf(await press(server, browser, text, { provider: "one" })).searchParams,
      locationOf(await press(server, browser, text, { provider: "two" })).searchParams,
    ];
    expect(one.get("redirect_uri")).toBe(`${BASE_URL}/oauth/callback/one`);
    expect(other.get("redirect_uri")).toBe(`${BASE_URL}/oauth/callback/two`);
    expect([one.get("client_id"), other.get("client_id")]).toEqual(["our-app-at-one", "our-app-at-two"]);
    expect([one.get("scope"), other.get("scope")]).toEqual(["profile email", "repo"]);
    expect(one.get("state")).not.toBe(other.get("state"));
  });

  test("the code is redeemed where it came from, and the person is named after it", async () => {
    for (const provider of ["one", "two"]) {
      const { world, server } = two();
      const { tokens } = await server.signIn({ provider });
      expect(world.upstreamRequests.map(({ url }) => url)).toEqual([`https://${provider}.example/token`]);
      expect(await subjectOf(server, tokens.access_token)).toBe(`${provider}|alice`);
      expect(world.eventsOf("sign_in.completed")).toMatchObject([{ provider, subject: `${provider}|alice` }]);
      expect(world.eventsOf("consent.granted")).toMatchObject([{ provider }]);
    }
  });

  test("a client that names scopes gets of each provider what it named of it, and all of one of which it named none", async () => {
    const { server } = two({}, { scopes: ["repo", "gist", "read:user"], requiredScopes: ["read:user"] });
    const scopesAt = async (provider: string, scope: string) => {
      const url = server.authorizationUrl(await server.register(), challenge, { scope });
      return locationOf(await server.consent(url, new Browser(), { provider })).searchParams.get("scope");
    };
    expect(await scopesAt("one", "gist")).toBe("profile email");
    expect(await scopesAt("two", "gist")).toBe("gist read:user");
    expect(await scopesAt("two", "profile admin")).toBe("repo gist read:user");
  });

  test("what was granted is what was asked of that one", async () => {
    const { server } = two({ resourceScopes: ["mcp:tools"] }, { scopes: ["repo"] });
    expect((await server.signIn({ provider: "one" })).tokens.scope).toBe("profile email mcp:tools");
    expect((await server.signIn({ provider: "two" })).tokens.scope).toBe("repo mcp:tools");
  });

  test("all scopes of all are announced", async () => {
    const { server } = two({ resourceScopes: ["mcp:tools"] }, { scopes: ["repo", "email"] });
    const { scopes_supported } = await jsonOf(await server.get("/.well-known/oauth-authorization-server"));
    expect(scopes_supported).toEqual(["profile", "email", "repo", "mcp:tools"]);
  });

  test("a path that is none of their callbacks is none of ours", async () => {
    const { server } = two();
    for (const path of ["", "/", "/three", "/upstream", "/one/", "/ONE"])
      expect((await server.get(`/oauth/callback${path}?code=c&state=s`)).status).toBe(404);
    expect((await server.post("/oauth/callback/one", { code: "c" })).status).toBe(405);
  });

  test("callbacks lie below redirectPath, and a single provider's is that", async () => {
    const { server } = two({ redirectPath: "/back" });
    const { browser, text } = await opened(server);
    const chosen = await press(server, browser, text, { provider: "two" });
    expect(locationOf(chosen).searchParams.get("redirect_uri")).toBe(`${BASE_URL}/back/two`);
    const single = new World().server({ provider: providerAt("one"), redirectPath: "/back" });
    const url = single.authorizationUrl(await single.register(), challenge);
    const approved = locationOf(await single.consent(url, new Browser()));
    expect(approved.searchParams.get("redirect_uri")).toBe(`${BASE_URL}/back`);
  });

  test("handleCallback finds the provider by the end of the path", async () => {
    const { world, server } = two();
    const browser = new Browser();
    const url = server.authorizationUrl(await server.register(), challenge);
    const upstream = locationOf(await server.consent(url, browser, { provider: "two" }));
    const query = new URLSearchParams({ code: "c", state: upstream.searchParams.get("state") ?? "" });
    const headers = { cookie: browser.header() };
    const at = (path: string) => server.auth.handleCallback(new Request(`${BASE_URL}${path}?${query}`, { headers }));
    expect((await at("/mounted/elsewhere")).status).toBe(404);
    expect(await pageOf(await at("/mounted/one"))).toBe("400 This answer is not from where you signed in");
    expect(world.upstreamRequests).toEqual([]);
    expect(answerOf(await at("/mounted/two"))).toHaveProperty("code");
  });
});

describe("RFC 9700 §4.4: no mix-up", () => {
  /** A person who chose `two`, of which the attacker has taken possession, and is at its authorization endpoint. */
  async function chosen(provider = "two") {
    const { world, server } = two();
    const { browser, text } = await opened(server);
    const choose = async (id: string) => locationOf(await press(server, browser, text, { provider: id }));
    const upstream = await choose(provider);
    world.storage.calls = [];
    const back = (id: string, state: string, more = "", from = browser) =>
      server.get(`/oauth/callback/${id}?code=c&state=${state}${more}`, { cookie: from.header() });
    return { world, server, browser, text, choose, back, state: upstream.searchParams.get("state") ?? "" };
  }
  const MIXED_UP = "400 This answer is not from where you signed in";

  test("the answer of one is refused at the other's callback, before storage is read or a code is sent anywhere", async () => {
    const { world, back, state } = await chosen();
    expect(await pageOf(await back("one", state))).toBe(MIXED_UP);
    expect(world.storage.calls).toEqual([]);
    expect(world.upstreamRequests).toEqual([]);
    expect(world.eventsOf("request.refused")).toMatchObject([{ endpoint: "callback", reason: "provider_mismatch" }]);
  });

  test("a refused answer burns nothing", async () => {
    const { back, state } = await chosen();
    await back("one", state);
    expect(answerOf(await back("two", state))).toHaveProperty("code");
  });

  test("so it is for a person who went back and chose the other: one that was chosen before can not answer for it", async () => {
    const { world, back, choose, state } = await chosen();
    const later = (await choose("one")).searchParams.get("state") ?? "";
    world.storage.calls = [];
    expect(await pageOf(await back("one", state))).toBe(MIXED_UP);
    expect(world.storage.calls).toEqual([]);
    // What the attacker knows of the later state are the parts that both have.
    const [shared = ""] = state.split(".");
    expect(later.startsWith(`${shared}.`)).toBe(true);
    for (const forged of [shared, `${shared}.`, `${shared}.${shared}`])
      expect(await pageOf(await back("one", forged))).toBe("400 This sign-in is not open in this browser");
    expect(answerOf(await back("one", later))).toHaveProperty("code");
  });

  test("with the cookie of one state under the name of another", async () => {
    const { browser, choose, back, state } = await chosen();
    const nameOf = () => [...browser.cookies.keys()].filter((name) => name.includes("approved"));
    const [first = ""] = nameOf();
    const later = (await choose("one")).searchParams.get("state") ?? "";
    const [second = ""] = nameOf().filter((name) => name !== first);
    browser.cookies.set(second, browser.cookies.get(first) ?? "");
    expect(await pageOf(await back("one", later))).toBe("400 This sign-in is not open in this browser");
    expect(answerOf(await back("two", state))).toHaveProperty("code");
  });

  test("an error is believed of nobody else either", async () => {
    const { back, state } = await chosen();
    expect(await pageOf(await back("one", state, "&error=access_denied"))).toBe(MIXED_UP);
  });

  test("RFC 9207 §2.4: the iss of the other is refused at the right callback", async () => {
    const { world, back, state } = await chosen();
    expect(answerOf(await back("two", state, "&iss=https%3A%2F%2Fone.example"))).toMatchObject({
      error: "server_error",
    });
    expect(world.upstreamRequests).toEqual([]);
    expect(world.eventsOf("sign_in.failed")).toMatchObject([{ reason: "upstream_issuer" }]);
  });

  test("RFC 9207 §2.4: so is an answer without iss, of a provider that always sends it", async () => {
    const { world, server } = two({}, { issuerParameter: true });
    const finish = async (parameters: Record<string, string>) => {
      const browser = new Browser();
      const url = server.authorizationUrl(await server.register(), challenge);
      const upstream = await server.consent(url, browser, { provider: "two" });
      return answerOf(await server.callback(locationOf(upstream).href, browser, parameters));
    };
    expect(await finish({ code: "c" })).toMatchObject({ error: "server_error" });
    expect(await finish({ error: "access_denied" })).toMatchObject({ error: "server_error" });
    expect(world.upstreamRequests).toEqual([]);
    expect(await finish({ code: "c", iss: "https://two.example" })).toHaveProperty("code");
    expect(await finish({ error: "access_denied", iss: "https://two.example" })).toMatchObject({
      error: "access_denied",
    });
  });

  test("of the simultaneous answers of both, for one transaction, one is taken", async () => {
    const { world, back, choose, state } = await chosen();
    const later = (await choose("one")).searchParams.get("state") ?? "";
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? back("one", later) : back("two", state))),
    );
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
    expect(world.upstreamRequests).toHaveLength(1);
  });

  test("two people with the same name at two providers are two", async () => {
    const { server } = two();
    const [one, other] = [await server.signIn({ provider: "one" }), await server.signIn({ provider: "two" })];
    expect(await subjectOf(server, one.tokens.access_token)).toBe("one|alice");
    expect(await subjectOf(server, other.tokens.access_token)).toBe("two|alice");
  });
});

describe("a grant belongs to its provider", () => {
  test("which refreshes it and ends it", async () => {
    const { world, server } = two();
    const { client, tokens } = await server.signIn({ provider: "two" });
    world.now += 3600;
    world.upstreamRequests.length = 0;
    const refreshed = await server.refresh(client, tokens.refresh_token);
    expect(refreshed.status).toBe(200);
    await server.post("/oauth/revoke", {
      token: String((await jsonOf(refreshed)).refresh_token),
      client_id: client.clientId,
    });
    const urls = world.upstreamRequests.map(({ url }) => url);
    expect(urls).toEqual(["https://two.example/token", "https://two.example/revoke", "https://two.example/revoke"]);
  });

  test("and is not given to another where it is configured no more: refused, told, and kept until it comes back", async () => {
    const { world, server } = two();
    const { client, tokens } = await server.signIn({ provider: "two" });
    const without = world.server({ providers: [providerAt("one")] });
    world.upstreamRequests.length = 0;
    expect(await refusalOf(await without.refresh(client, tokens.refresh_token))).toBe("500 server_error");
    await expect(without.auth.loadUpstreamTokens(tokens.access_token)).rejects.toMatchObject({
      reason: "provider_missing",
    });
    expect(world.eventsOf("request.refused")).toMatchObject([{ endpoint: "token", reason: "provider_missing" }]);
    expect(world.upstreamRequests).toEqual([]);
    expect((await server.refresh(client, tokens.refresh_token)).status).toBe(200);
  });

  test("and can be ended without it, which is told", async () => {
    const { world, server } = two();
    const { client, tokens } = await server.signIn({ provider: "two" });
    const without = world.server({ providers: [providerAt("one")] });
    await without.post("/oauth/revoke", { token: tokens.refresh_token, client_id: client.clientId });
    expect(await without.call(tokens.access_token)).toBe(401);
    expect(world.eventsOf("upstream.failed")).toMatchObject([
      { operation: "revoke", provider: "two", reason: "provider_missing" },
    ]);
  });

  test("a grant of the time of one upstream is that upstream's, and none of the new ones'", async () => {
    const { world, server } = two();
    const before = world.server();
    world.answer = () => world.tokens();
    const { client, tokens } = await before.signIn();
    expect(await refusalOf(await server.refresh(client, tokens.refresh_token))).toBe("500 server_error");
    expect((await before.refresh(client, tokens.refresh_token)).status).toBe(200);
  });
});

describe("a provider that describes itself", () => {
  const WELL_KNOWN = "https://two.example/.well-known/openid-configuration";
  const DOCUMENT = {
    issuer: "https://two.example",
    authorization_endpoint: "https://two.example/authorize",
    token_endpoint: "https://two.example/token",
  };

  test("and can't be reached keeps nobody from the others, and works again when it can, on the same page", async () => {
    const { world, server } = two({}, { endpoints: {}, discovery: { issuer: "https://two.example" } });
    let isUp = false;
    world.answer = (request) => {
      if (request.url !== WELL_KNOWN) return answered(world, request);
      return isUp ? { body: DOCUMENT } : { status: 503, body: "" };
    };
    const { browser, text } = await opened(server);
    const choose = (provider: string) => press(server, browser, text, { provider });
    const failed = await choose("two");
    expect(await pageOf(failed)).toBe("503 This can not be done right now");
    expect(failed.headers.getSetCookie()).toEqual([]);
    expect(world.eventsOf("upstream.failed")).toMatchObject([
      { operation: "begin", provider: "two", reason: "upstream_unavailable" },
    ]);
    expect(world.eventsOf("consent.granted")).toEqual([]);
    expect((await choose("one")).status).toBe(303);

    isUp = true;
    world.now += 5;
    const upstream = locationOf(await choose("two"));
    expect(upstream.origin).toBe("https://two.example");
    expect(answerOf(await server.callback(upstream.href, browser))).toHaveProperty("code");
    expect((await opened(server)).page.headers.get("content-security-policy")).toContain(
      "form-action 'self' https://one.example https://two.example http://",
    );
  });

  test("as somebody else is not believed", async () => {
    const { world, server } = two({}, { endpoints: {}, discovery: { issuer: "https://two.example" } });
    world.answer = () => ({ body: { ...DOCUMENT, issuer: "https://one.example" } });
    const { browser, text } = await opened(server);
    expect(await pageOf(await press(server, browser, text, { provider: "two" }))).toBe("500 Something went wrong");
    expect(world.eventsOf("upstream.failed")).toMatchObject([{ operation: "begin", reason: "upstream_metadata" }]);
  });

  test("and can't be reached any more ends no grant", async () => {
    const { world, server } = two({}, { endpoints: {}, discovery: { issuer: "https://two.example" } });
    world.answer = (request) => (request.url === WELL_KNOWN ? { body: DOCUMENT } : answered(world, request));
    const { client, tokens } = await server.signIn({ provider: "two" });
    world.answer = () => ({ status: 503, body: "" });
    world.now += 90_000;
    expect(await refusalOf(await server.refresh(client, tokens.refresh_token))).toBe("503 temporarily_unavailable");
    world.answer = (request) => (request.url === WELL_KNOWN ? { body: DOCUMENT } : answered(world, request));
    world.now += 5;
    expect((await server.refresh(client, tokens.refresh_token)).status).toBe(200);
  });
});

describe("with forwardPkce", () => {
  test("the code is redeemed where it came from, with the client's own verifier", async () => {
    const { world, server } = two({ forwardPkce: true });
    const { tokens, authorized } = await server.signIn({ provider: "two" });
    expect(world.upstreamRequests.map(({ url }) => url)).toEqual(["https://two.example/token"]);
    expect(world.upstreamRequests[0]?.form.get("code_verifier")).toBe(authorized.verifier);
    expect(await subjectOf(server, tokens.access_token)).toBe("two|alice");
  });

  test("and nowhere, where its provider has gone meanwhile", async () => {
    const { world, server } = two({ forwardPkce: true });
    const authorized = await server.authorize({ provider: "two" });
    const without = world.server({ forwardPkce: true, providers: [providerAt("one")] });
    expect(await refusalOf(await without.redeem(authorized))).toBe("500 server_error");
    expect(world.upstreamRequests).toEqual([]);
  });

  test("somebody who may not sign in gets no tokens", async () => {
    const { server, world } = two({ forwardPkce: true, allow: { emailDomains: ["other.example"] } });
    expect(await refusalOf(await server.redeem(await server.authorize({ provider: "two" })))).toBe("400 invalid_grant");
    expect(world.eventsOf("sign_in.refused")).toMatchObject([{ provider: "two", subject: "two|alice" }]);
  });
});

test("a single provider derives the keys from its own secret, and several need one", async () => {
  const world = new World();
  world.answer = (request) => answered(world, request);
  const single = { secret: undefined, provider: providerAt("one") };
  const { tokens } = await world.server(single).signIn();
  expect(await world.server(single).call(tokens.access_token)).toBe(200);
  const other = {
    secret: undefined,
    provider: providerAt("one", { clientSecret: "another-secret-of-at-least-32-bytes" }),
  };
  expect(await world.server(other).call(tokens.access_token)).toBe(401);
});

test("the steps cost as many round trips as with one upstream", async () => {
  const { world, server } = two();
  const calls = async (step: () => Promise<unknown>) => {
    world.storage.calls = [];
    await step();
    return world.storage.calls;
  };
  const client = await server.register();
  let page = await opened(server, undefined, client);
  expect(await calls(async () => (page = await opened(server, undefined, client)))).toEqual(["save transaction"]);
  let upstream = new Response();
  const choose = async () => (upstream = await press(server, page.browser, page.text, { provider: "two" }));
  expect(await calls(choose)).toEqual(["get transaction"]);
  const callback = () => server.callback(locationOf(upstream).href, page.browser);
  expect(await calls(callback)).toEqual(["get transaction", "claim finished", "save code"]);
});
