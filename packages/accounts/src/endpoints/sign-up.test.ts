import { describe, expect, test } from "vitest";
import {
  at,
  callsOf,
  choose,
  eventsOf,
  mailOf,
  NEW_PASSWORD,
  recorded,
  register,
  seen,
  toAccount,
} from "../../test/visits.ts";
import { accessOf, ask, BASE_URL, CALLBACK, PASSWORD, redeem, toSignIn, world } from "../../test/world.ts";

const SIGN_UP = { accounts: { signUp: true } };
const ALICE = "alice@example.com";

/** A server at which people make accounts, and somebody whose mail has come. */
async function mailed(email = ALICE, on = world(SIGN_UP)) {
  const browser = on.browser();
  await register(email, browser);
  const mail = await mailOf(on, "sign_up");
  return { on, browser, mail };
}

describe("an account of one's own", () => {
  test("is made by whoever reads the mail, and signs them in", async () => {
    const { on, browser, mail } = await mailed("Alice@Example.com");
    expect(mail).toMatchObject({ to: ALICE, subject: "Your account at Notes", expiresAt: on.time + 3600 });
    expect(mail.text).toContain(mail.url);
    const page = await browser.open(mail.url);
    expect(page.text).toContain(`You will sign in with ${ALICE}`);
    const account = await choose(browser, page, PASSWORD, " Alice  Liddell ");
    expect(account.url.href).toBe(at("/account"));
    expect(account.text).toContain("You are signed in as Alice Liddell");
    const made = await on.accounts.findUserByLogin(ALICE);
    expect(made).toMatchObject({ email: ALICE, emailVerified: true, name: "Alice Liddell", roles: [] });
    expect(eventsOf(on, "account.created")).toMatchObject([{ subject: made?.id, by: "person" }]);
    expect((await toAccount(on, ALICE)).url.pathname).toBe("/oauth/account");
  });

  test("is not there before, and without signUp there is no page for it", async () => {
    const { on } = await mailed();
    expect((await on.accounts.listUsers()).accounts).toEqual([]);
    const without = world();
    const browser = without.browser();
    expect((await browser.open(at("/sign-up"))).status).toBe(404);
    expect((await browser.open(at("/sign-up/finish"))).status).toBe(404);
    expect((await browser.open(at("/sign-in"))).html).not.toContain("/sign-up");
  });

  test("the application that waits is gone on with in the same browser", async () => {
    const on = world(SIGN_UP);
    const browser = on.browser();
    const asked = ask();
    const signIn = await toSignIn(browser, asked);
    const [, link = ""] = /href="([^"]*\/sign-up\?[^"]*)"/.exec(signIn.html) ?? [];
    await browser.submit(await browser.open(new URL(link.replaceAll("&amp;", "&"), BASE_URL)), { email: ALICE });
    const page = await browser.open((await mailOf(on, "sign_up")).url);
    expect(page.text).toContain("you go on to the application");
    const back = await choose(browser, page, PASSWORD, "Alice");
    expect(back.url.href).toContain(CALLBACK);
    const { status, body } = await redeem(on, back, asked);
    expect(status).toBe(200);
    const made = await on.accounts.findUserByLogin(ALICE);
    expect(await accessOf(on, String(body.access_token))).toMatchObject({ subject: made?.id });
  });

  test("login CSRF: an application that waits in another browser gets nothing of whoever reads the mail", async () => {
    const on = world(SIGN_UP);
    const attacker = on.browser();
    const signIn = await toSignIn(attacker);
    const [, link = ""] = /href="([^"]*\/sign-up\?[^"]*)"/.exec(signIn.html) ?? [];
    await attacker.submit(await attacker.open(new URL(link.replaceAll("&amp;", "&"), BASE_URL)), { email: ALICE });
    const victim = on.browser();
    const page = await victim.open((await mailOf(on, "sign_up")).url);
    expect(page.text).not.toContain("application that you came from");
    expect((await choose(victim, page, PASSWORD, "Alice")).url.href).toBe(at("/account"));
    expect(eventsOf(on, "code.issued")).toEqual([]);
  });
});

