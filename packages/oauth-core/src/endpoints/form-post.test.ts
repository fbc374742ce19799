import { describe, expect, test } from "vitest";
import { answerOf, locationOf, pageOf } from "../../test/answers.ts";
import { BASE_URL, Browser, idToken, providerAt, World } from "../../test/harness.ts";
import { PKCEUtils } from "../pkce-utils.ts";

/** A person at a provider that posts its answers. */
async function atProvider() {
  const world = new World();
  world.answer = () =>
    world.tokens({
      id_token: idToken({ iss: "https://one.example", aud: "our-app-at-one", sub: "alice", exp: world.now + 60 }),
    });
  const server = world.server({ providers: [providerAt("one", { responseMode: "form_post" }), providerAt("two")] });
  const browser = new Browser();
  const url = server.authorizationUrl(await server.register(), PKCEUtils.generatePair().challenge);
  const upstream = locationOf(await server.consent(url, browser, { provider: "one" }));
  const state = upstream.searchParams.get("state") ?? "";
  world.storage.calls = [];
  /** As a browser posts it from another site: without the cookies, which are SameSite=Lax. */
  const posted = (form: Readonly<Record<string, string>>) =>
    server.post("/oauth/callback/one", form, { origin: "https://one.example", "sec-fetch-site": "cross-site" });
  return { world, server, browser, upstream, state, posted };
}

test("Form Post Response Mode §2: it is asked for, and its cookie is like every other", async () => {
  const { upstream, server } = await atProvider();
  expect(upstream.searchParams.get("response_mode")).toBe("form_post");
  const url = server.authorizationUrl(await server.register(), PKCEUtils.generatePair().challenge);
  const answer = await server.consent(url, new Browser(), { provider: "one" });
  for (const cookie of answer.headers.getSetCookie()) expect(cookie).toContain("SameSite=Lax");
});

test("the post becomes a visit of the same callback, which comes with the cookies, and finishes the sign-in", async () => {
  const { server, browser, state, posted, world } = await atProvider();
  const answer = await posted({ code: "upstream-code", state, iss: "https://one.example" });
  expect(answer.status).toBe(303);
  const { origin, pathname, searchParams } = locationOf(answer);
  expect(origin + pathname).toBe(`${BASE_URL}/oauth/callback/one`);
  expect(Object.fromEntries(searchParams)).toEqual({ code: "upstream-code", state, iss: "https://one.example" });
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  expect(world.storage.calls).toEqual([]);
  const visit = await server.get(locationOf(answer).href, { cookie: browser.header() });
  expect(answerOf(visit)).toHaveProperty("code");
});

describe("it decides nothing", () => {
  test("what another site posts gets no further than a link of that site would", async () => {
    const { server, state, posted, world } = await atProvider();
    const answer = await posted({ code: "injected", state });
    const visit = await server.get(locationOf(answer).href, { cookie: new Browser().header() });
    expect(await pageOf(visit)).toBe("400 This sign-in is not open in this browser");
    expect(world.upstreamRequests).toEqual([]);
  });

  test("nothing but the parts of an authorization response is carried on, and never to another place", async () => {
    const { server, state } = await atProvider();
    const form = {
      state,
      error: "access_denied",
      error_description: "<b>",
      user: '{"name":"x"}',
      id_token: "t",
      redirect: "x",
    };
    const answer = await server.auth.fetch(
      new Request("https://evil.example/oauth/callback/one", {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(form),
      }),
    );
    expect(locationOf(answer).origin).toBe(BASE_URL);
    expect(Object.fromEntries(locationOf(answer).searchParams)).toEqual({ state, error: "access_denied" });
  });

  test.each([
    ["application/json", "{}"],
    ["application/x-www-form-urlencoded", "code=a&code=b"],
    ["application/x-www-form-urlencoded", `code=${"x".repeat(70_000)}`],
  ])("what is no form of such an answer is refused: %s %.20s", async (type, body) => {
    const { server } = await atProvider();
    const answer = await server.post("/oauth/callback/one", body, { "content-type": type });
    expect(answer.status).toBe(400);
    expect(answer.headers.get("location")).toBeNull();
  });

  test("other providers don't take a post at all", async () => {
    const { server, state } = await atProvider();
    expect((await server.post("/oauth/callback/two", { code: "c", state })).status).toBe(405);
  });
});
