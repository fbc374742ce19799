import { describe, expect, test } from "vitest";
import { type Answer, finish, isCallback, RawBrowser } from "../../test/raw-browser.ts";
import { ask, CALLBACK, PASSWORD, type World, type WorldOptions, world } from "../../test/world.ts";

async function withAlice(options: WorldOptions = {}) {
  const on = world(options);
  const alice = await on.accounts.createUser({ username: "alice", password: PASSWORD });
  return { on, alice, browser: new RawBrowser(on) };
}

const requestOf = (address: string) => new URL(address).searchParams.get("request") ?? "";
const pathOf = (request: string) => `/oauth/sign-in?${new URLSearchParams({ request })}`;
const refusals = ({ events }: World) => events.filter((event) => event.type === "request.refused");

describe("signing in on the page", () => {
  test("RFC 9700 §4.12: sends the browser on by 303, with the client's state and a code at the end", async () => {
    const { browser } = await withAlice();
    const asked = ask();
    const back = await browser.type(await browser.signInPage(asked), "alice");
    expect(back.status).toBe(303);
    expect(back.location?.pathname).toBe("/oauth/callback");
    expect(Object.fromEntries(await finish(browser, back))).toMatchObject({
      state: asked.state,
      code: expect.stringMatching(/^sp_ac_/),
    });
  });

  test("leads to the account where no application waits", async () => {
    const { browser } = await withAlice();
    const back = await browser.signIn("alice");
    expect([back.status, back.location?.pathname]).toEqual([303, "/oauth/account"]);
    expect(await browser.isSignedIn()).toBe(true);
  });

  test("a wrong password brings the page back, with the name and without the password", async () => {
    const { on, browser } = await withAlice();
    const page = await browser.type(await browser.signInPage(), '"><b>alice', "wrong horse battery staple");
    expect(page.status).toBe(422);
    expect(page.fields.login).toBe('"><b>alice');
    expect(page.text).not.toContain("<b>");
    expect(page.text).not.toContain("wrong horse");
    expect(page.setCookies.map(({ name }) => name)).toEqual(["__Host-sallyport-browser"]);
    expect(on.events.at(-1)).toMatchObject({ type: "account.sign_in_failed", because: "credentials" });
    // And it still works.
    expect((await browser.type(page, "alice")).status).toBe(303);
  });

  test("somebody who is signed in goes on without a password; with `again` they are asked", async () => {
    const { browser } = await withAlice();
    await browser.signIn("alice");
    const address = await browser.toSignIn();
    const asked = await browser.get(`${address}&again=1`);
    expect([asked.status, Object.keys(asked.fields)]).toEqual([200, ["csrf_token", "request", "login", "password"]]);
    const back = await browser.get(address);
    expect(back.status).toBe(303);
    expect(isCallback((await browser.get(back.location?.href ?? "")).location)).toBe(true);
    expect((await browser.get("/oauth/sign-in")).location?.pathname).toBe("/oauth/account");
    expect((await browser.get("/oauth/sign-in?again=1")).status).toBe(200);
  });

  test("the page in two tabs works in both, one after the other", async () => {
    const { browser } = await withAlice();
    const [one, other] = [ask(), ask()];
    const tabs: Answer[] = [await browser.signInPage(one), await browser.signInPage(other)];
    for (const [at, asked] of [one, other].entries()) {
      const back = await browser.type(tabs[at] as Answer, "alice");
      const answer = await finish(browser, back);
      expect(answer.get("state")).toBe(asked.state);
      expect(answer.get("code")).toMatch(/^sp_ac_/);
    }
  });

  test("the page of one sign-in in two tabs finishes it once", async () => {
    const { browser } = await withAlice();
    const address = await browser.toSignIn();
    const [one, other] = [await browser.get(address), await browser.get(address)];
    expect((await finish(browser, await browser.type(one, "alice"))).get("code")).toMatch(/^sp_ac_/);
    expect((await browser.type(other, "alice")).status).toBe(400);
  });

  test("HEAD answers like GET, without the page", async () => {
    const { browser } = await withAlice();
    const answer = await browser.send("/oauth/sign-in", { method: "HEAD" });
    expect([answer.status, answer.text]).toEqual([200, ""]);
    expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
  });
});

