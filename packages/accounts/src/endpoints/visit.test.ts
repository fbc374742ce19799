import { beforeAll, describe, expect, test } from "vitest";
import { type Answer, finish, RawBrowser, remoteWorld } from "../../test/raw-browser.ts";
import { ask, BASE_URL, PASSWORD, type World, world } from "../../test/world.ts";

const POSTED = [
  "/oauth/sign-in",
  "/oauth/account",
  "/oauth/sign-out",
  "/oauth/sign-up",
  "/oauth/sign-up/finish",
  "/oauth/reset-password",
  "/oauth/reset-password/finish",
] as const;
const SEEN = POSTED.filter((path) => path !== "/oauth/sign-out");

async function withAlice() {
  const on = world({ accounts: { signUp: true } });
  const alice = await on.accounts.createUser({
    username: "alice",
    email: "alice@example.com",
    password: PASSWORD,
    name: "Alice",
  });
  return { on, alice, browser: new RawBrowser(on) };
}

/** The address in the mail that was sent last. */
async function mailed(on: World): Promise<string> {
  await on.accounts.settled();
  return on.mails.at(-1)?.url ?? "";
}

/** Every page that there is, in every status that it has. */
async function tour(): Promise<readonly Answer[]> {
  const on = remoteWorld({ accounts: { signUp: true } });
  await on.accounts.createUser({ username: "alice", email: "alice@example.com", password: PASSWORD });
  const browser = new RawBrowser(on);
  let page = await browser.signInPage();
  page = await browser.type(page, "alice", "wrong horse battery staple");
  await finish(browser, await browser.type(page, "alice"));
  const { csrf_token = "" } = (await browser.get("/oauth/account")).fields;
  await browser.post("/oauth/account", { csrf_token, action: "change_name", name: "\u202e" });
  await browser.post("/oauth/account", { csrf_token, action: "change_name", name: "Alice" });
  await browser.get("/oauth/account");
  await browser.get("/oauth/sign-in");
  await browser.post("/oauth/account", { csrf_token, action: "nothing" });
  const changed = { csrf_token, action: "change_password", new_password: "another good password" };
  for (let guess = 0; guess < 16; guess += 1)
    await browser.post("/oauth/account", { ...changed, repeat_password: changed.new_password, password: "wrong" });
  await browser.post("/oauth/sign-out", { csrf_token });
  await browser.get("/oauth/account");
  await browser.post("/oauth/account", { csrf_token });

  for (const [path, name, right, address] of [
    ["/oauth/reset-password", "login", "alice", "192.0.2.10"],
    ["/oauth/sign-up", "email", "bob@example.com", "192.0.2.11"],
  ] as const) {
    browser.address = address;
    const form = await browser.get(path);
    await browser.post(path, form.fields);
    await browser.post(path, { ...form.fields, [name]: right });
    const link = await mailed(on);
    const target = new URL(link).pathname;
    await browser.get(link);
    const { fields } = await browser.get(target);
    const chosen = { ...fields, name: "Bob", new_password: "a long enough password" };
    await browser.post(target, { ...chosen, repeat_password: "another one" });
    await browser.post(target, { ...chosen, repeat_password: "a long enough password" });
    await browser.get(target);
    await browser.post(target, { csrf_token: fields.csrf_token ?? "" });
    for (let asks = 0; asks < 12; asks += 1)
      await browser.post(path, { ...form.fields, [name]: `n${asks}@example.com` });
  }
  // A mail that comes too late: somebody has the address by now.
  const late = new RawBrowser(on, "192.0.2.8");
  await late.post("/oauth/sign-up", { ...(await late.get("/oauth/sign-up")).fields, email: "carol@example.com" });
  const link = await mailed(on);
  await on.accounts.createUser({ email: "carol@example.com" });
  await late.get(link);
  const { fields } = await late.get("/oauth/sign-up/finish");
  const passwords = { new_password: "a long enough password", repeat_password: "a long enough password" };
  await late.post("/oauth/sign-up/finish", { ...fields, name: "Carol", ...passwords });

  const slowed = new RawBrowser(on, "192.0.2.9");
  let tried = await slowed.get("/oauth/sign-in");
  for (let guess = 0; guess < 6; guess += 1)
    tried = await slowed.type(await slowed.get("/oauth/sign-in"), "dave", "wrong");
  expect(tried.status).toBe(429);
  for (const path of POSTED) {
    await slowed.post(path, {});
    await slowed.send(path, { method: "POST", body: "{}", headers: { "content-type": "application/json" } });
    await slowed.post(path, {}, { headers: { "sec-fetch-site": "cross-site" } });
    await slowed.get(`${path}?request=x&request=y&token=%ff`);
  }
  await slowed.get("/oauth/sign-in?request=x");
  on.storage.reachable = false;
  const cookies = new Map([["__Host-sallyport-session", `sp_bs_${"A".repeat(22)}.${"A".repeat(43)}`]]);
  for (const path of SEEN.slice(0, 2)) await slowed.get(path, { cookies });
  return [...browser.answers, ...late.answers, ...slowed.answers];
}

