import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { answerOf, locationOf, pageOf, refusalOf } from "../test/answers.ts";
import { BASE_URL, Browser, idToken, jsonOf, providerAt, type Server, World } from "../test/harness.ts";
import type { OAuthProxyConfig } from "./options.ts";
import { PKCEUtils } from "./pkce-utils.ts";

const { challenge } = PKCEUtils.generatePair();
const STAFF = { emailDomains: ["example.com"] };

/** A provider whose ID tokens say this, at the sign-in and at refreshes, until it is changed. */
function provided(config: Partial<OAuthProxyConfig>, claims: Record<string, unknown> = {}) {
  const world = new World();
  const said: Record<string, unknown> = { sub: "alice", email: "alice@example.com", email_verified: true, ...claims };
  world.answer = ({ url }) =>
    url.endsWith("/token")
      ? world.tokens({
          id_token: idToken({ iss: "https://one.example", aud: "our-app-at-one", exp: world.now + 300, ...said }),
        })
      : { body: {} };
  return { world, said, server: world.server({ provider: providerAt("one"), ...config }) };
}

/** The answer of the callback. */
async function returned(server: Server, browser = new Browser()): Promise<Response> {
  const upstream = await server.consent(server.authorizationUrl(await server.register(), challenge), browser);
  return server.callback(locationOf(upstream).href, browser);
}

describe("allow, at the sign-in", () => {
  test("lets in whom it names", async () => {
    expect(answerOf(await returned(provided({ allow: STAFF }).server))).toHaveProperty("code");
  });

  test("tells anybody else so, on a page, and who they are", async () => {
    const { server, world } = provided({ allow: STAFF }, { email: "mallory@evil.example", name: "Mallory" });
    const browser = new Browser();
    const answer = await returned(server, browser);
    expect(answer.status).toBe(403);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("content-security-policy")).toContain("form-action 'none'");
    const text = await answer.text();
    expect(text).toContain("<h1>This account can not be used here</h1>");
    expect(text).toContain("ONE as");
    expect(text).toContain("Mallory");
    expect(text).toContain("mallory@evil.example");
    const [event] = world.eventsOf("sign_in.refused");
    expect(event).toMatchObject({ subject: "one|alice", provider: "one" });
    expect(text).toContain(event?.traceId);
    expect([...browser.cookies.keys()].filter((name) => name.includes("approved"))).toEqual([]);
    expect(world.eventsOf("sign_in.completed")).toEqual([]);
    expect(world.eventsOf("code.issued")).toEqual([]);
  });

  test("and the client, when they go back: access_denied, with its state and iss", async () => {
    const { server } = provided({ allow: STAFF }, { email_verified: false });
    const text = await (await returned(server)).text();
    const href = /<a class="button primary" href="([^"]*)"/.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    expect(Object.fromEntries(new URL(href).searchParams)).toEqual({
      error: "access_denied",
      error_description: "This account is not allowed to sign in here.",
      state: "client-state",
      iss: BASE_URL,
    });
  });

  test("what a person calls themselves is text on that page", async () => {
    const name = `<img src=x onerror=alert(1)>"'`;
    const { server } = provided({ allow: STAFF }, { name, email: `"<b>"@evil.example` });
    const text = await (await returned(server)).text();
    expect(text).not.toContain("<img");
    expect(text).not.toContain("<b>");
    expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;");
  });

  test("a sign-in that was refused is over, and its tokens are ended upstream", async () => {
    const { server, world } = provided({ allow: { emails: ["bob@example.com"] } });
    const browser = new Browser();
    const upstream = await server.consent(server.authorizationUrl(await server.register(), challenge), browser);
    const again = Object.assign(new Browser(), { cookies: new Map(browser.cookies) });
    expect((await server.callback(locationOf(upstream).href, browser)).status).toBe(403);
    expect(world.upstreamRequests.map(({ url, form }) => [url, form.get("token")])).toEqual([
      ["https://one.example/token", null],
      ["https://one.example/revoke", "upstream-refresh-1"],
      ["https://one.example/revoke", "upstream-access-1"],
    ]);
    expect(await pageOf(await server.callback(locationOf(upstream).href, again))).toBe("400 This sign-in is finished");
  });

  test("that they could not be ended there changes nothing here, and is told", async () => {
    const { server, world } = provided({ allow: { emails: ["bob@example.com"] } });
    const tokens = world.answer;
    world.answer = (request) => (request.url.endsWith("/revoke") ? { status: 503, body: "" } : tokens(request));
    expect((await returned(server)).status).toBe(403);
    expect(world.eventsOf("upstream.failed")).toMatchObject([{ operation: "revoke", provider: "one" }]);
  });

  test("a function that throws lets nobody in, ends nothing upstream, and is told", async () => {
    const allow = () => {
      throw new Error("directory");
    };
    const { server, world } = provided({ allow });
    expect(answerOf(await returned(server))).toMatchObject({ error: "server_error" });
    expect(world.eventsOf("sign_in.failed")).toMatchObject([
      { reason: "sign_in_undecided", cause: { message: "directory" } },
    ]);
    expect(world.upstreamRequests).toHaveLength(1);
  });

  test("it stands for the upstream… options as well", async () => {
    const world = new World();
    world.answer = () =>
      world.tokens({ id_token: idToken({ aud: "our-app", sub: "alice", email: "a@b.example", exp: world.now + 60 }) });
    expect((await returned(world.server({ allow: STAFF }))).status).toBe(403);
    const seen: unknown[] = [];
    const allow = ({ provider, subject }: { provider: string; subject: string }) => seen.push(provider, subject) > 0;
    expect(answerOf(await returned(world.server({ allow })))).toHaveProperty("code");
    expect(seen).toEqual(["upstream", "alice"]);
  });
});

