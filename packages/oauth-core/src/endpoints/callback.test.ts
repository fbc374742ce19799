import { describe, expect, test } from "vitest";
import { answerOf, locationOf, pageOf } from "../../test/answers.ts";
import { BASE_URL, Browser, idToken, REDIRECT_URI, type Server, UPSTREAM, World } from "../../test/harness.ts";
import type { OAuthProxyConfig } from "../options.ts";
import { PKCEUtils } from "../pkce-utils.ts";

interface Approved {
  readonly world: World;
  readonly server: Server;
  readonly browser: Browser;
  /** Where the approval sent the browser. */
  readonly upstream: URL;
  readonly back: (parameters?: Readonly<Record<string, string>>, browser?: Browser) => Promise<Response>;
}

/** A browser whose person has approved and is at the upstream. */
async function approved(config: Partial<OAuthProxyConfig> = {}, world = new World()): Promise<Approved> {
  const server = world.server(config);
  const browser = new Browser();
  const url = server.authorizationUrl(await server.register(), PKCEUtils.generatePair().challenge);
  const upstream = locationOf(await server.consent(url, browser));
  return {
    world,
    server,
    browser,
    upstream,
    back: (parameters = { code: "upstream-code" }, from = browser) => server.callback(upstream.href, from, parameters),
  };
}

const OTHER_BROWSER = "400 This sign-in is not open in this browser";

test("RFC 6749 §4.1.2, RFC 9207 §2: the browser goes back with code, state and iss, each once", async () => {
  const { back, browser } = await approved();
  const answer = await back();
  expect(answer.status).toBe(302);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  expect([...locationOf(answer).searchParams].map(([name]) => name)).toEqual(["code", "state", "iss"]);
  expect(answerOf(answer)).toEqual({
    code: expect.stringMatching(/^sp_ac_[A-Za-z0-9_-]{43}$/),
    state: "client-state",
    iss: BASE_URL,
  });
  expect([...browser.cookies.keys()].filter((name) => name.includes("approved"))).toEqual([]);
});

test("T-ST-08: the upstream's code is redeemed with our own verifier, which is of no other message", async () => {
  const { back, upstream, world } = await approved();
  const answer = await back();
  const [request] = world.upstreamRequests;
  const verifier = request?.form.get("code_verifier") ?? "";
  expect(PKCEUtils.generateChallenge(verifier)).toBe(upstream.searchParams.get("code_challenge"));
  expect(request?.form.get("redirect_uri")).toBe(`${BASE_URL}/oauth/callback`);
  expect(upstream.href + locationOf(answer).href + JSON.stringify(world.events)).not.toContain(verifier);
});

describe("T-ST-03: nothing goes on", () => {
  test("without a state, with an unknown one, or with one that nobody approved", async () => {
    const { server, browser, world } = await approved();
    const get = (query: string) => server.get(`/oauth/callback?${query}`, { cookie: browser.header() });
    expect(await pageOf(await get("code=c"))).toBe("400 This sign-in has expired");
    expect(await pageOf(await get("code=c&state="))).toBe("400 This sign-in has expired");
    expect(await pageOf(await get(`code=c&state=${"x".repeat(43)}`))).toBe(OTHER_BROWSER);
    expect(world.upstreamRequests).toEqual([]);
  });

  test("CVE-2026-27124: when an attacker begins and approves, and the victim finishes in another browser", async () => {
    const { back, world, server } = await approved();
    const victim = new Browser();
    await server.consent(server.authorizationUrl(await server.register(), "c".repeat(43)), victim);
    expect(await pageOf(await back(undefined, victim))).toBe(OTHER_BROWSER);
    expect(await pageOf(await back(undefined, new Browser()))).toBe(OTHER_BROWSER);
    expect(world.upstreamRequests).toEqual([]);
    // The attacker's own browser is unharmed by the attempt.
    expect(answerOf(await back())).toHaveProperty("code");
  });

  test("with a cookie of another transaction under this one's name", async () => {
    const { back, browser, upstream, world } = await approved();
    const other = await approved({}, world);
    const [name = ""] = [...browser.cookies.keys()].filter((each) => each.includes("approved"));
    const [value = ""] = [...other.browser.cookies]
      .filter(([each]) => each.includes("approved"))
      .map(([, each]) => each);
    browser.cookies.set(name, value);
    expect(await pageOf(await back())).toBe(OTHER_BROWSER);
    browser.cookies.set(name, upstream.searchParams.get("state") ?? "");
    expect(await pageOf(await back())).toBe(OTHER_BROWSER);
  });

  test("with an upstream error that comes without the cookie", async () => {
    const { back } = await approved();
    const answer = await back({ error: "access_denied" }, new Browser());
    expect(await pageOf(answer)).toBe(OTHER_BROWSER);
  });
});

