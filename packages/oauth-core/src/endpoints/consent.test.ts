import { describe, expect, test } from "vitest";
import { answerOf, locationOf, pageOf } from "../../test/answers.ts";
import { BASE_URL, Browser, formOf, REDIRECT_URI, type Server, UPSTREAM, World } from "../../test/harness.ts";
import type { AuthorizationParams, OAuthProxy } from "../oauth-proxy.ts";
import type { OAuthProxyConfig } from "../options.ts";
import { PKCEUtils } from "../pkce-utils.ts";

const { challenge } = PKCEUtils.generatePair();

interface Shown {
  readonly world: World;
  readonly server: Server;
  readonly browser: Browser;
  readonly page: Response;
  readonly text: string;
  /** The hidden fields of the form. */
  readonly form: Record<string, string>;
  readonly post: (changes?: Readonly<Record<string, string>>, headers?: Record<string, string>) => Promise<Response>;
}

interface Setting {
  readonly world?: World;
  readonly browser?: Browser;
  readonly config?: Partial<OAuthProxyConfig>;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly parameters?: Readonly<Record<string, string | undefined>>;
}

/** A consent page that has just been opened. */
async function shown({ world = new World(), browser = new Browser(), ...setting }: Setting = {}): Promise<Shown> {
  const server = world.server(setting.config);
  const client = await server.register(setting.metadata);
  const url = server.authorizationUrl(client, challenge, setting.parameters);
  const page = await server.get(url, { cookie: browser.header() });
  browser.keep(page);
  const text = await page.text();
  const form = formOf(text);
  const post: Shown["post"] = async (changes = {}, headers = {}) => {
    const all = { cookie: browser.header(), ...headers };
    return server.post("/oauth/consent", { ...form, action: "approve", ...changes }, all);
  };
  return { world, server, browser, page, text, form, post };
}

/** The authorization request of a client that has just registered, wherever the endpoints are. */
async function requestOf(auth: OAuthProxy): Promise<AuthorizationParams> {
  const { client_id } = await auth.registerClient({ redirect_uris: [REDIRECT_URI] });
  return { client_id, response_type: "code", code_challenge: challenge, code_challenge_method: "S256" };
}

const FORBIDDEN = "403 This form can not be accepted";

