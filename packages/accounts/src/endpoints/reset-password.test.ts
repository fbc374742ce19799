import { describe, expect, test } from "vitest";
import {
  act,
  at,
  callsOf,
  changePassword,
  choose,
  eventsOf,
  forget,
  mailOf,
  NEW_PASSWORD,
  recorded,
  seen,
  toAccount,
  toNewPassword,
} from "../../test/visits.ts";
import {
  accessOf,
  ask,
  BASE_URL,
  CALLBACK,
  PASSWORD,
  post,
  redeem,
  signIn,
  toSignIn,
  type World,
  world,
} from "../../test/world.ts";

const ALICE = { username: "alice", email: "alice@example.com", password: PASSWORD, name: "Alice" };

async function withAlice<W extends World>(on: W) {
  return { on, alice: await on.accounts.createUser(ALICE) };
}

/** Whether a browser is signed in to the account. */
async function isSignedIn(browser: ReturnType<World["browser"]>): Promise<boolean> {
  return (await browser.open(at("/account"))).url.pathname === "/oauth/account";
}

const refresh = (on: World, refreshToken: string) =>
  post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });

describe("a forgotten password", () => {
  test("is replaced by whoever reads the mail, who is then signed in, and told by another mail", async () => {
    const { on, alice } = await withAlice(world());
    const browser = on.browser();
    const page = await toNewPassword(on, "Alice", browser);
    const mail = await mailOf(on, "reset_password");
    expect(mail).toMatchObject({ to: ALICE.email, name: "Alice", expiresAt: on.time + 1800 });
    const account = await choose(browser, page);
    expect(account.url.href).toBe(at("/account"));
    expect(account.text).toContain("Your password is changed");
    expect(await mailOf(on, "password_changed")).toMatchObject({ to: ALICE.email, url: at("/reset-password") });
    expect((await toAccount(on, "alice", on.browser(), PASSWORD)).status).toBe(422);
    expect((await toAccount(on, "alice", on.browser(), NEW_PASSWORD)).url.pathname).toBe("/oauth/account");
    expect(eventsOf(on, "account.changed")).toMatchObject([{ subject: alice.id, by: "person", what: ["password"] }]);
    // Who reads the mailbox has shown that it is theirs.
    expect(await on.accounts.findUser(alice.id)).toMatchObject({ emailVerified: true });
  });

  test("OWASP Session Management: every browser and every application is signed out, at once", async () => {
    const { on, alice } = await withAlice(world());
    const { browser: old, accessToken, refreshToken } = await signIn(on, "alice");
    const asked = ask();
    // A code that is out, and not redeemed yet.
    const out = await toSignIn(old, asked);
    expect(out.url.href).toContain(CALLBACK);
    expect(await isSignedIn(old)).toBe(true);
    expect(await accessOf(on, accessToken)).toMatchObject({ subject: alice.id });

    const browser = on.browser();
    await choose(browser, await toNewPassword(on, "alice", browser));
    expect(await isSignedIn(old)).toBe(false);
    expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
    expect(await refresh(on, refreshToken)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await redeem(on, out, asked)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await isSignedIn(browser)).toBe(true);
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(1);
    expect((await on.auth.listGrants({ subject: alice.id })).grants).toEqual([]);
  });

  test("a sign-in that is on its way from the page to the callback goes no further", async () => {
    const { on } = await withAlice(world());
    // The ticket is in the redirect to our callback, and the browser has not followed it yet.
    const halfway = on.browser(undefined, ({ pathname }) => pathname === "/oauth/callback");
    const ticket = await halfway.submit(await toSignIn(halfway), { login: "alice", password: PASSWORD });
    expect(ticket.url.searchParams.get("code")).toBeTruthy();
    const other = on.browser();
    await choose(other, await toNewPassword(on, "alice", other));
    const back = await halfway.open(ticket.url);
    expect(back.url.searchParams.get("error")).toBe("access_denied");
    expect(eventsOf(on, "sign_in.failed")).toMatchObject([{ reason: "account_barred" }]);
  });

  test("the browser is known from then on: a stranger who guesses does not slow it down", async () => {
    const { on } = await withAlice(world());
    const browser = on.browser();
    const stranger = on.browser("198.51.100.66");
    for (let guess = 0; guess < 8; guess++) await toAccount(on, "alice", stranger, "a wrong password");
    expect((await toAccount(on, "alice", stranger)).status).toBe(429);
    expect((await toAccount(on, "alice", on.browser())).status).toBe(429);
    const account = await choose(browser, await toNewPassword(on, "alice", browser));
    expect(account.url.pathname).toBe("/oauth/account");
    for (let guess = 0; guess < 8; guess++) await toAccount(on, "alice", stranger, "a wrong password");
    await browser.submit(
      account,
      {},
      account.forms.find(({ action }) => action.pathname === "/oauth/sign-out"),
    );
    expect((await toAccount(on, "alice", on.browser(), NEW_PASSWORD)).status).toBe(429);
    expect((await toAccount(on, "alice", browser, NEW_PASSWORD)).url.pathname).toBe("/oauth/account");
  });

  test("somebody without a password gets their first one, by whichever of their names", async () => {
    const on = world();
    await on.accounts.createUser({ email: "bob@example.com" });
    const browser = on.browser();
    const page = await toNewPassword(on, " BOB@example.com", browser);
    expect((await choose(browser, page)).url.pathname).toBe("/oauth/account");
    expect((await toAccount(on, "bob@example.com", on.browser(), NEW_PASSWORD)).url.pathname).toBe("/oauth/account");
  });

  test("without sendMail there is no page for it, and none leads to it", async () => {
    const { on } = await withAlice(world({ mail: false }));
    const browser = on.browser();
    expect((await browser.open(at("/reset-password"))).status).toBe(404);
    expect((await browser.open(at("/reset-password/finish"))).status).toBe(404);
    expect((await browser.open(at("/sign-in"))).html).not.toContain("reset-password");
    expect((await toAccount(on, "alice", browser)).html).not.toContain("reset-password");
  });
});

