import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { finish, isCallback, RawBrowser } from "../test/raw-browser.ts";
import { accessOf, ask, PASSWORD, post, redeem, signIn, type WorldOptions, world } from "../test/world.ts";
import { PasswordHashing } from "./password-hashing.ts";
import type { User, UserStore } from "./user-store.ts";

async function withAlice(options: WorldOptions = {}) {
  const on = world(options);
  const alice = await on.accounts.createUser({ username: "alice", password: PASSWORD });
  return { on, alice, browser: new RawBrowser(on) };
}

/** Where the browser is sent from the sign-in page: the callback's address, with the ticket in it. */
async function ticketOf(browser: RawBrowser, login = "alice"): Promise<URL> {
  const page = await browser.signInPage();
  // Where a session goes on, nothing is asked.
  const { location } = page.location === undefined ? await browser.type(page, login) : page;
  if (location === undefined) throw new Error("not signed in");
  return location;
}

const withParameter = (url: URL, name: string, value: string): string => {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed.href;
};

/** What the client is told. */
async function told(browser: RawBrowser, address: string): Promise<string> {
  const { status, location } = await browser.get(address);
  if (!isCallback(location)) return `page ${status}`;
  return location?.searchParams.get("error") ?? (location?.searchParams.has("code") ? "code" : "");
}

describe("RFC 9700 §4.5: the ticket of a sign-in", () => {
  test("the control: brings a code, once", async () => {
    const { browser } = await withAlice();
    const { href } = await ticketOf(browser);
    expect(await told(browser, href)).toBe("code");
    expect(await told(browser, href)).toBe("page 400");
  });

  test("brings one code, however often the callback is called at the same time", async () => {
    const { browser } = await withAlice();
    const { href } = await ticketOf(browser);
    const answers = await Promise.all(Array.from({ length: 32 }, () => told(browser, href)));
    expect(answers.filter((answer) => answer === "code")).toHaveLength(1);
  });

  test("of one sign-in is nothing in another of the same browser", async () => {
    const { browser } = await withAlice();
    const [one, other] = [await ticketOf(browser), await ticketOf(browser)];
    const swapped = withParameter(one, "code", other.searchParams.get("code") ?? "");
    expect(await told(browser, swapped)).toBe("access_denied");
    // And the other one is still good for its own.
    expect(await told(browser, other.href)).toBe("code");
  });

  test("of an attacker's browser signs nobody in elsewhere", async () => {
    const { on, browser: victim } = await withAlice();
    await on.accounts.createUser({ username: "mallory", password: PASSWORD });
    const theirs = await ticketOf(new RawBrowser(on), "mallory");
    // The whole address, and the ticket alone in a sign-in that the victim began.
    expect(await told(victim, theirs.href)).toBe("page 400");
    const own = await ticketOf(victim);
    expect(await told(victim, withParameter(own, "code", theirs.searchParams.get("code") ?? ""))).toBe("access_denied");
  });

  test("of a victim is worth nothing to a thief with a sign-in of their own", async () => {
    const { on, browser: victim } = await withAlice();
    await on.accounts.createUser({ username: "mallory", password: PASSWORD });
    const stolen = (await ticketOf(victim)).searchParams.get("code") ?? "";
    const thief = new RawBrowser(on);
    expect(await told(thief, withParameter(await ticketOf(thief, "mallory"), "code", stolen))).toBe("access_denied");
  });

  test("expires after a minute", async () => {
    const { on, browser } = await withAlice();
    const [early, late] = [await ticketOf(browser), await ticketOf(browser)];
    on.time += 59;
    expect(await told(browser, early.href)).toBe("code");
    on.time += 1;
    expect(await told(browser, late.href)).toBe("access_denied");
  });

  test("with a character changed is none", async () => {
    const { browser } = await withAlice();
    const address = await ticketOf(browser);
    const code = address.searchParams.get("code") ?? "";
    const at = code.length - 20;
    const spoilt = code.slice(0, at) + (code[at] === "A" ? "B" : "A") + code.slice(at + 1);
    expect(await told(browser, withParameter(address, "code", spoilt))).toBe("access_denied");
  });

  test("is no sealed request, nor the other way round", async () => {
    const { browser } = await withAlice();
    const page = await browser.signInPage();
    const address = await ticketOf(browser);
    const ticket = address.searchParams.get("code") ?? "";
    expect((await browser.get(`/oauth/sign-in?request=${ticket}`)).status).toBe(400);
    expect(await told(browser, withParameter(address, "code", page.fields.request ?? ""))).toBe("access_denied");
  });

  test.each([
    ["was disabled", "disableUser"],
    ["was signed out everywhere", "signOutEverywhere"],
  ] as const)("of somebody who %s meanwhile brings no code", async (_, verb) => {
    const { on, alice, browser } = await withAlice();
    const { href } = await ticketOf(browser);
    await on.accounts[verb](alice.id);
    expect(await told(browser, href)).toBe("access_denied");
    expect(on.events.at(-1)).toMatchObject({ type: "sign_in.failed", reason: "account_barred" });
  });

  test("of somebody who was given another password meanwhile brings no code", async () => {
    const { on, alice, browser } = await withAlice();
    const { href } = await ticketOf(browser);
    await on.accounts.setPassword(alice.id, "another good password");
    expect(await told(browser, href)).toBe("access_denied");
  });

  test("names nobody and carries no state that could be read", async () => {
    const { alice, browser } = await withAlice();
    const ticket = (await ticketOf(browser)).searchParams.get("code") ?? "";
    const bytes = Buffer.from(ticket.split(".").at(-1) ?? "", "base64url").toString("latin1");
    for (const text of [ticket, bytes]) for (const word of ["alice", alice.id, "pwd"]) expect(text).not.toContain(word);
  });
});