describe("the page", () => {
  test("T-CON-05: it names client, host of the redirect URI, scopes in words, and says unverified", async () => {
    const { text } = await shown({
      config: {
        scopes: ["openid", "read"],
        resourceScopes: ["mcp:tools"],
        scopeDescriptions: { read: "Read your notes" },
      },
      metadata: { client_name: "Notes & Co" },
    });
    expect(text).toContain("Allow Notes &amp; Co to use mcp.example.com?");
    expect(text).toContain("unverified");
    expect(text).toContain('<span class="host">127.0.0.1:49152</span>');
    expect(text).toContain(REDIRECT_URI);
    expect(text).toContain("Know who you are");
    expect(text).toContain("Read your notes");
    expect(text).toContain("<code>mcp:tools</code>");
    expect(text).toContain("id.example.com");
    expect(text).toContain('class="warning"');
  });

  test("T-CON-05: the scopes on it are those that are really sent upstream", async () => {
    const { text, post } = await shown({
      config: { scopes: ["read", "write"] },
      parameters: { scope: "read admin" },
    });
    expect(text).toContain("<code>read</code>");
    expect(text).not.toContain("write");
    expect(text).not.toContain("admin");
    expect(locationOf(await post()).searchParams.get("scope")).toBe("read");
  });

  test("the owner of a known callback is verified, whatever the client calls itself", async () => {
    const redirectUri = "https://claude.ai/api/mcp/auth_callback";
    const { text } = await shown({
      metadata: { client_name: "Totally Claude", redirect_uris: [redirectUri] },
      parameters: { redirect_uri: redirectUri },
    });
    expect(text).toContain("<h1>Allow Claude to use");
    expect(text).toContain(">verified<");
    expect(text).toContain("It calls itself “Totally Claude”.");
    expect(text).not.toContain('class="warning"');
  });

  test("a name of a known client proves nothing on a loopback address", async () => {
    const { text } = await shown({ metadata: { client_name: "Claude" } });
    expect(text).toContain(">unverified<");
  });

  test("T-CON-07: it may not be framed, kept, sniffed or scripted, and tells the next site nothing", async () => {
    const { page } = await shown();
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("x-frame-options")).toBe("DENY");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("referrer-policy")).toBe("no-referrer");
    expect(page.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; form-action [^;]+; frame-ancestors 'none'; base-uri 'none'$/,
    );
    expect(page.headers.has("access-control-allow-origin")).toBe(false);
  });

  test.each([
    [REDIRECT_URI, "http://127.0.0.1:49152"],
    ["https://claude.ai/api/mcp/auth_callback", "https://claude.ai"],
    ["cursor://anysphere.cursor-mcp/oauth/callback", "cursor:"],
    // No host source can be an IPv6 address: browsers ignore it and drop the redirect.
    ["http://[::1]:49152/callback", "http:"],
    // A host that would end the source and begin a directive.
    ["https://a;sandbox.example.com/cb", "https:"],
    ["https://a,sandbox.example.com/cb", "https:"],
  ])(
    "form-action 'self' does not make Chrome drop the redirect after approval: for %s, %s is in it",
    async (uri, source) => {
      const { page } = await shown({
        config: { allowedRedirectUriPatterns: ["https://*.example.com/*"] },
        metadata: { redirect_uris: [uri] },
        parameters: { redirect_uri: uri },
      });
      expect(page.headers.get("content-security-policy")?.split("; ")[2]).toBe(
        `form-action 'self' ${UPSTREAM} ${source}`,
      );
    },
  );

  test.each([
    [{ basePath: "/auth" }, `${BASE_URL}/auth/consent`],
    [{ basePath: "/" }, `${BASE_URL}/consent`],
    [{ redirectPath: "/elsewhere" }, `${BASE_URL}/oauth/consent`],
    [{ baseUrl: `${BASE_URL}/tenant` }, `${BASE_URL}/tenant/oauth/consent`],
  ])("basePath, redirectPath and a mount prefix do not break the form's action: %j", async (config, action) => {
    const { auth } = new World().server(config);
    const page = await auth.authorize(await requestOf(auth));
    expect(await page.text()).toContain(`<form method="post" action="${action}">`);
  });

  test.each([
    `<script>alert(1)</script>`,
    `"><img src=x onerror=alert(1)>`,
    `</title></style><svg onload=alert(1)>`,
    `' autofocus onfocus='alert(1)`,
    `{{constructor.constructor("alert(1)")()}}<!--`,
    `\u202eexe.dnuos\u202c\u200b\u2066`,
  ])("T-CON-12: the client_name %j is text", async (name) => {
    const { text } = await shown({
      metadata: { client_name: name, logo_uri: "javascript:alert(1)", client_uri: name },
    });
    expect(elementsOf(text)).toEqual(elementsOf((await shown({ metadata: { client_name: "Notes" } })).text));
    expect(text).not.toMatch(/[\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
    expect(text).not.toContain("javascript:");
  });

  test("T-CON-12: a redirect URI and a state with markup are text, and a long URI stays whole", async () => {
    const uri = `http://127.0.0.1/it's/(alert)?a=1&b=${"long".repeat(200)}`;
    const { text } = await shown({
      metadata: { redirect_uris: [uri] },
      parameters: { redirect_uri: uri, state: `"><script>alert(1)</script>` },
    });
    expect(text).not.toContain("<script");
    expect(text).toContain(uri.replaceAll("&", "&amp;").replaceAll("'", "&#39;"));
  });
});

