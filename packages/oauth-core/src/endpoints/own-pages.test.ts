import { describe, expect, test } from "vitest";
import { locationOf, pageOf } from "../../test/answers.ts";
import { BASE_URL, Browser, formOf, idToken, providerAt, type Server, World } from "../../test/harness.ts";
import type { Home, OwnPage, OwnPageHandler, OwnPages, PageRequest, ProviderName } from "../accounts.ts";
import { html, layout, page, redirect, STYLE_HASH } from "../accounts.ts";
import type { Identity, IdentityProvider } from "../domain/identity-provider.ts";
import type { OAuthProxyConfig } from "../options.ts";
import { PKCEUtils } from "../pkce-utils.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { ProviderContext, SignIn, UpstreamProvider } from "../upstream.ts";

/** What came back from a link. */
interface Linked {
  readonly link: string;
  readonly provider: ProviderName;
  readonly outcome: Identity | OAuthProxyError;
  readonly traceId: string;
}

/** A provider with pages of its own, at which whoever comes by is Alice. */
class Desk implements UpstreamProvider {
  readonly id = "desk";
  readonly name = "the desk";
  readonly scopes = [];
  readonly plainSubjects = true;
  home: Home | undefined;
  context: ProviderContext | undefined;
  readonly begun: SignIn[] = [];
  readonly visits: PageRequest[] = [];
  readonly linked: Linked[] = [];
  /** What the page at `/front` answers. */
  front: OwnPageHandler = async () => this.hello();
  /** What the way back from a link answers. */
  back: () => Promise<ReturnType<typeof page>> = async () => this.hello();
  readonly more: readonly OwnPage[];

  constructor(more: readonly OwnPage[] = []) {
    this.more = more;
  }

  hello() {
    return page(200, layout("Hello", html`<h1>Hello</h1>`), STYLE_HASH, ["'self'"]);
  }

  create(context: ProviderContext): IdentityProvider & { open(home: Home): OwnPages } {
    this.context = context;
    const person: Identity = { subject: "alice", claims: {}, own: { id: "alice", epoch: 0 } };
    return {
      begin: (signIn) => {
        this.begun.push(signIn);
        return `${this.home?.url}/front?${new URLSearchParams({ state: signIn.state })}`;
      },
      checkIssuer: () => undefined,
      complete: async () => person,
      refresh: () => Promise.reject(new OAuthProxyError("upstream_invalid_grant")),
      revoke: async () => undefined,
      accounts: { linkedWith: async () => undefined, standing: async () => person },
      open: (home) => {
        this.home = home;
        return {
          pages: [
            {
              path: "/front",
              GET: (visit) => {
                this.visits.push(visit);
                return this.front(visit);
              },
              POST: async ({ request }) => {
                home.refuseOtherSites(request);
                return redirect(303, `${home.url}/front`);
              },
            },
            ...this.more,
          ],
          linked: (visit, link, provider, outcome) => {
            this.linked.push({ link, provider, outcome, traceId: visit.traceId });
            return this.back();
          },
        };
      },
    };
  }
}

function arranged(config: Partial<OAuthProxyConfig> = {}, desk = new Desk()) {
  const world = new World();
  world.answer = ({ url }) =>
    world.tokens({
      id_token: idToken({
        iss: new URL(url).origin,
        aud: "our-app-at-acme",
        sub: "1234",
        email: "alice@acme.example",
        exp: world.now + 300,
      }),
    });
  const server = world.server({ providers: [desk, providerAt("acme")], ...config });
  const { home } = desk;
  if (home === undefined) throw new Error("the pages were not opened");
  return { world, server, desk, home };
}

/** Sets out to link, from a page of the desk's. */
async function setOut(
  { desk, home, server }: ReturnType<typeof arranged>,
  browser = new Browser(),
  link = "who set out",
) {
  desk.front = (visit) => home.beginLink(visit, "acme", link);
  const answer = await server.get("/oauth/front", { cookie: browser.header() });
  browser.keep(answer);
  return { answer, browser, there: locationOf(answer) };
}

const come = (server: Server, there: URL, browser: Browser, parameters?: Readonly<Record<string, string>>) =>
  server.callback(there.href, browser, parameters);