describe("allow, at a refresh", () => {
  async function signedIn(config: Partial<OAuthProxyConfig>, claims?: Record<string, unknown>) {
    const { world, said, server } = provided(config, claims);
    const { client, tokens } = await server.signIn();
    world.now += 3600;
    world.upstreamRequests.length = 0;
    return { world, said, server, refresh: () => server.refresh(client, tokens.refresh_token) };
  }

  test("whoever may no longer loses the grant, and the tokens upstream", async () => {
    const { world, said, refresh } = await signedIn({ allow: { groups: ["staff"] } }, { groups: ["staff"] });
    said.groups = [];
    expect(await refusalOf(await refresh())).toBe("400 invalid_grant");
    expect(world.eventsOf("sign_in.refused")).toMatchObject([
      { subject: "one|alice", provider: "one", grant: expect.any(String) },
    ]);
    expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "not_allowed" }]);
    expect(world.upstreamRequests.map(({ form }) => form.get("token"))).toEqual([
      null,
      "upstream-refresh-2",
      "upstream-access-2",
    ]);
    said.groups = ["staff"];
    expect(await refusalOf(await refresh())).toBe("400 invalid_grant");
  });

  test("whoever still may goes on", async () => {
    const { refresh } = await signedIn({ allow: STAFF });
    expect((await refresh()).status).toBe(200);
  });

  test("OpenID Connect Core §12.2: an ID token that does not repeat the address takes nothing back, one with another does", async () => {
    const { said, world, refresh } = await signedIn({ allow: STAFF });
    const { email } = said;
    Object.assign(said, { email: undefined, email_verified: undefined });
    expect((await refresh()).status).toBe(200);
    Object.assign(said, { email, email_verified: false });
    world.now += 3600;
    expect(await refusalOf(await refresh())).toBe("400 invalid_grant");
  });

  test("an answer without an ID token says nothing new, and nobody is asked", async () => {
    let asked = 0;
    const { world, refresh } = await signedIn({ allow: () => ++asked === 1 });
    world.answer = () => world.tokens();
    expect((await refresh()).status).toBe(200);
    expect(asked).toBe(1);
  });

  test("while a function can't say, nobody is let in and nothing is lost", async () => {
    let broken = false;
    const allow = () => {
      if (broken) throw new Error("directory");
      return true;
    };
    const { world, refresh } = await signedIn({ allow });
    broken = true;
    expect(await refusalOf(await refresh())).toBe("503 temporarily_unavailable");
    expect(await refusalOf(await refresh())).toBe("503 temporarily_unavailable");
    expect(world.eventsOf("request.refused")).toMatchObject([
      { reason: "grant_undecided", cause: { message: "directory" } },
      { reason: "grant_undecided" },
    ]);
    // What the upstream gave meanwhile was kept: it has forgotten the tokens before.
    expect(world.upstreamRequests.map(({ form }) => form.get("refresh_token"))).toEqual([
      "upstream-refresh-1",
      "upstream-refresh-2",
    ]);
    broken = false;
    const answer = await refresh();
    expect(answer.status).toBe(200);
    world.upstreamRequests.length = 0;
    expect((await refresh()).status).toBe(200);
    expect(world.upstreamRequests).toEqual([]);
    expect(decodeJwt(String((await jsonOf(answer)).access_token)).sub).toBe("one|alice");
  });

  test("nor is it while the upstream then says nothing of the person", async () => {
    let calls = 0;
    const allow = () => {
      if (++calls === 2) throw new Error("directory");
      return true;
    };
    const { world, refresh } = await signedIn({ allow });
    const withIdToken = world.answer;
    expect((await refresh()).status).toBe(503);
    world.answer = () => world.tokens();
    expect((await refresh()).status).toBe(503);
    world.answer = withIdToken;
    expect((await refresh()).status).toBe(200);
    expect(calls).toBe(3);
  });
});