describe("RFC 6749 §10.12: the form of the sign-in", () => {
  const forged: readonly (readonly [string, (browser: RawBrowser, page: Answer, on: World) => Promise<Answer>])[] = [
    [
      "without a token",
      (browser, page) => browser.type({ ...page, fields: { ...page.fields, csrf_token: "" } }, "alice"),
    ],
    [
      "with another form's token",
      async (browser, page) => {
        const { fields } = await browser.get("/oauth/reset-password");
        return browser.type({ ...page, fields: { ...page.fields, csrf_token: fields.csrf_token ?? "" } }, "alice");
      },
    ],
    [
      "with another browser's token",
      async (browser, page, on) => {
        const { fields } = await new RawBrowser(on).get("/oauth/sign-in");
        return browser.type({ ...page, fields: { ...page.fields, csrf_token: fields.csrf_token ?? "" } }, "alice");
      },
    ],
    [
      "with the token of the consent page",
      async (browser, page) => {
        const { fields } = await browser.get(ask({ scope: "notes:write" }).url);
        return browser.type({ ...page, fields: { ...page.fields, csrf_token: fields.csrf_token ?? "" } }, "alice");
      },
    ],
    ["without cookies", (browser, page) => browser.type(page, "alice", PASSWORD, { cookies: new Map() })],
  ];
  const foreign: typeof forged = [
    [
      "with another form's token, in a browser that does not say where it is from",
      async (browser, page) => {
        const { fields } = await browser.get("/oauth/reset-password");
        const other = { ...page, fields: { ...page.fields, csrf_token: fields.csrf_token ?? "" } };
        return browser.type(other, "alice", PASSWORD, { headers: { "sec-fetch-site": undefined } });
      },
    ],
    [
      "from another site",
      (browser, page) => browser.type(page, "alice", PASSWORD, { headers: { "sec-fetch-site": "cross-site" } }),
    ],
    [
      "from a sibling domain",
      (browser, page) => browser.type(page, "alice", PASSWORD, { headers: { "sec-fetch-site": "same-site" } }),
    ],
    [
      "from another origin, in a browser that says no more",
      (browser, page) =>
        browser.type(page, "alice", PASSWORD, {
          headers: { "sec-fetch-site": undefined, origin: "https://evil.example" },
        }),
    ],
    [
      "from our host without https",
      (browser, page) =>
        browser.type(page, "alice", PASSWORD, {
          headers: { "sec-fetch-site": undefined, origin: "http://notes.example" },
        }),
    ],
  ];

  test.each([
    ...forged.map((each) => [...each, ["__Host-sallyport-browser"]] as const),
    ...foreign.map((each) => [...each, []] as const),
  ])("%s signs nobody in, and no password is looked at", async (_, forge, cookies) => {
    const { on, browser } = await withAlice();
    const answer = await forge(browser, await browser.signInPage(), on);
    expect(answer.status).toBe(403);
    expect(answer.setCookies.map(({ name }) => name)).toEqual(cookies);
    // Where the form comes back it is empty: what came with the other one is not taken over.
    expect(answer.text.includes("<form")).toBe(cookies.length > 0);
    expect(answer.text).not.toContain("alice");
    expect(on.events.filter(({ type }) => type.startsWith("account.sign"))).toEqual([]);
    expect(refusals(on)).toMatchObject([{ endpoint: "sign-in", reason: "consent_forged" }]);
  });

  test("the control: the same form as it is signs in", async () => {
    const { browser } = await withAlice();
    expect((await browser.type(await browser.signInPage(), "alice")).status).toBe(303);
  });
});