describe("OWASP Authentication, account enumeration: asking for an account says nothing of others", () => {
  test("status, headers, text and the calls to the storage are the same whether or not there is one", async () => {
    const on = recorded(SIGN_UP);
    await on.accounts.createUser({ email: ALICE, password: PASSWORD });
    const disabled = await on.accounts.createUser({ email: "erin@example.com", password: PASSWORD });
    await on.accounts.disableUser(disabled.id);
    let host = 1;
    const asked = async (email: string) => {
      const browser = on.browser(`198.51.100.${host++}`);
      let page: Awaited<ReturnType<typeof register>> | undefined;
      const calls = await callsOf(on, async () => (page = await register(email, browser)));
      if (page === undefined) throw new Error("no page");
      return { calls, page: JSON.stringify(seen(page)).replaceAll(email, "…") };
    };
    const nobody = await asked("nobody@example.com");
    expect(nobody.page).toContain("Check your mail");
    expect(await asked(ALICE)).toEqual(nobody);
    expect(await asked("erin@example.com")).toEqual(nobody);
    await on.accounts.settled();
    expect(on.mails.map(({ kind, to }) => [kind, to])).toEqual([
      ["sign_up", "nobody@example.com"],
      ["already_registered", ALICE],
      ["already_registered", "erin@example.com"],
    ]);
  });

  test("who has an account hears of it by mail, and the mail lets nobody in", async () => {
    const on = world(SIGN_UP);
    await on.accounts.createUser({ email: ALICE, password: PASSWORD, name: "Alice" });
    await register(ALICE, on.browser());
    const mail = await mailOf(on, "already_registered");
    expect(mail.text).toContain("Hello Alice,");
    expect(mail).toMatchObject({ to: ALICE, url: at("/sign-in") });
    expect(mail.expiresAt).toBeUndefined();
  });

  test.each(["", " ", "alice", "alice@", "@example.com", "a@b@example.com", "a b@example.com", "a\u202e@example.com"])(
    "%j is no address, and is shown again as it was typed",
    async (email) => {
      const on = world(SIGN_UP);
      const page = await register(email, on.browser());
      expect(page.status).toBe(422);
      expect(page.text).toContain("This is not a complete e-mail address");
      await on.accounts.settled();
      expect(on.mails).toEqual([]);
    },
  );
});

