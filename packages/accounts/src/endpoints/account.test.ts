import { describe, expect, test } from "vitest";
import {
  act,
  at,
  changePassword,
  eventsOf,
  formFor,
  idsOn,
  mailOf,
  NEW_PASSWORD,
  recorded,
  toAccount,
} from "../../test/visits.ts";
import {
  accessOf,
  ask,
  CALLBACK,
  PASSWORD,
  post,
  redeem,
  signIn,
  toSignIn,
  type World,
  world,
} from "../../test/world.ts";

async function withTwo<W extends World>(on: W) {
  const alice = await on.accounts.createUser({ username: "alice", email: "alice@example.com", password: PASSWORD });
  const bob = await on.accounts.createUser({ username: "bob", password: PASSWORD });
  return { on, alice, bob };
}

const refresh = (on: World, refreshToken: string) =>
  post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });

describe("the page of the account", () => {
  test("is there for whoever is signed in, and leads everybody else to the sign-in", async () => {
    const { on } = await withTwo(world());
    const browser = on.browser();
    expect((await browser.open(at("/account"))).url.href).toBe(at("/sign-in"));
    const page = await toAccount(on, "alice", browser);
    expect(page.text).toContain("You are signed in as alice");
    expect(page.text).toContain("alice@example.com");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(page.headers.get("content-security-policy")).not.toContain("unsafe");
    expect(page.headers.get("x-frame-options")).toBe("DENY");
  });

  test("is over when the session is, however much it is used, and for whoever was disabled at once", async () => {
    const { on, alice } = await withTwo(world());
    const browser = on.browser();
    await toAccount(on, "alice", browser);
    on.time += 43_199;
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/account");
    on.time += 1;
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
    await toAccount(on, "alice", browser);
    await on.accounts.disableUser(alice.id);
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
    await on.accounts.enableUser(alice.id);
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
  });

  test("shows a person's own browsers and applications, and nobody else's", async () => {
    const { on, alice } = await withTwo(world());
    const { browser } = await signIn(on, "alice");
    await toAccount(on, "alice", on.browser("198.51.100.1"));
    await signIn(on, "bob", PASSWORD, on.browser("203.0.113.99"));
    const page = await browser.open(at("/account"));
    expect(idsOn(page, "end_session")).toHaveLength(1);
    expect(idsOn(page, "end_application")).toHaveLength(1);
    const mine = (await on.accounts.listSessions(alice.id)) ?? [];
    expect(mine.map(({ id }) => id)).toContain(idsOn(page, "end_session")[0]);
    const { grants } = await on.auth.listGrants({ subject: alice.id });
    expect(idsOn(page, "end_application")).toEqual(grants.map(({ id }) => id));
    expect(page.text).not.toContain("bob");
  });

  test("what a person calls themselves is text on it", async () => {
    const on = world();
    await on.accounts.createUser({ username: "eve", password: PASSWORD, name: '<b>Eve</b> & "co"' });
    const page = await toAccount(on, "eve");
    expect(page.html).toContain("&lt;b&gt;Eve&lt;/b&gt; &amp;");
    expect(page.html).not.toContain("<b>Eve");
  });

  test("without list nobody's browsers are shown, and everything else works", async () => {
    const storage = recorded().storage;
    const withoutList = new Proxy(storage, {
      get: (target, name) => (name === "list" ? undefined : bound(target, Reflect.get(target, name))),
    });
    const { on } = await withTwo(world({ server: { tokenStorage: withoutList } }));
    const page = await toAccount(on, "alice");
    expect(page.status).toBe(200);
    expect(page.forms.some(({ fields }) => fields.action === "end_session")).toBe(false);
  });
});

/** A method that stays its object's, taken through whatever stands before it. */
function bound(target: object, value: unknown): unknown {
  return typeof value === "function" ? value.bind(target) : value;
}