describe("the application that waits", () => {
  async function asking(on: World) {
    const asked = ask();
    const browser = on.browser();
    const signInPage = await toSignIn(browser, asked);
    const [, link = ""] = /href="([^"]*\/reset-password\?[^"]*)"/.exec(signInPage.html) ?? [];
    const form = await browser.open(new URL(link.replaceAll("&amp;", "&"), BASE_URL));
    await browser.submit(form, { login: "alice" });
    return { asked, browser, mail: await mailOf(on, "reset_password") };
  }

  test("is gone on with in the same browser", async () => {
    const { on, alice } = await withAlice(world());
    const { asked, browser, mail } = await asking(on);
    const page = await browser.open(mail.url);
    // Chrome applies the page's policy to where its form leads in the end.
    expect(page.headers.get("content-security-policy")).toContain("form-action 'self' https://client.example");
    const back = await choose(browser, page);
    expect(back.url.href).toContain(CALLBACK);
    const { body } = await redeem(on, back, asked);
    expect(await accessOf(on, String(body.access_token))).toMatchObject({ subject: alice.id });
  });

  test("login CSRF: is not gone on with in another one", async () => {
    const { on } = await withAlice(world());
    const { mail } = await asking(on);
    const elsewhere = on.browser();
    const page = await elsewhere.open(mail.url);
    expect(page.headers.get("content-security-policy")).not.toContain("client.example");
    expect((await choose(elsewhere, page)).url.href).toBe(at("/account"));
    expect(eventsOf(on, "code.issued")).toEqual([]);
  });

  test("is over when the sign-in has expired meanwhile, and the password is changed all the same", async () => {
    const { on } = await withAlice(world({ accounts: { resetTtl: 86_400 } }));
    const { browser, mail } = await asking(on);
    on.time += 3601;
    expect((await choose(browser, await browser.open(mail.url))).url.href).toBe(at("/account"));
    expect((await toAccount(on, "alice", on.browser(), NEW_PASSWORD)).url.pathname).toBe("/oauth/account");
  });
});