describe("the link of the mail", () => {
  test("leaves the address at once, and is spent by nobody who only looks", async () => {
    const { on, mail } = await mailed();
    for (let look = 0; look < 3; look++) {
      const scanner = on.browser();
      const page = await scanner.open(mail.url);
      expect(page.url.href).toBe(at("/sign-up/finish"));
      expect(page.status).toBe(200);
      expect(page.html).not.toContain("sp_mt_");
    }
    const head = await on.auth.fetch(new Request(mail.url, { method: "HEAD" }));
    expect(head.status).toBe(303);
    const browser = on.browser();
    expect((await choose(browser, await browser.open(mail.url), PASSWORD, "Alice")).url.pathname).toBe(
      "/oauth/account",
    );
  });

  test("the cookie that carries it is one that no script and no sibling domain has to do with", async () => {
    const { on, mail } = await mailed();
    const answer = await on.auth.fetch(new Request(mail.url));
    expect(answer.headers.get("location")).toBe(at("/sign-up/finish"));
    const [cookie = ""] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-sallyport-sign-up=sp_mt_/);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=3600"])
      expect(cookie).toContain(attribute);
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
  });

  test("of 32 simultaneous posts exactly one makes the account", async () => {
    const { on, browser, mail } = await mailed();
    const page = await browser.open(mail.url);
    const posts = Array.from({ length: 32 }, (_, n) => choose(browser, page, PASSWORD, `Alice ${n}`));
    const answers = await Promise.all(posts);
    expect(answers.filter(({ url, status }) => url.pathname === "/oauth/account" && status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(31);
    expect(eventsOf(on, "account.created")).toHaveLength(1);
    expect(eventsOf(on, "account.signed_in")).toHaveLength(1);
    expect((await on.accounts.listUsers()).accounts).toHaveLength(1);
  });

  test("of two mails for one address the second makes no second account, and says that there is one", async () => {
    const { on, browser, mail } = await mailed();
    await register(ALICE, browser);
    const second = await mailOf(on, "sign_up");
    expect(second.url).not.toBe(mail.url);
    await choose(browser, await browser.open(mail.url), PASSWORD, "Alice");
    const late = on.browser();
    const page = await choose(late, await late.open(second.url), NEW_PASSWORD, "Mallory");
    expect(page.status).toBe(409);
    expect(page.text).toContain("You have an account already");
    expect(await on.accounts.findUserByLogin(ALICE)).toMatchObject({ name: "Alice" });
    expect((await late.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
  });

  test("does nothing when it is too old, is for something else, or was made up", async () => {
    const { on, browser, mail } = await mailed();
    const page = await browser.open(mail.url);
    await on.accounts.createUser({ email: "bob@example.com", password: PASSWORD });
    await browser.submit(await browser.open(at("/reset-password")), { login: "bob@example.com" });
    const reset = new URL((await mailOf(on, "reset_password")).url).searchParams.get("token") ?? "";
    for (const token of [reset, "sp_mt_", `sp_mt_${"A".repeat(43)}`, "", "\u202e", "x".repeat(10_000)]) {
      const answer = await on.browser().open(`${at("/sign-up/finish")}?${new URLSearchParams({ token })}`);
      expect(answer.status).toBe(400);
      expect(answer.text).toContain("This link does not work any more");
    }
    on.time += 3600;
    expect((await choose(browser, page, PASSWORD, "Alice")).status).toBe(400);
    expect((await on.browser().open(mail.url)).status).toBe(400);
    expect(await on.accounts.findUserByLogin(ALICE)).toBeUndefined();
  });
});

describe("what is typed at the end", () => {
  test.each([
    ["short", "Alice", "This password is too short"],
    ["x".repeat(257), "Alice", "This password is too long"],
    ["password1", "Alice", "This password is easy to guess"],
    ["alice@example.com", "Alice", "This password is easy to guess"],
    ["liddell12", "Liddell12", "This password is easy to guess"],
    ["a\u0007 bell in a password", "Alice", "has a character in it that can not be used"],
    [PASSWORD, "", "This name can not be used"],
    [PASSWORD, "   ", "This name can not be used"],
    [PASSWORD, "Ali\u202ece", "This name can not be used"],
    [PASSWORD, "A".repeat(101), "This name can not be used"],
  ])("a password %j of somebody called %j is refused, and costs no link", async (password, name, words) => {
    const { on, browser, mail } = await mailed();
    const page = await choose(browser, await browser.open(mail.url), password, name);
    expect(page.status).toBe(422);
    expect(page.text).toContain(words);
    expect(page.html).not.toMatch(/type="password"[^>]* value=/);
    expect(await on.accounts.findUserByLogin(ALICE)).toBeUndefined();
    expect((await choose(browser, page, PASSWORD, "Alice")).url.pathname).toBe("/oauth/account");
  });

  test("two passwords that differ are refused, and one that is missing", async () => {
    const { browser, mail } = await mailed();
    const page = await browser.open(mail.url);
    const typed = { name: "Alice", new_password: PASSWORD, repeat_password: NEW_PASSWORD };
    const differ = await browser.submit(page, typed);
    expect(differ.status).toBe(422);
    expect(differ.text).toContain("The two new passwords are not the same");
    expect(differ.html).toContain('value="Alice"');
    expect(differ.html).not.toContain(PASSWORD);
    const { fields = {}, action = new URL(at("/sign-up/finish")) } = page.form ?? {};
    const { new_password: _one, repeat_password: _other, ...left } = fields;
    const without = await browser.submit(page, { name: "Alice" }, { action, fields: left });
    expect(without.text).toContain("This password is too short");
  });
});

describe("mails are limited", () => {
  test("three in an hour go to one mailbox, however it is written, and nobody is told", async () => {
    const on = world(SIGN_UP);
    for (const email of [ALICE, "Alice@example.com", "alice@EXAMPLE.com", ALICE, ALICE]) {
      const page = await register(email, on.browser());
      expect(page.status).toBe(200);
      expect(page.text).toContain("Check your mail");
    }
    await on.accounts.settled();
    expect(on.mails).toHaveLength(3);
    on.time += 3600;
    await register(ALICE, on.browser());
    await on.accounts.settled();
    expect(on.mails).toHaveLength(4);
  });

  test("RFC 6585 §4: from one address ten in an hour, and then 429 with Retry-After", async () => {
    const on = world(SIGN_UP);
    const asked = (n: number, address?: string) => register(`user-${n}@example.com`, on.browser(address));
    for (let n = 0; n < 10; n++) expect((await asked(n)).status).toBe(200);
    const refused = await asked(10);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("3600");
    expect((await asked(11, "198.51.100.9")).status).toBe(200);
    await on.accounts.settled();
    expect(on.mails).toHaveLength(11);
    on.time += 3600;
    expect((await asked(12)).status).toBe(200);
  });

  test("a stranger who asks for accounts with somebody's address does not keep them from resetting their password", async () => {
    const on = world(SIGN_UP);
    await on.accounts.createUser({ email: ALICE, password: PASSWORD });
    for (let n = 0; n < 5; n++) await register(ALICE, on.browser("198.51.100.9"));
    const browser = on.browser();
    await browser.submit(await browser.open(at("/reset-password")), { login: ALICE });
    expect((await mailOf(on, "reset_password")).to).toBe(ALICE);
  });
});

describe("whoever asks without our page", () => {
  test("gets no mail and no account: without the token, without the cookie, from another site", async () => {
    const { on, browser, mail } = await mailed();
    const sent = on.mails.length;
    const other = on.browser();
    const theirs = await other.open(at("/sign-up"));
    expect((await browser.submit(theirs, { email: "bob@example.com" })).status).toBe(403);
    expect((await other.submit(theirs, { email: "bob@example.com", csrf_token: "" })).status).toBe(403);
    const evil = { ...theirs, url: new URL("https://evil.example/") };
    expect((await other.submit(evil, { email: "bob@example.com" })).status).toBe(403);
    const finish = await browser.open(mail.url);
    const csrf = theirs.form?.fields.csrf_token ?? "";
    expect((await browser.submit(finish, { csrf_token: csrf, name: "A", new_password: PASSWORD })).status).toBe(403);
    await on.accounts.settled();
    expect(on.mails).toHaveLength(sent);
    expect((await on.accounts.listUsers()).accounts).toEqual([]);
  });

  test("keeps nothing of their own in the storage: a sign-in to go on with has to be one that was begun here", async () => {
    const on = recorded(SIGN_UP);
    const browser = on.browser();
    const page = await browser.open(at("/sign-up"));
    const before = JSON.stringify([...(await on.storage.dump()).values()]).length;
    await browser.submit(page, { email: ALICE, request: "x".repeat(50_000) });
    const after = JSON.stringify([...(await on.storage.dump()).values()]).length;
    expect(after - before).toBeLessThan(5000);
  });
});

test("nothing of the password, the token or the address lies in the storage in the clear", async () => {
  const on = recorded(SIGN_UP);
  const browser = on.browser();
  await register(ALICE, browser);
  const { url } = await mailOf(on, "sign_up");
  await choose(browser, await browser.open(url), PASSWORD, "Alice");
  const everything = JSON.stringify([...(await on.storage.dump())]);
  for (const secret of [PASSWORD, new URL(url).searchParams.get("token") ?? "?", ALICE, "Alice", "argon2"])
    expect(everything).not.toContain(secret);
  expect(JSON.stringify(on.events)).not.toContain("sp_mt_");
  expect(JSON.stringify(on.events)).not.toContain(ALICE);
});