describe("a disabled account", () => {
  test("has no session, no code, no refresh token and no access token that still works", async () => {
    const { on, alice, browser } = await withAlice();
    const { accessToken, refreshToken } = await signIn(on, "alice");
    await browser.signIn("alice");
    const asked = ask();
    const { location: callback } = await browser.get(await browser.toSignIn(asked));
    const { location } = await browser.get(callback?.href ?? "");

    await on.accounts.disableUser(alice.id);
    expect(await browser.isSignedIn()).toBe(false);
    const code = location?.searchParams.get("code") ?? "";
    expect(code).toMatch(/^sp_ac_/);
    const redeemed = await post(on, "token", {
      grant_type: "authorization_code",
      code,
      code_verifier: asked.verifier,
      redirect_uri: "https://client.example/callback",
    });
    expect(redeemed).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    const refreshed = await post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });
    expect(refreshed).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await accessOf(on, accessToken)).toBeInstanceOf(Response);
  });

  test("is let in nowhere by a session, and not by the password", async () => {
    const { on, alice, browser } = await withAlice();
    await browser.signIn("alice");
    await on.accounts.disableUser(alice.id);
    const page = await browser.signInPage();
    expect(page.status).toBe(200);
    expect((await browser.type(page, "alice")).status).toBe(422);
    expect(on.events.at(-1)).toMatchObject({ type: "account.sign_in_failed", because: "disabled" });
  });

  test("that is enabled again has to sign in anew: nothing from before comes back", async () => {
    const { on, alice, browser } = await withAlice();
    const { refreshToken } = await signIn(on, "alice");
    await browser.signIn("alice");
    const { href } = await ticketOf(browser);
    await on.accounts.disableUser(alice.id);
    await on.accounts.enableUser(alice.id);
    expect(await browser.isSignedIn()).toBe(false);
    expect(await told(browser, href)).toBe("access_denied");
    const refreshed = await post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });
    expect(refreshed.status).toBe(400);
    expect((await browser.type(await browser.get("/oauth/sign-in"), "alice")).status).toBe(303);
  });

  test("that was disabled while its password was looked at gets no session that counts", async () => {
    const { on, alice, browser } = await withAlice();
    const page = await browser.get("/oauth/sign-in");
    // The disabling overtakes the sign-in, which is busy with the hash.
    const [answer] = await Promise.all([browser.type(page, "alice"), on.accounts.disableUser(alice.id)]);
    expect([303, 422]).toContain(answer.status);
    expect(await browser.isSignedIn()).toBe(false);
    await on.accounts.enableUser(alice.id);
    expect(await browser.isSignedIn()).toBe(false);
  });
});