describe("T-ST-04: a transaction is used once", () => {
  test("a second callback is refused", async () => {
    const { back, browser, world } = await approved();
    const again = Object.assign(new Browser(), { cookies: new Map(browser.cookies) });
    expect(answerOf(await back())).toHaveProperty("code");
    expect(await pageOf(await back(undefined, again))).toBe("400 This sign-in is finished");
    expect(world.upstreamRequests).toHaveLength(1);
  });

  test("of 16 simultaneous callbacks one wins, and the upstream's code is redeemed once", async () => {
    const { server, upstream, browser, world } = await approved();
    const url = `/oauth/callback?code=upstream-code&state=${upstream.searchParams.get("state")}`;
    const cookie = browser.header();
    const answers = await Promise.all(Array.from({ length: 16 }, () => server.get(url, { cookie })));
    expect(answers.filter(({ status }) => status === 302)).toHaveLength(1);
    expect(world.upstreamRequests).toHaveLength(1);
  });

  test("one that has expired is over", async () => {
    const { back, world } = await approved();
    world.now += 661;
    expect(await pageOf(await back())).toBe("400 This sign-in has expired");
    expect(world.upstreamRequests).toEqual([]);
  });
});

test("T-ST-05: two tabs with two clients in one browser both get through, in any order", async () => {
  const server = new World().server();
  const browser = new Browser();
  const begun: URL[] = [];
  for (const client of [await server.register(), await server.register()]) {
    const url = server.authorizationUrl(client, PKCEUtils.generatePair().challenge);
    begun.push(locationOf(await server.consent(url, browser)));
  }
  for (const upstream of begun.reverse()) {
    expect(answerOf(await server.callback(upstream.href, browser))).toHaveProperty("code");
  }
});

describe("T-ST-06: an upstream error", () => {
  test.each([
    ["access_denied", "access_denied"],
    ["login_required", "access_denied"],
    ["consent_required", "access_denied"],
    ["temporarily_unavailable", "temporarily_unavailable"],
    ["unauthorized_client", "server_error"],
    ["server_error", "server_error"],
    ["invalid_scope", "server_error"],
    ["<script>alert(1)</script>", "server_error"],
  ])(
    "%s is not rendered raw but told the client as %s, with state and iss, and uses up the transaction",
    async (error, told) => {
      const { back, browser, world } = await approved();
      const again = Object.assign(new Browser(), { cookies: new Map(browser.cookies) });
      const answer = await back({
        error,
        error_description: "upstream <b>text</b>",
        error_uri: "https://evil.example/",
      });
      expect(answerOf(answer)).toEqual({
        error: told,
        error_description: expect.stringMatching(/^[A-Z][A-Za-z .-]+\.$/),
        state: "client-state",
        iss: BASE_URL,
      });
      expect(locationOf(answer).href).not.toMatch(/%3C|upstream|evil/);
      expect(await pageOf(await back(undefined, again))).toBe("400 This sign-in is finished");
      expect(world.upstreamRequests).toEqual([]);
      expect(world.eventsOf("sign_in.failed")).toHaveLength(1);
    },
  );

  test("neither a code nor an error is an answer that can not be used", async () => {
    expect(answerOf(await (await approved()).back({}))).toMatchObject({ error: "server_error" });
  });
});