describe("linkSubject", () => {
  const subjectOf = async (server: Server) => decodeJwt((await server.signIn()).tokens.access_token).sub;

  test("names a person, and is shown who signed in", async () => {
    const shown: unknown[] = [];
    const linkSubject = async (identity: { readonly subject: string; readonly email?: string | undefined }) => {
      shown.push(identity.subject, identity.email);
      return "person-7";
    };
    expect(await subjectOf(provided({ linkSubject }).server)).toBe("person-7");
    expect(shown).toEqual(["one|alice", "alice@example.com"]);
  });

  test("makes one person of several accounts", async () => {
    const world = new World();
    world.answer = ({ url }) =>
      world.tokens({
        id_token: idToken({
          iss: new URL(url).origin,
          aud: `our-app-at-${new URL(url).hostname.split(".")[0]}`,
          sub: url.includes("one") ? "a-1" : "b-2",
          exp: world.now + 60,
        }),
      });
    const names = new Map([
      ["one|a-1", "alice"],
      ["two|b-2", "alice"],
    ]);
    const server = world.server({
      providers: [providerAt("one"), providerAt("two")],
      linkSubject: ({ subject }) => names.get(subject),
    });
    for (const provider of ["one", "two"]) {
      const { client, tokens } = await server.signIn({ provider });
      expect(decodeJwt(tokens.access_token).sub).toBe("alice");
      // The account stays the one that signed in: the upstream's word of a refresh is compared with it.
      world.now += 3600;
      expect((await server.refresh(client, tokens.refresh_token)).status).toBe(200);
    }
  });

  test("leaves alone whom it does not know", async () => {
    expect(await subjectOf(provided({ linkSubject: () => undefined }).server)).toBe("one|alice");
  });

  test("is not asked about somebody who may not sign in", async () => {
    let asked = false;
    const linkSubject = () => {
      asked = true;
      return "person-7";
    };
    await returned(provided({ allow: { emails: ["bob@example.com"] }, linkSubject }).server);
    expect(asked).toBe(false);
  });

  test.each([
    ["throws", () => Promise.reject(new Error("directory"))],
    ["gives an empty name", () => ""],
    ["gives no text", () => 7 as unknown as string],
    ["gives a name beyond all measure", () => "x".repeat(256)],
  ])("nobody becomes anybody where it %s", async (_, linkSubject) => {
    const { server, world } = provided({ linkSubject });
    expect(answerOf(await returned(server))).toMatchObject({ error: "server_error" });
    expect(world.eventsOf("sign_in.completed")).toEqual([]);
  });
});

test("OpenID Connect Core §12.2: at a refresh the account is compared, and not the name that it was given", async () => {
  const { world, said, server } = provided({ linkSubject: () => "person-7" });
  const { client, tokens } = await server.signIn();
  world.now += 3600;
  said.sub = "person-7";
  expect(await refusalOf(await server.refresh(client, tokens.refresh_token))).toBe("500 server_error");
  expect(world.eventsOf("upstream.failed")).toMatchObject([{ operation: "refresh", reason: "upstream_identity" }]);
});