describe("OWASP Forgot Password: asking says nothing of accounts", () => {
  test("status, headers, text and the calls to the storage are the same for everybody and nobody", async () => {
    const { on } = await withAlice(recorded());
    const erin = await on.accounts.createUser({ username: "erin", email: "erin@example.com", password: PASSWORD });
    await on.accounts.disableUser(erin.id);
    await on.accounts.createUser({ username: "mailless", password: PASSWORD });
    let host = 1;
    const asked = async (login: string) => {
      const browser = on.browser(`198.51.100.${host++}`);
      let page: Awaited<ReturnType<typeof forget>> | undefined;
      const calls = await callsOf(on, async () => (page = await forget(login, browser)));
      if (page === undefined) throw new Error("no page");
      return { calls, page: JSON.stringify(seen(page)).replaceAll(login, "…") };
    };
    const nobody = await asked("nobody");
    expect(nobody.page).toContain("If there is an account for");
    for (const login of ["alice", "alice@example.com", "erin", "erin@example.com", "mailless", "nobody@example.com"])
      expect(await asked(login)).toEqual(nobody);
    await on.accounts.settled();
    expect(on.mails.map(({ to }) => to)).toEqual([ALICE.email, ALICE.email]);
  });

  test.each(["not a login", "a@b@c", "\u202ealice", "x".repeat(1000), "😀"])(
    "%j, which is nobody's name, is answered like one",
    async (login) => {
      const { on } = await withAlice(world());
      const page = await forget(login, on.browser());
      expect(page.status).toBe(200);
      expect(page.text).toContain("If there is an account for");
      await on.accounts.settled();
      expect(on.mails).toEqual([]);
    },
  );

  test("what was typed is shown as text", async () => {
    const page = await forget('"><script>alert(1)</script>', world().browser());
    expect(page.html).toContain("&lt;script&gt;");
    expect(page.html).not.toContain("<script>");
  });

  test("a field that is missing is asked for, and one that is there twice is refused", async () => {
    const on = world();
    const browser = on.browser();
    const page = await browser.open(at("/reset-password"));
    const { action, fields } = page.form ?? { action: new URL(at("/reset-password")), fields: {} };
    const { login: _login, ...left } = fields;
    expect((await browser.submit(page, {}, { action, fields: left })).status).toBe(422);
  });
});

describe("mails are limited", () => {
  test("three in an hour for one name, in whatever form, and nobody is told", async () => {
    const { on } = await withAlice(world());
    for (const login of ["alice", "ALICE", "alice", "Alice", "alice"])
      expect((await forget(login, on.browser())).text).toContain("If there is an account");
    await on.accounts.settled();
    expect(on.mails).toHaveLength(3);
    on.time += 3600;
    await forget("alice", on.browser());
    await on.accounts.settled();
    expect(on.mails).toHaveLength(4);
  });

  test("RFC 6585 §4: from one network ten in an hour, whether or not there are accounts, and then 429", async () => {
    const { on } = await withAlice(world());
    for (let n = 0; n < 10; n++) expect((await forget(`user-${n}`, on.browser(`2001:db8::${n}`))).status).toBe(200);
    for (const login of ["alice", "nobody"]) {
      const refused = await forget(login, on.browser("2001:db8::ffff"));
      expect(refused.status).toBe(429);
      expect(refused.headers.get("retry-after")).toBe("3600");
    }
    expect((await forget("alice", on.browser("2001:db8:0:1::1"))).status).toBe(200);
    await on.accounts.settled();
    expect(on.mails).toHaveLength(1);
  });

  test("where no address is known, the name alone counts", async () => {
    const { on } = await withAlice(world());
    for (let n = 0; n < 12; n++) expect((await forget(`user-${n}`, on.browser(""))).status).toBe(200);
  });
});