describe("RFC 6749 §10.12: what is done there is done from the page itself", () => {
  test.each([
    "change_name",
    "sign_out_everywhere",
    "change_password",
    "end_session",
    "end_application",
    "link",
    "unlink",
  ])("%s needs the token of this page in this session", async (action) => {
    const { on, alice } = await withTwo(world());
    const { browser } = await signIn(on, "alice");
    const page = await toAccount(on, "bob", on.browser());
    const mine = await browser.open(at("/account"));
    const form = { ...formFor(mine, "change_name"), fields: { action } };
    const theirs = formFor(page, "change_name").fields.csrf_token ?? "";
    const typed = { name: "Mallory", new_password: NEW_PASSWORD, repeat_password: NEW_PASSWORD, password: PASSWORD };
    for (const csrf_token of ["", theirs, "x".repeat(55)])
      expect((await browser.submit(mine, { ...typed, csrf_token }, form)).status).toBe(403);
    expect((await browser.submit(mine, typed, form)).status).toBe(403);
    const evil = { ...mine, url: new URL("https://evil.example/") };
    const withToken = { ...typed, csrf_token: formFor(mine, "change_name").fields.csrf_token ?? "" };
    expect((await browser.submit(evil, withToken, form)).status).toBe(403);
    expect(eventsOf(on, "account.changed")).toEqual([]);
    expect(eventsOf(on, "account.signed_out")).toEqual([]);
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(1);
  });

  test("a token from before the sign-in proves nothing after it, nor one of an earlier session", async () => {
    const { on } = await withTwo(world());
    const browser = on.browser();
    const before = await browser.open(at("/sign-in"));
    const first = await browser.submit(before, { login: "alice", password: PASSWORD });
    const form = formFor(first, "change_name");
    const stale = { csrf_token: before.form?.fields.csrf_token ?? "", name: "Mallory" };
    expect((await browser.submit(first, stale, form)).status).toBe(403);
    const again = await browser.open(at("/sign-in?again=1"));
    await browser.submit(again, { login: "alice", password: PASSWORD });
    expect((await browser.submit(first, { name: "Mallory" }, form)).status).toBe(403);
  });

  test("a form without a session does nothing and leads to the sign-in; another site's is refused", async () => {
    const { on, alice } = await withTwo(world());
    const browser = on.browser();
    const page = await toAccount(on, "alice", browser);
    await on.accounts.signOutEverywhere(alice.id);
    const left = await act(browser, "change_name", { name: "Late" }, page);
    expect(left.url.pathname).toBe("/oauth/sign-in");
    expect(await on.accounts.findUser(alice.id)).not.toHaveProperty("name");
    const evil = { ...page, url: new URL("https://evil.example/") };
    expect((await act(browser, "change_name", { name: "Late" }, evil)).status).toBe(403);
  });

  test("an action that is none is refused", async () => {
    const { on } = await withTwo(world());
    const browser = on.browser();
    const page = await toAccount(on, "alice", browser);
    for (const action of ["", "constructor", "__proto__", "delete_everybody"])
      expect((await browser.submit(page, { action }, formFor(page, "change_name"))).status).toBe(400);
  });
});

describe("the name", () => {
  test("is changed, in normal form, and gets into tokens with the next refresh", async () => {
    const { on, alice } = await withTwo(world());
    const { browser, refreshToken } = await signIn(on, "alice");
    const page = await act(browser, "change_name", { name: "  Ａlice  " });
    expect(page.text).toContain("Your name is changed");
    const { name } = (await on.accounts.findUser(alice.id)) ?? {};
    expect(name).toBe("Ａlice");
    const { body } = await refresh(on, refreshToken);
    expect(await accessOf(on, String(body.access_token))).toMatchObject({ claims: { name } });
    // The words are said once.
    expect((await browser.open(at("/account"))).text).not.toContain("Your name is changed");
  });

  test.each(["", "  ", "\u202egnorw", "x".repeat(101), "a\nb", "x".repeat(50_000)])(
    "%#: what can not be a name is none",
    async (name) => {
      const { on, alice } = await withTwo(world());
      const browser = on.browser();
      await toAccount(on, "alice", browser);
      const page = await act(browser, "change_name", { name });
      expect(page.status).toBe(422);
      expect(page.text).toContain("This name can not be used");
      expect(await on.accounts.findUser(alice.id)).not.toHaveProperty("name");
    },
  );

  test("a notice is one of ours, whatever the cookie says", async () => {
    const { on } = await withTwo(world());
    const { browser } = await signIn(on, "alice");
    const headers = new Headers({ cookie: "__Host-sallyport-notice=<script>" });
    expect((await on.auth.fetch(new Request(at("/account"), { headers }))).status).toBe(303);
    expect((await browser.open(at("/account"))).html).not.toContain('role="status"');
  });
});