describe("pages of a provider's own", () => {
  test("are where they are told that they are, and told once", () => {
    const { home, desk } = arranged();
    expect(home).toMatchObject({
      path: "/oauth",
      url: `${BASE_URL}/oauth`,
      origin: BASE_URL,
      secure: true,
      others: [{ id: "acme", name: "ACME" }],
      otherTargets: ["https://acme.example"],
    });
    expect(desk.context?.redirectUri).toBe(`${BASE_URL}/oauth/callback/desk`);
    expect(JSON.stringify(home)).not.toContain("upstream-client-secret");
  });

  test("below another base path, over http on loopback", () => {
    const { home } = arranged({ baseUrl: "http://127.0.0.1:3000", basePath: "/auth" });
    expect(home).toMatchObject({ path: "/auth", url: "http://127.0.0.1:3000/auth", secure: false });
  });

  test("answer their methods and no others, and no other site's scripts", async () => {
    const { server, desk } = arranged();
    const answer = await server.get("/oauth/front", { origin: "https://evil.example" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    expect(answer.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const put = await server.auth.fetch(new Request(`${BASE_URL}/oauth/front`, { method: "PUT" }));
    expect(put.status).toBe(405);
    expect(put.headers.get("allow")).toContain("GET");
    const head = await server.auth.fetch(new Request(`${BASE_URL}/oauth/front`, { method: "HEAD" }));
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect((await server.get("/oauth/front/")).status).toBe(404);
    expect(desk.visits.length).toBeGreaterThan(0);
  });

  test("are told where a visitor comes from by the adapter alone", async () => {
    const { server, desk } = arranged();
    const request = () => new Request(`${BASE_URL}/oauth/front`, { headers: { "x-forwarded-for": "203.0.113.1" } });
    await server.auth.handle(request(), { clientAddress: "192.0.2.1" });
    await server.auth.handle(request());
    expect(desk.visits.map(({ clientAddress }) => clientAddress)).toEqual(["192.0.2.1", undefined]);
  });

  test("are told what events call them", async () => {
    const { server, desk } = arranged();
    await server.get("/oauth/front");
    expect(desk.visits.map(({ endpoint }) => endpoint)).toEqual(["front"]);
  });

  test("that throw become a page that says so, and an event under the same trace", async () => {
    const { server, desk, world } = arranged();
    desk.front = () => Promise.reject(new OAuthProxyError("storage_unavailable"));
    const later = await server.get("/oauth/front");
    expect(await pageOf(later)).toBe("503 This can not be done right now");
    desk.front = () => Promise.reject(new Error("a secret detail"));
    const broken = await server.get("/oauth/front");
    const text = await broken.text();
    expect(broken.status).toBe(500);
    expect(text).not.toContain("a secret detail");
    const traces = desk.visits.map(({ traceId }) => traceId);
    expect(new Set(traces).size).toBe(2);
    expect(text).toContain(traces[1]);
    expect(world.events).toMatchObject([
      { type: "request.refused", endpoint: "front", reason: "storage_unavailable", traceId: traces[0] },
      { type: "error", endpoint: "front", traceId: traces[1] },
    ]);
  });

  test.each(["/token", "/authorize", "/consent", "/revoke", "/register", "/callback/acme", "/callback/desk"])(
    "can't be put in the place of %s",
    (path) => {
      const taken = new Desk([{ path, GET: async () => redirect(302, "https://evil.example/") }]);
      expect(() => arranged({}, taken)).toThrow(expect.objectContaining({ name: "ConfigurationError" }));
    },
  );

  test("only one provider may have accounts, and nobody may pass on tokens that they do not have", () => {
    const world = new World();
    const second: UpstreamProvider = Object.assign(new Desk(), { id: "other" });
    expect(() => world.server({ providers: [new Desk(), second] })).toThrow("only one may have accounts of our own");
    expect(() => world.server({ provider: new Desk(), enableTokenSwap: false })).toThrow("enableTokenSwap");
  });
});

describe("RFC 6749 §10.12: a form of theirs", () => {
  test.each([
    ["no word of where it comes from", {}, 303],
    ["a page of ours", { "sec-fetch-site": "same-origin", origin: BASE_URL }, 303],
    ["a page of ours that asks for no referrer", { "sec-fetch-site": "same-origin", origin: "null" }, 303],
    ["another site", { "sec-fetch-site": "cross-site" }, 403],
    ["a sibling domain", { "sec-fetch-site": "same-site" }, 403],
    ["the address bar", { "sec-fetch-site": "none" }, 403],
    ["another origin", { origin: "https://evil.example" }, 403],
    ["our host without TLS", { origin: BASE_URL.replace("https", "http") }, 403],
  ])("from %s", async (_, headers, status) => {
    const { server } = arranged();
    expect((await server.post("/oauth/front", {}, headers)).status).toBe(status);
  });
});

describe("the sign-in that a page of theirs is opened for", () => {
  test("is told apart by the browser that approved it, and the page knows where its form leads in the end", async () => {
    const { server, desk, home } = arranged();
    const browser = new Browser();
    const url = server.authorizationUrl(await server.register(), PKCEUtils.generatePair().challenge);
    const there = locationOf(await server.consent(url, browser, { provider: "desk" }));
    expect(there.href).toContain(`${BASE_URL}/oauth/front?state=`);
    const [signIn] = desk.begun;
    const state = signIn?.state ?? "";
    expect(signIn?.formTarget).toBe("http://127.0.0.1:49152");
    const from = (cookie: string) => new Request(`${BASE_URL}/oauth/front`, { headers: { cookie } });
    expect(home.isBegunHere(from(browser.header()), state)).toBe(true);
    expect(home.isBegunHere(from(""), state)).toBe(false);
    expect(home.isBegunHere(from(browser.header()), `${state}x`)).toBe(false);
    expect(home.isBegunHere(from(browser.header()), state.split(".")[0] ?? "")).toBe(false);
    const before = await server.get(url, { "sec-fetch-site": "none" });
    // Whoever has only seen the page has approved nothing.
    const seen = new Browser();
    seen.keep(before);
    expect(formOf(await before.text()).transaction).toBeTruthy();
    expect(home.isBegunHere(from(seen.header()), state)).toBe(false);
  });
});

describe("the way to another provider and back", () => {
  test("begins with 303 and a cookie of this browser, and asks for the person and nothing more", async () => {
    const desk = new Desk();
    const scopes = ["openid", "profile", "email", "offline_access", "files:read"];
    const { answer, there, browser } = await setOut(
      arranged({ providers: [desk, providerAt("acme", { scopes })] }, desk),
    );
    expect(answer.status).toBe(303);
    expect(there.origin).toBe("https://acme.example");
    expect(there.searchParams.get("scope")).toBe("openid profile email");
    expect(there.searchParams.get("redirect_uri")).toBe(`${BASE_URL}/oauth/callback/acme`);
    expect([...browser.cookies.keys()].filter((name) => name.includes("approved"))).toHaveLength(1);
    expect(there.href).not.toContain("who");
  });

  test("asks a provider that has other words for it for those without which nobody is known", async () => {
    const desk = new Desk();
    const acme = { ...providerAt("acme", { scopes: ["user:read", "repo"] }), requiredScopes: ["user:read"] };
    const { there } = await setOut(arranged({ providers: [desk, acme] }, desk));
    expect(there.searchParams.get("scope")).toBe("user:read");
  });

  test("ends at the pages, with who set out, who they are there, and the trace that it began with", async () => {
    const all = arranged();
    const { there, browser } = await setOut(all);
    const answer = await come(all.server, there, browser);
    expect(await pageOf(answer)).toBe("200 Hello");
    expect(all.desk.linked).toMatchObject([
      { link: "who set out", provider: { id: "acme" }, outcome: { subject: "1234", email: "alice@acme.example" } },
    ]);
    expect(all.desk.linked[0]?.traceId).toBe(all.desk.visits[0]?.traceId);
    // The binding to this browser is used up, and nothing of it was a sign-in.
    expect([...browser.cookies.keys()].filter((name) => name.includes("approved"))).toEqual([]);
    expect(all.world.events).toEqual([]);
  });

  test("CVE-2026-27124: does not end in another browser, and the code there is not spent", async () => {
    const all = arranged();
    const { there, browser } = await setOut(all);
    for (const other of [new Browser(), (await setOut(all)).browser])
      expect(await pageOf(await come(all.server, there, other))).toBe("400 This sign-in is not open in this browser");
    expect(all.world.upstreamRequests).toEqual([]);
    expect(all.desk.linked).toEqual([]);
    expect((await come(all.server, there, browser)).status).toBe(200);
  });

  test("RFC 9700 §4.4: does not end at another provider's callback", async () => {
    const all = arranged();
    const { there, browser } = await setOut(all);
    const state = there.searchParams.get("state") ?? "";
    for (const [path, states] of [
      ["/oauth/callback/desk", [state, state.split(".")[0] ?? ""]],
      ["/oauth/callback", [state]],
    ] as const)
      for (const each of states) {
        const query = new URLSearchParams({ code: "upstream-code", state: each });
        const answer = await all.server.get(`${path}?${query}`, { cookie: browser.header() });
        expect(answer.status).toBeGreaterThanOrEqual(400);
      }
    expect(all.desk.linked).toEqual([]);
    expect((await come(all.server, there, browser)).status).toBe(200);
  });

  test("ends once: of 16 at once one, and none after that, or when it took too long", async () => {
    const all = arranged();
    const { there, browser } = await setOut(all);
    const before = Object.assign(new Browser(), { cookies: new Map(browser.cookies) });
    await Promise.all(Array.from({ length: 16 }, () => come(all.server, there, before)));
    expect(all.desk.linked).toHaveLength(1);
    expect(await pageOf(await come(all.server, there, browser))).toBe("400 This sign-in is finished");
    const late = await setOut(all);
    all.world.now += 661;
    expect(await pageOf(await come(all.server, late.there, late.browser))).toBe("400 This sign-in has expired");
    expect(all.desk.linked).toHaveLength(1);
    expect(all.world.upstreamRequests).toHaveLength(1);
  });

  test.each([
    ["the person refuses", { error: "access_denied" }, "sign_in_refused"],
    ["the answer is another issuer's", { code: "c", iss: "https://evil.example" }, "upstream_issuer"],
    ["there is no code", { nothing: "" }, "upstream_response_malformed"],
  ])("where %s, the pages hear of it, and so does the operator", async (_, parameters, reason) => {
    const all = arranged();
    const { there, browser } = await setOut(all);
    expect((await come(all.server, there, browser, parameters)).status).toBe(200);
    expect(all.desk.linked).toMatchObject([{ outcome: { name: "OAuthProxyError", reason } }]);
    expect(all.world.eventsOf("sign_in.failed")).toMatchObject([{ reason, clientId: undefined }]);
  });

  test("where allow does not let them in, they are not linked either", async () => {
    const all = arranged({ allow: ({ provider }) => provider !== "acme" });
    const { there, browser } = await setOut(all);
    await come(all.server, there, browser);
    expect(all.desk.linked).toMatchObject([{ outcome: { reason: "sign_in_not_allowed" } }]);
  });

  test("pages that fail at it are asked once, and the person is told", async () => {
    const all = arranged();
    const { there, browser } = await setOut(all);
    all.desk.back = () => Promise.reject(new OAuthProxyError("storage_unavailable"));
    expect(await pageOf(await come(all.server, there, browser))).toBe("503 This can not be done right now");
    expect(all.desk.linked).toHaveLength(1);
    expect(all.world.eventsOf("sign_in.failed")).toEqual([]);
    expect(all.world.eventsOf("request.refused")).toMatchObject([{ reason: "storage_unavailable" }]);
  });

  test.each([undefined, "", "desk", "nobody", "__proto__", "ACME"])("does not begin for %j", async (provider) => {
    const { server, desk, home, world } = arranged();
    desk.front = (visit) => home.beginLink(visit, provider, "x");
    expect((await server.get("/oauth/front")).status).toBe(400);
    expect(world.storage.calls).toEqual([]);
  });

  test("where the provider can't be reached, nobody is sent anywhere", async () => {
    const desk = new Desk();
    const acme = providerAt("acme", { endpoints: {}, discovery: { issuer: "https://acme.example" } });
    const { server, home, world } = arranged({ providers: [desk, acme] }, desk);
    world.answer = () => ({ status: 503, body: "" });
    desk.front = (visit) => home.beginLink(visit, "acme", "x");
    expect((await server.get("/oauth/front")).status).toBe(503);
    expect(world.eventsOf("upstream.failed")).toMatchObject([{ operation: "begin", provider: "acme" }]);
  });
});