describe("the sealed request of a sign-in", () => {
  test("RFC 9700 §4.7: of another browser is refused before a password is asked for", async () => {
    const { on, browser } = await withAlice();
    const address = await new RawBrowser(on).toSignIn();
    const page = await browser.get(address);
    expect(page.status).toBe(400);
    expect(page.text).toContain("another browser");
    expect(page.text).not.toContain("password");
    // Nor is it taken with a form of this browser's own.
    const own = await browser.get("/oauth/sign-in");
    const typed = await browser.type({ ...own, fields: { ...own.fields, request: requestOf(address) } }, "alice");
    expect(typed.status).toBe(400);
    expect(refusals(on).map((event) => event.type === "request.refused" && event.reason)).toEqual([
      "browser_mismatch",
      "browser_mismatch",
    ]);
    expect(on.events.some(({ type }) => type.startsWith("account.sign"))).toBe(false);
  });

  test("of another browser does not let a session go on either", async () => {
    const { on, browser } = await withAlice();
    await browser.signIn("alice");
    const page = await browser.get(await new RawBrowser(on).toSignIn());
    expect([page.status, page.location]).toEqual([400, undefined]);
  });

  test("that was not approved yet is not known to anybody, and one of a denied consent never exists", async () => {
    const { browser } = await withAlice();
    const consent = await browser.get(ask().url);
    const denied = await browser.post("/oauth/consent", { ...consent.fields, action: "deny" });
    expect(denied.location?.searchParams.get("error")).toBe("access_denied");
    expect([...browser.cookies.keys()].some((name) => name.includes("approved"))).toBe(false);
  });

  test.each([600, 3600])("expires with the sign-in that it is for, after %i seconds", async (transactionTtl) => {
    const { on, browser } = await withAlice({ server: { transactionTtl } });
    const page = await browser.signInPage();
    on.time += transactionTtl;
    for (const answer of [await browser.type(page, "alice"), await browser.get(pathOf(page.fields.request ?? ""))]) {
      expect(answer.status).toBe(400);
      expect(answer.text).toContain("expired");
    }
    expect(on.events.some(({ type }) => type.startsWith("account.sign"))).toBe(false);
  });

  test("with any one character changed, cut or added is refused", async () => {
    const { browser } = await withAlice();
    const request = requestOf(await browser.toSignIn());
    const spoilt = [...request].map(
      (each, at) => request.slice(0, at) + (each === "A" ? "B" : "A") + request.slice(at + 1),
    );
    for (const each of [...spoilt, request.slice(0, -1), `${request}A`, request.slice(1), "x", "A".repeat(5000)])
      expect([each, (await browser.get(pathOf(each))).status]).toEqual([each, 400]);
    expect((await browser.get(pathOf(request))).status).toBe(200);
  });

  test("of another server's secret is refused", async () => {
    const { browser } = await withAlice();
    const elsewhere = world({ server: { secret: "another secret, of more than 32 bytes as well" } });
    const request = requestOf(await new RawBrowser(elsewhere).toSignIn());
    expect((await browser.get(pathOf(request))).status).toBe(400);
  });

  test("is refused twice in one address, as every parameter", async () => {
    const { browser } = await withAlice();
    const request = requestOf(await browser.toSignIn());
    expect((await browser.get(`${pathOf(request)}&request=${request}`)).status).toBe(400);
  });

  test("leads only to our own callback, whatever else stands in the form", async () => {
    const { browser } = await withAlice();
    const page = await browser.signInPage();
    const extra = { ...page.fields, redirect_uri: "https://evil.example/", next: "//evil.example", state: "x" };
    const back = await browser.type({ ...page, fields: extra }, "alice");
    expect(back.location?.href).toMatch(/^https:\/\/notes\.example\/oauth\/callback\?state=/);
    const answer = await browser.get(back.location?.href ?? "");
    expect(answer.location?.href.startsWith(`${CALLBACK}?`)).toBe(true);
  });
});

describe("too many attempts", () => {
  test("get a page that says when to come back, and nothing more of the account", async () => {
    const { browser } = await withAlice();
    let page = await browser.signInPage();
    for (let guess = 0; guess < 5; guess += 1) page = await browser.type(page, "alice", `wrong guess ${guess}`);
    expect(page.status).toBe(422);
    const refused = await browser.type(page, "alice");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.setCookies).toEqual([]);
    expect(refused.text).not.toContain("alice");
    // The way back keeps the sign-in.
    expect(refused.text).toContain(`request=${page.fields.request}`);
  });
});