describe("OWASP ASVS 5.0 §6.2.3: the password is changed by whoever knows it", () => {
  test("and then everything else is signed out, and this browser goes on in a new session", async () => {
    const { on, alice } = await withTwo(world());
    const { browser, accessToken, refreshToken } = await signIn(on, "alice");
    const other = on.browser();
    await toAccount(on, "alice", other);
    const asked = ask();
    const out = await toSignIn(browser, asked);
    const before = await on.accounts.listSessions(alice.id);
    const page = await changePassword(browser, PASSWORD);
    expect(page.text).toContain("Your password is changed");
    const after = await on.accounts.listSessions(alice.id);
    expect(after).toHaveLength(1);
    expect(before?.map(({ id }) => id)).not.toContain(after?.[0]?.id);
    expect((await other.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
    expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
    expect((await refresh(on, refreshToken)).body).toMatchObject({ error: "invalid_grant" });
    expect((await redeem(on, out, asked)).body).toMatchObject({ error: "invalid_grant" });
    expect(await mailOf(on, "password_changed")).toMatchObject({ to: "alice@example.com" });
    expect((await toAccount(on, "alice", on.browser(), NEW_PASSWORD)).url.pathname).toBe("/oauth/account");
  });

  test.each([
    ["a wrong password", NEW_PASSWORD, NEW_PASSWORD, "This is not your current password"],
    [PASSWORD, NEW_PASSWORD, PASSWORD, "not the same"],
    [PASSWORD, "short", "short", "too short"],
    [PASSWORD, "password123", "password123", "easy to guess"],
    [PASSWORD, "alice@example.com", "alice@example.com", "easy to guess"],
  ])("%j to %j and %j is refused", async (password, next, repeated, words) => {
    const { on, alice } = await withTwo(world());
    const browser = on.browser();
    await toAccount(on, "alice", browser);
    const page = await changePassword(browser, password, next, repeated);
    expect(page.status).toBe(422);
    expect(page.text).toContain(words);
    expect(page.html).not.toMatch(/type="password"[^>]* value=/);
    expect(eventsOf(on, "account.changed")).toEqual([]);
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(1);
  });

  test("guesses at it in a browser that was left open are slowed down", async () => {
    const { on } = await withTwo(world());
    const browser = on.browser();
    await toAccount(on, "alice", browser);
    const statuses: number[] = [];
    for (let guess = 0; guess < 20; guess++)
      statuses.push((await changePassword(browser, `guess number ${guess}`)).status);
    expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 422));
    expect(statuses.at(-1)).toBe(429);
    const right = await changePassword(browser, PASSWORD);
    expect(right.status).toBe(429);
    expect(Number(right.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(eventsOf(on, "account.changed")).toEqual([]);
  });

  test("of 16 simultaneous changes one wins, and the browser is in one session", async () => {
    const { on, alice } = await withTwo(world());
    const browser = on.browser();
    const page = await toAccount(on, "alice", browser);
    const change = (n: number) => {
      const next = `passphrase of racer number ${n}`;
      return act(browser, "change_password", { password: PASSWORD, new_password: next, repeat_password: next }, page);
    };
    await Promise.all(Array.from({ length: 16 }, (_, n) => change(n)));
    expect(eventsOf(on, "account.changed")).toHaveLength(1);
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(1);
  });

  test("does nothing for whoever was signed out while it was under way", async () => {
    const { on, alice } = await withTwo(recorded());
    const browser = on.browser();
    const page = await toAccount(on, "alice", browser);
    let struck = false;
    on.storage.before = async (verb, key) => {
      if (struck || verb !== "replace" || !key.startsWith("at-accounts-user:")) return;
      struck = true;
      await on.accounts.signOutEverywhere(alice.id);
    };
    const typed = { password: PASSWORD, new_password: NEW_PASSWORD, repeat_password: NEW_PASSWORD };
    const left = await act(browser, "change_password", typed, page);
    expect(struck).toBe(true);
    expect(left.url.pathname).toBe("/oauth/sign-in");
    expect(await on.accounts.listSessions(alice.id)).toEqual([]);
    expect((await toAccount(on, "alice")).url.pathname).toBe("/oauth/account");
  });

  test("has none who came without one: no form, and no way around it", async () => {
    const on = world();
    const bob = await on.accounts.createUser({ email: "bob@example.com" });
    const alice = await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const browser = on.browser();
    const page = await toAccount(on, "alice", browser);
    expect(bob.hasPassword).toBe(false);
    expect(alice.hasPassword).toBe(true);
    expect((await toAccount(on, "bob@example.com", on.browser(), "")).status).toBe(422);
    expect((await toAccount(on, "bob@example.com", on.browser(), "no password")).status).toBe(422);
    expect(formFor(page, "change_password")).toBeDefined();
  });
});

describe("sessions and applications", () => {
  test("one of each is ended, and the others go on", async () => {
    const { on, alice } = await withTwo(world());
    const { browser, accessToken, refreshToken } = await signIn(on, "alice");
    const other = await signIn(on, "alice", PASSWORD, on.browser("198.51.100.1"));
    const page = await browser.open(at("/account"));
    const [session = ""] = idsOn(page, "end_session");
    expect((await act(browser, "end_session", { id: session }, page)).status).toBe(200);
    expect((await other.browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/account");
    expect(await accessOf(on, other.accessToken)).toMatchObject({ subject: alice.id });

    const { grants } = await on.auth.listGrants({ subject: alice.id });
    const ids = idsOn(await browser.open(at("/account")), "end_application");
    expect([...ids].sort()).toEqual(grants.map(({ id }) => id).sort());
    for (const id of ids) await act(browser, "end_application", { id });
    expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
    expect((await refresh(on, refreshToken)).status).toBe(400);
    expect(idsOn(await browser.open(at("/account")), "end_application")).toEqual([]);
  });

  test("OWASP API1, object level authorization: the ids of other people's end nothing, and look like any other", async () => {
    const { on, bob } = await withTwo(world());
    const theirs = await signIn(on, "bob");
    const [grant] = (await on.auth.listGrants({ subject: bob.id })).grants;
    const [session] = (await on.accounts.listSessions(bob.id)) ?? [];
    const browser = on.browser();
    await toAccount(on, "alice", browser);
    const page = await browser.open(at("/account"));
    for (const id of [session?.id ?? "", grant?.id ?? "", "", "x", "A".repeat(44), "../..", "\u202e"])
      for (const [action, words] of [
        ["end_session", "That browser is signed out"],
        ["end_application", "That application is disconnected"],
        ["unlink", "The sign-in is unlinked"],
      ] as const)
        expect((await browser.submit(page, { action, id }, formFor(page, "change_name"))).text).toContain(words);
    expect(session).toBeDefined();
    expect(grant).toBeDefined();
    expect(await on.accounts.listSessions(bob.id)).toHaveLength(1);
    expect((await theirs.browser.open(at("/account"))).url.pathname).toBe("/oauth/account");
    expect((await refresh(on, theirs.refreshToken)).status).toBe(200);
  });

  test("signing out everywhere ends this browser as well, and all applications; bob's go on", async () => {
    const { on, alice, bob } = await withTwo(world());
    const { browser, accessToken, refreshToken } = await signIn(on, "alice");
    const theirs = await signIn(on, "bob");
    const left = await act(browser, "sign_out_everywhere");
    expect(left.url.pathname).toBe("/oauth/sign-in");
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
    expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
    expect((await refresh(on, refreshToken)).status).toBe(400);
    expect(await on.accounts.listSessions(alice.id)).toEqual([]);
    expect(eventsOf(on, "account.signed_out")).toMatchObject([{ subject: alice.id, by: "person", everywhere: true }]);
    expect((await refresh(on, theirs.refreshToken)).status).toBe(200);
    expect(await on.accounts.listSessions(bob.id)).toHaveLength(1);
  });

  test("an application connects anew after that, and only with a password", async () => {
    const { on } = await withTwo(world());
    const { browser } = await signIn(on, "alice");
    await act(browser, "sign_out_everywhere");
    const asked = ask();
    const page = await toSignIn(browser, asked);
    expect(page.url.pathname).toBe("/oauth/sign-in");
    const back = await browser.submit(page, { login: "alice", password: PASSWORD });
    expect(back.url.href).toContain(CALLBACK);
    expect((await redeem(on, back, asked)).status).toBe(200);
  });

  test("nobody is linked where there is no other provider", async () => {
    const { on } = await withTwo(world());
    const browser = on.browser();
    const page = await toAccount(on, "alice", browser);
    expect(page.forms.some(({ fields }) => fields.action === "link")).toBe(false);
    const form = formFor(page, "change_name");
    for (const provider of ["google", "accounts", ""])
      expect((await browser.submit(page, { action: "link", provider }, form)).status).toBe(400);
    expect((await browser.submit(page, { action: "unlink", id: "x" }, form)).status).toBe(200);
  });
});