describe("T-ST-07: an answer of another identity provider", () => {
  const config = { upstreamIssuer: UPSTREAM };

  test("its iss stops everything", async () => {
    const { back, world } = await approved(config);
    const answer = await back({ code: "c", iss: "https://evil.example" });
    expect(answerOf(answer)).toMatchObject({ error: "server_error", state: "client-state", iss: BASE_URL });
    expect(world.upstreamRequests).toEqual([]);
  });

  test("its error is not believed either", async () => {
    const { back } = await approved(config);
    const answer = await back({ error: "access_denied", iss: "https://evil.example" });
    expect(answerOf(answer)).toMatchObject({ error: "server_error" });
  });

  test("the expected iss, and none at all, are fine", async () => {
    expect(answerOf(await (await approved(config)).back({ code: "c", iss: UPSTREAM }))).toHaveProperty("code");
    expect(answerOf(await (await approved(config)).back({ code: "c" }))).toHaveProperty("code");
  });

  test("an ID token of another sign-in, another application, another issuer or another time gives no code", async () => {
    const world = new World();
    const sound = (nonce: string | null) => ({
      iss: UPSTREAM,
      aud: "our-app",
      sub: "alice",
      exp: world.now + 60,
      nonce,
    });
    const answers: Record<string, unknown>[] = [];
    for (const wrong of [{}, { nonce: "other" }, { aud: "other" }, { iss: "https://evil.example" }, { exp: 1 }]) {
      const { back, upstream } = await approved({ ...config, scopes: ["openid"] }, world);
      const token = idToken({ ...sound(upstream.searchParams.get("nonce")), ...wrong });
      world.answer = () => world.tokens({ id_token: token });
      answers.push(answerOf(await back()));
    }
    expect(answers.map(({ error }) => error)).toEqual([undefined, ...Array(4).fill("server_error")]);
  });
});

test("T-TK-09: a code of one person's sign-in, swapped into another's, gives nobody anything", async () => {
  const world = new World();
  const [alice, mallory] = [await approved({}, world), await approved({}, world)];
  // As every upstream with PKCE does: a code is for the verifier of the sign-in that it came from.
  const challenges: Record<string, string | null> = {
    "code-of-alice": alice.upstream.searchParams.get("code_challenge"),
    "code-of-mallory": mallory.upstream.searchParams.get("code_challenge"),
  };
  world.answer = ({ form }) => {
    const challenge = PKCEUtils.generateChallenge(form.get("code_verifier") ?? "");
    if (challenge === challenges[form.get("code") ?? ""]) return world.tokens();
    return { status: 400, body: { error: "invalid_grant", error_description: "PKCE failed for code-of-alice" } };
  };

  const answer = await mallory.back({ code: "code-of-alice" });
  expect(answerOf(answer)).toEqual({
    error: "server_error",
    error_description: "The identity provider refused the request.",
    state: "client-state",
    iss: BASE_URL,
  });
  expect(answerOf(await alice.back({ code: "code-of-alice" }))).toHaveProperty("code");
});

test.each([
  [
    "a page on 502",
    { status: 502, body: "<html>Bad gateway</html>", contentType: "text/html" },
    "temporarily_unavailable",
  ],
  ["429", { status: 429, body: "slow down" }, "temporarily_unavailable"],
  ["an empty body", { body: "" }, "server_error"],
  ["our credentials refused", { status: 401, body: { error: "invalid_client" } }, "server_error"],
  ["an error with status 200", { body: { error: "bad_verification_code" } }, "server_error"],
  ["tokens that are none", { body: { access_token: "a\nb" } }, "server_error"],
])("when the upstream answers with %s, the client is told so in our own words", async (_, upstreamAnswer, error) => {
  const { back, world } = await approved();
  world.answer = () => upstreamAnswer;
  const answer = answerOf(await back());
  expect(answer).toMatchObject({ error, state: "client-state", iss: BASE_URL });
  expect(JSON.stringify(answer)).not.toMatch(/Bad gateway|slow down|bad_verification_code/);
  expect(world.eventsOf("upstream.failed")).toMatchObject([{ operation: "exchange" }]);
});

test("an upstream that can not be reached costs nothing but another try", async () => {
  const { back, world } = await approved();
  world.answer = () => Promise.reject(new TypeError("fetch failed"));
  expect(answerOf(await back())).toMatchObject({ error: "temporarily_unavailable" });
});

test("a registered redirect URI with a private scheme gets the answer as well", async () => {
  const world = new World();
  const server = world.server();
  const browser = new Browser();
  const redirectUri = "cursor://anysphere.cursor-mcp/oauth/callback";
  const client = await server.register({ redirect_uris: [redirectUri] });
  const url = server.authorizationUrl(client, PKCEUtils.generatePair().challenge, { redirect_uri: redirectUri });
  const back = await server.callback(locationOf(await server.consent(url, browser)).href, browser);
  expect(back.headers.get("location")).toMatch(/^cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?code=sp_ac_/);
  expect(back.headers.get("location")).not.toContain(REDIRECT_URI);
});