/** The markup of a page without its text and attribute values. */
function elementsOf(page: string): string[] {
  return [...page.matchAll(/<\/?[a-z][^>]*?>/gi)].map(([tag]) => tag.replace(/="[^"]*"/g, ""));
}

describe("the answer", () => {
  test("RFC 9700 §4.12: the browser is sent on with 303, which is not kept and posts nothing again", async () => {
    const answer = await (await shown()).post();
    expect(answer.status).toBe(303);
    expect(locationOf(answer).origin).toBe(UPSTREAM);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("T-ST-02: the cookie of the callback comes with the redirect upstream, and not before", async () => {
    const { page, post } = await shown();
    expect(page.headers.getSetCookie().join()).not.toContain("approved");
    const [cookie, ...more] = (await post()).headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-sallyport-approved-/);
    expect(more).toEqual([]);
  });

  test("T-CON-08: cookies are __Host-, Secure, HttpOnly, SameSite=Lax, signed and gone with the sign-in", async () => {
    const { page, post } = await shown();
    for (const line of [...page.headers.getSetCookie(), ...(await post()).headers.getSetCookie()]) {
      expect(line).toMatch(
        /^__Host-sallyport-[a-z]+-[A-Za-z0-9_-]{16}=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600; Secure$/,
      );
    }
  });

  test("T-CON-08: on plain http, which only loopback can have, they have another name and are not Secure", async () => {
    const { auth } = new World().server({ baseUrl: "http://localhost:3000" });
    const page = await auth.authorize(await requestOf(auth));
    expect(page.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^sallyport-page-[^;]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/),
    ]);
  });

  test("T-CON-06: a form without a CSRF token, with another page's, or for another page is refused, and nothing is stored", async () => {
    const { world, form, post, browser } = await shown();
    const other = await shown({ world, browser });
    const before = world.storage.calls.length;
    const refused = [
      await post({ csrf_token: "" }),
      await post({ csrf_token: other.form.csrf_token ?? "" }),
      await other.post({ csrf_token: form.csrf_token ?? "" }),
      await post({ transaction: other.form.transaction ?? "" }),
      await post({ transaction: "" }),
      await post({ csrf_token: "x".repeat(24) }),
    ];
    for (const answer of refused) {
      expect([answer.headers.get("location"), answer.headers.getSetCookie()]).toEqual([null, []]);
      expect(await pageOf(answer)).toBe(FORBIDDEN);
    }
    expect(world.storage.calls).toHaveLength(before);
  });

  test("consent is bound to the browser: what an attacker opened can not be posted on the victim's behalf", async () => {
    const { post } = await shown();
    expect(await pageOf(await post({}, { cookie: "" }))).toBe(FORBIDDEN);
    expect(await pageOf(await post({}, { cookie: new Browser().header() }))).toBe(FORBIDDEN);
    const victim = await shown();
    expect(await pageOf(await post({}, { cookie: victim.browser.header() }))).toBe(FORBIDDEN);
  });

  test.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "none" },
    { origin: "https://evil.example" },
    { origin: "https://evil.mcp.example.com" },
    { origin: "http://mcp.example.com" },
  ])("T-CON-06: a post from another site is refused: %j", async (headers) => {
    expect(await pageOf(await (await shown()).post({}, headers))).toBe(FORBIDDEN);
  });

  test.each([
    { "sec-fetch-site": "same-origin", origin: BASE_URL },
    { "sec-fetch-site": "same-origin", origin: "null" },
  ])("a post from our own page is taken: %j", async (headers) => {
    expect((await (await shown()).post({}, headers)).status).toBe(303);
  });

  test("T-CON-13: what is posted beside the answer changes nothing of what was shown", async () => {
    const { server, browser, post } = await shown({
      config: { scopes: ["read", "write"] },
      parameters: { scope: "read" },
    });
    const answer = await post({
      redirect_uri: "https://evil.example/cb",
      scope: "read write",
      resource: "https://evil.example/mcp",
      code_challenge: "x".repeat(43),
      client_id: "other",
      state: "other",
    });
    browser.keep(answer);
    expect(locationOf(answer).searchParams.get("scope")).toBe("read");
    const back = await server.callback(locationOf(answer).href, browser);
    expect(locationOf(back).href.split("?")[0]).toBe(REDIRECT_URI);
    expect(answerOf(back)).toMatchObject({ state: "client-state" });
  });

  test("T-CON-09: deny goes back to the client with access_denied, state and iss; the upstream hears nothing and nothing is remembered", async () => {
    const { world, browser, post } = await shown({ config: { rememberConsent: 3600 } });
    const answer = await post({ action: "deny" });
    browser.keep(answer);
    expect(answer.status).toBe(303);
    expect(answerOf(answer)).toEqual({
      error: "access_denied",
      error_description: "The request was denied.",
      state: "client-state",
      iss: BASE_URL,
    });
    expect(world.upstreamRequests).toEqual([]);
    expect(browser.cookies.size).toBe(0);
    expect(world.eventsOf("consent.denied")).toHaveLength(1);
  });

  test("a denial that is posted twice leads to the same place, and is one denial", async () => {
    const { world, post } = await shown();
    const [first, second] = await Promise.all([post({ action: "deny" }), post({ action: "deny" })]);
    expect(locationOf(second).href).toBe(locationOf(first).href);
    expect(world.eventsOf("consent.denied")).toHaveLength(1);
  });

  test("what was denied can not be approved any more", async () => {
    const { browser, post, server } = await shown();
    const cookie = browser.header();
    await post({ action: "deny" });
    const late = await post({}, { cookie });
    browser.keep(late);
    expect(await pageOf(await server.callback(locationOf(late).href, browser))).toBe("400 This sign-in is finished");
  });

  test.each(["", "maybe", "APPROVE"])("an answer that is neither yes nor no is none: %j", async (action) => {
    const answer = await (await shown()).post({ action });
    expect([answer.status, answer.headers.get("location")]).toEqual([400, null]);
  });

  test("a page that is posted twice by browser or extension does not kill the flow: both posts lead to the same place", async () => {
    const { server, browser, post } = await shown();
    const [first, second] = await Promise.all([post(), post()]);
    expect(locationOf(first).href).toBe(locationOf(second).href);
    browser.keep(second);
    expect(answerOf(await server.callback(locationOf(first).href, browser))).toHaveProperty("code");
  });

  test("a page that is fetched twice does not kill the flow: either rendering can be answered", async () => {
    const world = new World();
    const browser = new Browser();
    const [one, two] = [await shown({ world, browser }), await shown({ world, browser })];
    expect((await two.post()).status).toBe(303);
    expect((await one.post()).status).toBe(303);
  });

  test("a page that stays open too long is told so", async () => {
    const { world, post } = await shown();
    world.now += 700;
    expect(await pageOf(await post())).toBe("400 This sign-in has expired");
  });

  test("twenty-one open pages do not make the Cookie header grow without end", async () => {
    const world = new World();
    const browser = new Browser();
    for (let page = 0; page < 30; page++) await shown({ world, browser });
    expect(browser.cookies.size).toBeLessThanOrEqual(20);
    expect((await (await shown({ world, browser })).post()).status).toBe(303);
  });
});

test("T-SC-07: what was asked and what was granted are told under one id, so that a step-up can be followed", async () => {
  const world = new World();
  const server = world.server({ scopes: ["read", "write"], resourceScopes: ["mcp:tools"] });
  const client = await server.register();
  await server.signIn({ client, parameters: { scope: "read mcp:tools" } });
  world.answer = () => world.tokens({ scope: "read" });
  await server.signIn({ client, parameters: { scope: "read write mcp:tools" } });

  const [, asked] = world.eventsOf("consent.shown");
  const [, granted] = world.eventsOf("code.redeemed");
  expect(asked?.scopes).toEqual(["read", "write", "mcp:tools"]);
  expect(granted?.scopes).toEqual(["read", "mcp:tools"]);
  expect(asked?.traceId).toBe(granted?.traceId);
  expect(asked?.traceId).not.toBe(world.eventsOf("consent.shown")[0]?.traceId);
});