describe("every answer of every page", () => {
  let answers: readonly Answer[] = [];
  beforeAll(async () => {
    answers = await tour();
  });

  test("is in the tour: each path, and each of its statuses", () => {
    const seen = new Set(answers.map(({ asked, status }) => `${asked.replace("/oauth", "")} ${status}`));
    const expected = [
      ...[200, 303, 400, 503].map((status) => `GET /sign-in ${status}`),
      ...[303, 403, 422, 429, 400].map((status) => `POST /sign-in ${status}`),
      ...[200, 303, 503].map((status) => `GET /account ${status}`),
      ...[303, 400, 403, 422, 429].map((status) => `POST /account ${status}`),
      ...[200, 403].map((status) => `POST /sign-out ${status}`),
      "GET /sign-out 405",
      ...["/reset-password", "/sign-up"].flatMap((path) => [
        ...[200, 400].map((status) => `GET ${path} ${status}`),
        ...[200, 400, 403, 422, 429].map((status) => `POST ${path} ${status}`),
        ...[200, 303, 400].map((status) => `GET ${path}/finish ${status}`),
        ...[303, 400, 403, 422].map((status) => `POST ${path}/finish ${status}`),
      ]),
      "POST /sign-up/finish 409",
    ];
    expect(expected.filter((each) => !seen.has(each))).toEqual([]);
  });

  test("is stored by nobody, and tells the next site nothing", () => {
    for (const { asked, status, headers } of answers) {
      const where = `${asked} ${status}`;
      expect([where, headers.get("cache-control")]).toEqual([where, "no-store"]);
      if (status !== 405) expect([where, headers.get("referrer-policy")]).toEqual([where, "no-referrer"]);
      expect([where, headers.get("access-control-allow-origin")]).toEqual([where, null]);
    }
  });

  test("is a page that runs nothing, loads nothing and can't be framed, or has no body", () => {
    for (const { asked, status, headers, text } of answers) {
      const where = `${asked} ${status}`;
      if (text === "") continue;
      expect([where, headers.get("content-type")]).toEqual([where, "text/html; charset=utf-8"]);
      const policy = headers.get("content-security-policy") ?? "";
      expect([where, policy]).toEqual([
        where,
        expect.stringMatching(
          /^default-src 'none'; style-src 'sha256-[^ ;]+'; form-action [^;]+; frame-ancestors 'none'; base-uri 'none'$/,
        ),
      ]);
      expect(policy).not.toMatch(/unsafe|\*/);
      expect(headers.get("x-frame-options")).toBe("DENY");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
      expect(text).not.toMatch(/<script|<iframe|<img|<link|javascript:|\son[a-z]+=/i);
      // A page with a form may be posted to ourselves, and one without nowhere.
      const forms = /form-action ([^;]+)/.exec(policy)?.[1] ?? "";
      if (!asked.includes("/authorize"))
        expect([where, forms.split(" ").includes("'self'")]).toEqual([where, text.includes("<form")]);
    }
  });

  test("sets cookies that no script reads, no other site posts, and no sibling domain plants", () => {
    const cookies = answers.flatMap((answer) => answer.setCookies);
    const words = cookies.map(({ name }) => name.replace("__Host-sallyport-", "").replace(/-[A-Za-z0-9_-]{16}$/, ""));
    expect([...new Set(words)].sort()).toEqual([
      "approved",
      "browser",
      "known",
      "notice",
      "page",
      "reset-password",
      "session",
      "sign-up",
    ]);
    for (const { name, attributes } of cookies) {
      expect(name).toMatch(/^__Host-sallyport-[A-Za-z0-9_-]+$/);
      expect([...attributes.keys()]).toEqual(["path", "httponly", "samesite", "max-age", "secure"]);
      expect(attributes.get("path")).toBe("/");
      expect(attributes.get("samesite")).toBe("Lax");
      // RFC 6265bis §5.5: 400 days.
      expect(Number(attributes.get("max-age"))).toBeLessThanOrEqual(34_560_000);
    }
  });

  test("sets no cookie where it refuses what came, but that of a form that comes back", () => {
    for (const { asked, status, setCookies, fields } of answers) {
      const names = setCookies.map(({ name }) => name.replace("__Host-sallyport-", ""));
      const mailGone = /finish$/.test(asked) && [400, 409].includes(status);
      const expected = fields.csrf_token === undefined ? [] : ["browser"];
      if (status >= 400 && status !== 422 && !mailGone)
        expect([asked, status, names]).toEqual([asked, status, expected]);
    }
  });

  test("RFC 9700 §4.12: where a form did something the browser is sent on by 303 and nothing else", () => {
    for (const { asked, status } of answers)
      if (status >= 300 && status < 400)
        expect([asked, status]).toEqual([asked, /callback|authorize/.test(asked) ? 302 : 303]);
  });

  test("never has a password in it", () => {
    for (const { asked, text, location } of answers)
      for (const secret of [PASSWORD, "a long enough password", "another good password", "wrong horse"])
        expect([asked, `${text}${decodeURIComponent(location?.href ?? "")}`.includes(secret)]).toEqual([asked, false]);
  });

  test("tells of a mail's token in no page, and in one address alone, which it leaves at once", () => {
    for (const { text, location } of answers) {
      expect(text).not.toMatch(/sp_mt_/);
      expect(location?.href ?? "").not.toMatch(/sp_mt_/);
    }
  });
});