test("somebody whom the operator's own table calls disabled is out as well, though nobody raised their epoch", async () => {
  let alice: User = {
    id: "alice",
    username: "alice",
    passwordHash: await new PasswordHashing({ randomBytes }).hash(PASSWORD),
    emailVerified: false,
    roles: [],
    claims: {},
    disabled: false,
    epoch: 0,
    createdAt: 0,
    version: 0,
  };
  const users: UserStore = {
    find: async (id) => (id === "alice" ? alice : undefined),
    findByLogin: async () => alice,
    create: async () => "taken",
    update: async () => "stale",
    list: async () => ({ users: [alice] }),
  };
  const on = world({ accounts: { users } });
  const { refreshToken } = await signIn(on, "alice");
  const browser = new RawBrowser(on);
  await browser.signIn("alice");
  const { href } = await ticketOf(browser);
  alice = { ...alice, disabled: true };
  expect(await told(browser, href)).toBe("access_denied");
  expect(await browser.isSignedIn()).toBe(false);
  const refreshed = await post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });
  expect(refreshed.body.error).toBe("invalid_grant");
});

describe("signing out everywhere", () => {
  test("ends sessions, codes, refresh tokens and access tokens, and the person may sign in again", async () => {
    const { on, alice, browser } = await withAlice();
    const { accessToken, refreshToken } = await signIn(on, "alice");
    await browser.signIn("alice");
    const asked = ask();
    const answer = await browser.get(await browser.toSignIn(asked));
    const code = await finish(browser, answer);
    expect(code.get("code")).toMatch(/^sp_ac_/);
    await on.accounts.signOutEverywhere(alice.id);
    expect(await browser.isSignedIn()).toBe(false);
    const redeemed = await post(on, "token", {
      grant_type: "authorization_code",
      code: code.get("code") ?? "",
      code_verifier: asked.verifier,
      redirect_uri: "https://client.example/callback",
    });
    expect(redeemed.body.error).toBe("invalid_grant");
    const refreshed = await post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });
    expect(refreshed.body.error).toBe("invalid_grant");
    expect(await accessOf(on, accessToken)).toBeInstanceOf(Response);
    await signIn(on, "alice");
  });
});

describe("what an upstream's callback would take, and this one does not", () => {
  test.each([
    ["no ticket", (address: URL) => address.href.replace(/&code=.*/, "")],
    ["an empty one", (address: URL) => withParameter(address, "code", "")],
    ["another server's code", (address: URL) => withParameter(address, "code", `sp_ac_${"A".repeat(43)}`)],
    ["a megabyte", (address: URL) => withParameter(address, "code", "A".repeat(1024 * 1024))],
    ["an error of a stranger's words", (address: URL) => `${address.href.replace(/&code=.*/, "")}&error=zq7Canary`],
  ])("%s brings no code", async (_, change) => {
    const { on, browser } = await withAlice();
    const answer = await browser.get(change(await ticketOf(browser)));
    expect(answer.status).toBe(302);
    expect(answer.location?.searchParams.get("code")).toBeNull();
    expect(answer.location?.searchParams.get("error")).toMatch(/^(access_denied|server_error)$/);
    expect(JSON.stringify([answer.location, on.events])).not.toContain("zq7Canary");
  });
});

test("the identity is today's: a role that was taken away since the page is in no token", async () => {
  const { on, alice, browser } = await withAlice();
  await on.accounts.updateUser(alice.id, { roles: ["admin"] });
  const asked = ask();
  const back = await browser.type(await browser.signInPage(asked), "alice");
  await on.accounts.updateUser(alice.id, { roles: [] });
  const { location } = await browser.get(back.location?.href ?? "");
  if (location === undefined) throw new Error("no answer");
  const page = { url: location, status: 302, headers: new Headers(), html: "", text: "", form: undefined, forms: [] };
  const { body } = await redeem(on, page, asked);
  const access = await accessOf(on, String(body.access_token));
  expect(access).toMatchObject({ subject: alice.id });
  expect(access).not.toMatchObject({ claims: { roles: ["admin"] } });
});