describe("the link of the mail", () => {
  test("leaves the address at once, for a cookie that is the server's alone", async () => {
    const { on } = await withAlice(world());
    await forget("alice", on.browser());
    const { url } = await mailOf(on, "reset_password");
    const answer = await on.auth.fetch(new Request(url));
    expect(answer.status).toBe(303);
    expect(answer.headers.get("location")).toBe(at("/reset-password/finish"));
    expect(answer.headers.get("referrer-policy")).toBe("no-referrer");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    const [cookie = ""] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^__Host-sallyport-reset-password=sp_mt_/);
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/", "Max-Age=1800"])
      expect(cookie).toContain(attribute);
  });

  test("is spent by nobody who only looks, and by one post", async () => {
    const { on } = await withAlice(world());
    await forget("alice", on.browser());
    const { url } = await mailOf(on, "reset_password");
    for (let look = 0; look < 5; look++) expect((await on.browser().open(url)).status).toBe(200);
    const [first, second] = [on.browser(), on.browser()];
    const [one, other] = [await first.open(url), await second.open(url)];
    expect((await choose(first, one)).url.pathname).toBe("/oauth/account");
    const late = await choose(second, other, "yet another long passphrase");
    expect(late.status).toBe(400);
    expect(late.text).toContain("This link does not work any more");
    expect(late.headers.getSetCookie().join()).toContain("__Host-sallyport-reset-password=;");
    expect((await second.open(url)).status).toBe(400);
  });

  test("of 32 simultaneous posts with different passwords exactly one sets its own", async () => {
    const { on, alice } = await withAlice(world());
    const browser = on.browser();
    const page = await toNewPassword(on, "alice", browser);
    const passwords = Array.from({ length: 32 }, (_, n) => `passphrase of racer number ${n}`);
    const answers = await Promise.all(passwords.map((password) => choose(browser, page, password)));
    const won = answers.flatMap(({ status, url }, n) =>
      status === 200 && url.pathname === "/oauth/account" ? [n] : [],
    );
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(31);
    expect(eventsOf(on, "account.changed")).toHaveLength(1);
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(1);
    const winner = passwords[won[0] ?? -1] ?? "";
    expect((await toAccount(on, "alice", on.browser(), winner)).url.pathname).toBe("/oauth/account");
  });

  test.each([
    [
      "the password was changed by the operator",
      ({ accounts }: World, id: string) => accounts.setPassword(id, PASSWORD),
    ],
    ["the account was disabled", ({ accounts }: World, id: string) => accounts.disableUser(id)],
    [
      "the account was disabled and enabled",
      async ({ accounts }: World, id: string) => {
        await accounts.disableUser(id);
        await accounts.enableUser(id);
      },
    ],
    ["the person was signed out everywhere", ({ accounts }: World, id: string) => accounts.signOutEverywhere(id)],
    [
      "the address was changed",
      ({ accounts }: World, id: string) => accounts.updateUser(id, { email: "new@example.com" }),
    ],
    ["the address was taken away", ({ accounts }: World, id: string) => accounts.updateUser(id, { email: undefined })],
    [
      "another link was used",
      async (on: World) => {
        const browser = on.browser();
        await choose(browser, await toNewPassword(on, "alice", browser));
      },
    ],
    [
      "the person changed the password",
      async (on: World) => {
        const browser = on.browser();
        await toAccount(on, "alice", browser);
        await changePassword(browser, PASSWORD);
      },
    ],
    [
      "the person signed out everywhere",
      async (on: World) => {
        const browser = on.browser();
        await toAccount(on, "alice", browser);
        await act(browser, "sign_out_everywhere");
      },
    ],
    [
      "its time is over",
      async (on: World) => {
        on.time += 1800;
      },
    ],
  ])("is dead once %s", async (_, happen) => {
    const { on, alice } = await withAlice(world());
    const browser = on.browser();
    const page = await toNewPassword(on, "alice", browser);
    const { url } = await mailOf(on, "reset_password");
    await happen(on, alice.id);
    const changes = eventsOf(on, "account.changed").length;
    expect((await choose(browser, page, "a password of nobody else")).status).toBe(400);
    expect((await on.browser().open(url)).status).toBe(400);
    expect(eventsOf(on, "account.changed")).toHaveLength(changes);
    expect((await toAccount(on, "alice", on.browser("203.0.113.5"), "a password of nobody else")).status).toBe(422);
  });

  test("is dead where the account is disabled between the page's check and the writing", async () => {
    const { on, alice } = await withAlice(recorded());
    const browser = on.browser();
    const page = await toNewPassword(on, "alice", browser);
    let struck = false;
    on.storage.before = async (verb, key) => {
      if (verb !== "replace" || struck || !key.startsWith("at-accounts-mail")) return;
      struck = true;
      await on.accounts.disableUser(alice.id);
    };
    expect((await choose(browser, page)).status).toBe(400);
    expect(struck).toBe(true);
    expect(await on.accounts.listSessions(alice.id)).toEqual([]);
    await on.accounts.enableUser(alice.id);
    expect((await toAccount(on, "alice")).url.pathname).toBe("/oauth/account");
  });

  test("is for a new password and for nothing else", async () => {
    const on = world({ accounts: { signUp: true } });
    await on.accounts.createUser(ALICE);
    const asking = on.browser();
    await asking.submit(await asking.open(at("/sign-up")), { email: "new@example.com" });
    const token = new URL((await mailOf(on, "sign_up")).url).searchParams.get("token") ?? "";
    const browser = on.browser();
    for (const each of [token, "sp_mt_", `sp_mt_${"A".repeat(43)}`, "", "x".repeat(10_000)]) {
      const page = await browser.open(`${at("/reset-password/finish")}?${new URLSearchParams({ token: each })}`);
      expect(page.status).toBe(400);
      expect(page.text).toContain("This link does not work any more");
    }
    expect((await browser.open(at("/reset-password/finish"))).status).toBe(400);
  });
});