describe("methods", () => {
  test.each(POSTED)("%s answers what it does not do with 405, and says what it does", async (path) => {
    const { browser } = await withAlice();
    const allow = path === "/oauth/sign-out" ? "POST, OPTIONS" : "GET, POST, HEAD, OPTIONS";
    for (const method of ["PUT", "PATCH", "DELETE", "PROPFIND"]) {
      const answer = await browser.send(path, { method });
      expect([method, answer.status, answer.headers.get("allow"), answer.text]).toEqual([method, 405, allow, ""]);
    }
    const options = await browser.send(path, { method: "OPTIONS", headers: { origin: "https://evil.example" } });
    expect([options.status, options.headers.get("allow")]).toEqual([204, allow]);
    expect([...options.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  test.each(SEEN)("HEAD %s is GET without the body", async (path) => {
    const { browser } = await withAlice();
    const [head, get] = [await browser.send(path, { method: "HEAD" }), await browser.get(path)];
    expect([head.status, head.text]).toEqual([get.status, ""]);
    expect([...head.headers.keys()]).toEqual([...get.headers.keys()]);
  });
});

describe("RFC 6749 §10.12: the forms of the account", () => {
  const change = { action: "change_name", name: "Mallory" };

  async function signedIn() {
    const { on, alice, browser } = await withAlice();
    const early = (await browser.get("/oauth/sign-in")).fields.csrf_token ?? "";
    await browser.signIn("alice");
    const token = (await browser.get("/oauth/account")).fields.csrf_token ?? "";
    return { on, alice, browser, early, token };
  }

  test("the control: one of its own changes the name", async () => {
    const { on, alice, browser, token } = await signedIn();
    const answer = await browser.post("/oauth/account", { ...change, csrf_token: token });
    expect(answer.status).toBe(303);
    expect(await on.accounts.findUser(alice.id)).toMatchObject({ name: "Mallory" });
  });

  test.each<readonly [string, (given: Awaited<ReturnType<typeof signedIn>>) => Promise<Answer>]>([
    ["without a token", ({ browser }) => browser.post("/oauth/account", change)],
    [
      "with a token from before the sign-in",
      ({ browser, early }) => browser.post("/oauth/account", { ...change, csrf_token: early }),
    ],
    [
      "with the sign-in form's token",
      async ({ browser }) => {
        const { csrf_token = "" } = (await browser.get("/oauth/sign-in?again=1")).fields;
        return browser.post("/oauth/account", { ...change, csrf_token });
      },
    ],
    [
      "with the token of the person's session before this one",
      async ({ browser, token }) => {
        await browser.type(await browser.get("/oauth/sign-in?again=1"), "alice");
        return browser.post("/oauth/account", { ...change, csrf_token: token });
      },
    ],
    [
      "with the token of their session in another browser",
      async ({ on, browser }) => {
        const other = new RawBrowser(on);
        await other.signIn("alice");
        const { csrf_token = "" } = (await other.get("/oauth/account")).fields;
        return browser.post("/oauth/account", { ...change, csrf_token });
      },
    ],
    [
      "with the token of somebody else, under whose browser cookie",
      async ({ on, browser }) => {
        await on.accounts.createUser({ username: "mallory", password: PASSWORD });
        const other = new RawBrowser(on);
        await other.signIn("mallory");
        const { csrf_token = "" } = (await other.get("/oauth/account")).fields;
        const cookies = new Map([...browser.cookies, ["__Host-sallyport-browser", other.cookie("browser") ?? ""]]);
        return browser.post("/oauth/account", { ...change, csrf_token }, { cookies });
      },
    ],
  ])("one %s changes nothing, and the person hears that the page was out of date", async (_, forge) => {
    const given = await signedIn();
    const answer = await forge(given);
    expect([answer.status, answer.setCookies.map(({ name }) => name)]).toEqual([403, ["__Host-sallyport-browser"]]);
    expect(answer.text).toContain("This page was out of date");
    expect(given.on.events.at(-1)).toMatchObject({
      type: "request.refused",
      endpoint: "account",
      reason: "consent_forged",
      traceId: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    expect(await given.on.accounts.findUser(given.alice.id)).toMatchObject({ name: "Alice" });
  });

  test.each<readonly [string, (given: Awaited<ReturnType<typeof signedIn>>) => Promise<Answer>]>([
    [
      "without a token, in a browser that does not say where it is from",
      ({ browser }) => browser.post("/oauth/account", change, { headers: { "sec-fetch-site": undefined } }),
    ],
    [
      "from another site, with the right token",
      ({ browser, token }) =>
        browser.post(
          "/oauth/account",
          { ...change, csrf_token: token },
          { headers: { "sec-fetch-site": "cross-site" } },
        ),
    ],
    [
      "from another origin, with the right token",
      ({ browser, token }) =>
        browser.post(
          "/oauth/account",
          { ...change, csrf_token: token },
          { headers: { "sec-fetch-site": undefined, origin: "https://evil.example" } },
        ),
    ],
  ])("one %s is refused, and changes nothing", async (_, forge) => {
    const given = await signedIn();
    const answer = await forge(given);
    expect([answer.status, answer.setCookies]).toEqual([403, []]);
    expect(await given.on.accounts.findUser(given.alice.id)).toMatchObject({ name: "Alice" });
  });

  test("after the session ended they do nothing, and lead to the sign-in", async () => {
    const { on, alice, browser, token } = await signedIn();
    await on.accounts.signOutEverywhere(alice.id);
    const answer = await browser.post("/oauth/account", { ...change, csrf_token: token });
    expect([answer.status, answer.location?.pathname]).toEqual([303, "/oauth/sign-in"]);
    expect(await on.accounts.findUser(alice.id)).toMatchObject({ name: "Alice" });
  });
});

describe("OWASP Session Management, session fixation", () => {
  test("a cookie that somebody planted never becomes a session", async () => {
    const { on, alice, browser } = await withAlice();
    const planted = `sp_bs_${"A".repeat(22)}.${"B".repeat(43)}`;
    browser.cookies.set("__Host-sallyport-session", planted);
    expect(await browser.isSignedIn()).toBe(false);
    await browser.signIn("alice");
    expect(browser.cookie("session")).toMatch(/^sp_bs_/);
    expect(browser.cookie("session")).not.toBe(planted);
    const thief = new RawBrowser(on);
    thief.cookies.set("__Host-sallyport-session", planted);
    expect(await thief.isSignedIn()).toBe(false);
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(1);
  });

  test("a session that an attacker planted of their own becomes nobody else's", async () => {
    const { on, browser: victim } = await withAlice();
    await on.accounts.createUser({ username: "mallory", password: PASSWORD });
    const attacker = new RawBrowser(on);
    await attacker.signIn("mallory");
    victim.cookies.set("__Host-sallyport-session", attacker.cookie("session") ?? "");
    await victim.type(await victim.get("/oauth/sign-in?again=1"), "alice");
    expect((await victim.get("/oauth/account")).text).toContain("alice");
    // It was the one that the browser had, and it ended.
    expect(await attacker.isSignedIn()).toBe(false);
  });

  test("each sign-in begins a new session and ends the one before in that browser, and no other", async () => {
    const { on, alice, browser } = await withAlice();
    const other = new RawBrowser(on);
    await other.signIn("alice");
    await browser.signIn("alice");
    const [before] = [browser.cookie("session") ?? ""];
    await browser.type(await browser.get("/oauth/sign-in?again=1"), "alice");
    expect(browser.cookie("session")).not.toBe(before);
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(2);
    const thief = new RawBrowser(on);
    thief.cookies.set("__Host-sallyport-session", before);
    expect(await thief.isSignedIn()).toBe(false);
    expect(await other.isSignedIn()).toBe(true);
  });

  test("a failed sign-in begins none, and leaves the one that is there", async () => {
    const { browser } = await withAlice();
    await browser.signIn("alice");
    const session = browser.cookie("session");
    await browser.type(await browser.get("/oauth/sign-in?again=1"), "alice", "wrong horse battery staple");
    expect(browser.cookie("session")).toBe(session);
    expect(await browser.isSignedIn()).toBe(true);
  });

  test("a browser's name that somebody planted proves nothing without the form", async () => {
    const { on, browser } = await withAlice();
    const attacker = new RawBrowser(on);
    const page = await attacker.get("/oauth/sign-in");
    await browser.get("/oauth/sign-in");
    expect(browser.cookie("browser")).not.toBe(attacker.cookie("browser"));
    expect((await browser.type(page, "alice")).status).toBe(403);
  });
});

describe("two pages that a browser without our cookie opens at the same moment", () => {
  const NEW = { name: "Bob", new_password: "a long enough password", repeat_password: "a long enough password" };

  /** The link of a mail that was asked for in this browser, followed. */
  async function followed(on: World, browser: RawBrowser, path: string, typed: Readonly<Record<string, string>>) {
    await browser.post(path, { ...(await browser.get(path)).fields, ...typed });
    await browser.get(await mailed(on));
    return `${path}/finish`;
  }

  test.each<
    readonly [
      string,
      (on: World, browser: RawBrowser) => Promise<string>,
      Readonly<Record<string, string>>,
      readonly [number, string | undefined],
    ]
  >([
    ["sign-in", (_, browser) => browser.toSignIn(), { login: "alice", password: PASSWORD }, [303, "/oauth/callback"]],
    ["reset", async () => "/oauth/reset-password", { login: "alice" }, [200, undefined]],
    ["sign-up", async () => "/oauth/sign-up", { email: "bob@example.com" }, [200, undefined]],
    [
      "new password",
      (on, browser) => followed(on, browser, "/oauth/reset-password", { login: "alice" }),
      NEW,
      [303, "/oauth/account"],
    ],
    [
      "new account",
      (on, browser) => followed(on, browser, "/oauth/sign-up", { email: "bob@example.com" }),
      NEW,
      [303, "/oauth/account"],
    ],
  ])("the form of the first does nothing, comes back, and works: %s", async (_, open, typed, [status, leadsTo]) => {
    const { on, browser } = await withAlice();
    const address = await open(on, browser);
    const cookies = new Map([...browser.cookies].filter(([name]) => name !== "__Host-sallyport-browser"));
    const first = await browser.get(address, { cookies });
    const last = await browser.get(address, { cookies });
    expect(browser.cookie("browser")).toBe(last.setCookies.find(({ name }) => name.endsWith("-browser"))?.value);
    const path = new URL(address, BASE_URL).pathname;
    const told = on.events.length;
    const mails = on.mails.length;

    const back = await browser.post(path, { ...first.fields, ...typed });
    expect(back.status).toBe(403);
    expect(back.text).toContain("This page was out of date");
    expect(Object.keys(back.fields)).toEqual(Object.keys(first.fields));
    expect(back.fields.request).toBe(first.fields.request);
    expect(on.events.slice(told)).toMatchObject([{ type: "request.refused", reason: "consent_forged" }]);
    await on.accounts.settled();
    expect(on.mails).toHaveLength(mails);

    const done = await browser.post(path, { ...back.fields, ...typed });
    expect([done.status, done.location?.pathname]).toEqual([status, leadsTo]);
  });
});

describe("without https, on this machine alone", () => {
  test("cookies have no prefix and are not Secure, or no browser would keep them", async () => {
    const on = world({ server: { baseUrl: "http://localhost:3000" } });
    const answer = await on.auth.fetch(new Request("http://localhost:3000/oauth/sign-in"));
    const [cookie = ""] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^sallyport-browser=[A-Za-z0-9_-]{22}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=2592000$/);
  });
});

test("a sign-in that waits is not lost by a page without one", async () => {
  const { browser } = await withAlice();
  const asked = ask();
  const address = await browser.toSignIn(asked);
  await browser.signIn("alice");
  const answer = await finish(browser, await browser.get(address));
  expect(answer.get("state")).toBe(asked.state);
});