describe("what is typed", () => {
  test.each([
    ["short", "too short"],
    ["x".repeat(257), "too long"],
    ["iloveyou1", "easy to guess"],
    ["Alice@Example.com", "easy to guess"],
    ["a\u0000 null in a password", undefined],
    ["\u0007 rings a bell", "has a character in it that can not be used"],
  ])("%j is refused, and costs no link", async (password, words) => {
    const { on } = await withAlice(world());
    const browser = on.browser();
    const page = await toNewPassword(on, "alice", browser);
    const refused = await choose(browser, page, password);
    expect(refused.status).toBe(words === undefined ? 400 : 422);
    expect(refused.text).toContain(words ?? "");
    expect(refused.html).not.toMatch(/type="password"[^>]* value=/);
    expect((await choose(browser, page)).url.pathname).toBe("/oauth/account");
  });

  test("two that differ are refused", async () => {
    const { on } = await withAlice(world());
    const browser = on.browser();
    const page = await toNewPassword(on, "alice", browser);
    const refused = await browser.submit(page, { new_password: NEW_PASSWORD, repeat_password: PASSWORD });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain("not the same");
  });

  test("without the token of the page, or with that of another browser, nothing is changed", async () => {
    const { on } = await withAlice(world());
    const browser = on.browser();
    const page = await toNewPassword(on, "alice", browser);
    const elsewhere = await on.browser().open(at("/reset-password"));
    for (const csrf of ["", elsewhere.form?.fields.csrf_token ?? "", "x".repeat(55)])
      expect((await browser.submit(page, { csrf_token: csrf, new_password: NEW_PASSWORD })).status).toBe(403);
    const evil = { ...page, url: new URL("https://evil.example/") };
    expect((await browser.submit(evil, { new_password: NEW_PASSWORD, repeat_password: NEW_PASSWORD })).status).toBe(
      403,
    );
    expect((await toAccount(on, "alice")).url.pathname).toBe("/oauth/account");
  });
});

test("the events name the person, and neither address nor token nor password", async () => {
  const { on, alice } = await withAlice(world());
  const browser = on.browser();
  await choose(browser, await toNewPassword(on, "alice", browser));
  await on.accounts.settled();
  expect(eventsOf(on, "account.mailed")).toMatchObject([
    { mail: "reset_password", subject: alice.id },
    { mail: "password_changed", subject: alice.id },
  ]);
  const text = JSON.stringify(on.events);
  for (const secret of ["sp_mt_", ALICE.email, PASSWORD, NEW_PASSWORD]) expect(text).not.toContain(secret);
});

test("where the storage fails, the page says so, and the link still works afterwards", async () => {
  const { on } = await withAlice(recorded());
  const browser = on.browser();
  const page = await toNewPassword(on, "alice", browser);
  on.storage.reachable = false;
  expect((await choose(browser, page)).status).toBe(503);
  expect((await forget("alice", on.browser())).status).toBe(503);
  on.storage.reachable = true;
  expect((await choose(browser, page)).url.pathname).toBe("/oauth/account");
});
