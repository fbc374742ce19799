import type { AtomicTokenStorage } from "@sallyport/oauth-core/storage";
import { describe, expect, test } from "vitest";
import { act, at, changePassword, eventsOf, recorded, toAccount } from "../test/visits.ts";
import { accessOf, ask, PASSWORD, post, redeem, signIn, toSignIn, type World, world } from "../test/world.ts";

const refresh = (on: World, refreshToken: string) =>
  post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });

const ENDS: readonly (readonly [string, (on: World, id: string) => Promise<unknown>])[] = [
  ["signOutEverywhere", ({ accounts }, id) => accounts.signOutEverywhere(id)],
  ["disableUser", ({ accounts }, id) => accounts.disableUser(id)],
  ["setPassword", ({ accounts }, id) => accounts.setPassword(id, "a password from the operator")],
];

async function signedIn<W extends World>(on: W) {
  const alice = await on.accounts.createUser({ username: "alice", password: PASSWORD });
  const bob = await on.accounts.createUser({ username: "bob", password: PASSWORD });
  const theirs = await signIn(on, "bob");
  const asked = ask();
  const hers = await signIn(on, "alice");
  return { on, alice, bob, ...hers, theirs, asked, out: await toSignIn(hers.browser, asked) };
}

describe("the operator ends what a person has begun", () => {
  test.each(ENDS)("%s: sessions, access tokens, refresh tokens and codes, at once; nobody else's", async (_, end) => {
    const { on, alice, bob, browser, accessToken, refreshToken, theirs, asked, out } = await signedIn(world());
    expect(await accessOf(on, accessToken)).toMatchObject({ subject: alice.id });
    await end(on, alice.id);
    expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
    expect((await refresh(on, refreshToken)).body).toMatchObject({ error: "invalid_grant" });
    expect((await redeem(on, out, asked)).body).toMatchObject({ error: "invalid_grant" });
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
    expect(await on.accounts.listSessions(alice.id)).toEqual([]);
    expect((await on.auth.listGrants({ subject: alice.id })).grants).toEqual([]);
    expect(eventsOf(on, "account.signed_out")).toMatchObject([{ subject: alice.id, by: "operator", everywhere: true }]);

    expect(await accessOf(on, theirs.accessToken)).toMatchObject({ subject: bob.id });
    expect((await refresh(on, theirs.refreshToken)).status).toBe(200);
    expect((await theirs.browser.open(at("/account"))).url.pathname).toBe("/oauth/account");
  });

  test("nobody is signed out who is not there", async () => {
    const { accounts } = world();
    const unknown = expect.objectContaining({ name: "AccountError", reason: "user_unknown" });
    await expect(accounts.signOutEverywhere("nobody")).rejects.toThrow(unknown);
    await expect(accounts.disableUser("nobody")).rejects.toThrow(unknown);
    await expect(accounts.enableUser("nobody")).rejects.toThrow(unknown);
    await expect(accounts.setPassword("nobody", PASSWORD)).rejects.toThrow(unknown);
    await expect(accounts.listSessions("nobody")).rejects.toThrow(unknown);
  });

  test("disabling twice disables once, and signs out both times", async () => {
    const { on, alice } = await signedIn(world());
    const { epoch } = await on.accounts.disableUser(alice.id);
    expect((await on.accounts.disableUser(alice.id)).epoch).toBe(epoch);
    expect((await on.accounts.enableUser(alice.id)).disabled).toBe(false);
  });
});

/** The same storage without `list`. */
function withoutList(storage: AtomicTokenStorage): AtomicTokenStorage {
  return {
    get: (key) => storage.get(key),
    save: (key, value, ttl) => storage.save(key, value, ttl),
    delete: (key) => storage.delete(key),
    claim: (key, value, ttl) => storage.claim(key, value, ttl),
    replace: (key, expected, value, ttl) => storage.replace(key, expected, value, ttl),
    cleanup: () => storage.cleanup(),
  };
}

describe("over a storage that can't list", () => {
  test.each(ENDS)(
    "%s: no session counts, no token is refreshed, no code redeemed; access tokens expire",
    async (_, end) => {
      const { storage } = recorded();
      const { on, alice, browser, accessToken, refreshToken, asked, out, theirs } = await signedIn(
        world({ server: { tokenStorage: withoutList(storage) } }),
      );
      await end(on, alice.id);
      expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
      expect((await redeem(on, out, asked)).body).toMatchObject({ error: "invalid_grant" });
      expect(await accessOf(on, accessToken)).toMatchObject({ subject: alice.id });
      expect((await refresh(on, refreshToken)).body).toMatchObject({ error: "invalid_grant" });
      // The refresh that was tried has ended the grant.
      expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
      const [told] = eventsOf(on, "warning").filter(({ message }) => message.includes("no list"));
      expect(told?.message).toContain("access tokens that are out count until they expire");
      expect(await on.accounts.listSessions(alice.id)).toBeUndefined();
      expect((await refresh(on, theirs.refreshToken)).status).toBe(200);
    },
  );

  test("a person changes their password and signs out everywhere all the same", async () => {
    const { storage } = recorded();
    const { on, browser, refreshToken } = await signedIn(world({ server: { tokenStorage: withoutList(storage) } }));
    const other = on.browser();
    await toAccount(on, "alice", other);
    expect((await changePassword(browser, PASSWORD)).text).toContain("Your password is changed");
    expect((await other.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
    expect((await refresh(on, refreshToken)).status).toBe(400);
    expect((await act(browser, "sign_out_everywhere")).url.pathname).toBe("/oauth/sign-in");
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
  });
});

describe("races", () => {
  test("disabled between the spending of the code and the question whether the account stands: no token", async () => {
    const { on, alice, asked, out } = await signedIn(recorded());
    let struck = false;
    on.storage.before = async (verb, key) => {
      // The grant is written: whoever disables now finds it, or is found by the question that follows.
      if (struck || verb !== "get" || !key.startsWith("at-accounts-user:")) return;
      struck = true;
      await on.accounts.disableUser(alice.id);
    };
    expect(await redeem(on, out, asked)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(struck).toBe(true);
    expect((await on.auth.listGrants({ subject: alice.id })).grants).toEqual([]);
  });

  test("disabled at any call of a redemption: no token that counts is given", async () => {
    for (let nth = 0; ; nth++) {
      const { on, alice, asked, out } = await signedIn(recorded());
      let calls = 0;
      let struck = false;
      on.storage.before = async () => {
        if (struck || calls++ !== nth) return;
        struck = true;
        await on.accounts.disableUser(alice.id);
      };
      const { body } = await redeem(on, out, asked);
      on.storage.before = () => undefined;
      if (!struck) {
        expect(nth).toBeGreaterThan(3);
        break;
      }
      // Where the answer was on its way already, its tokens are worth nothing.
      if (body.access_token !== undefined)
        expect(await accessOf(on, String(body.access_token))).toMatchObject({ status: 401 });
      if (body.refresh_token !== undefined) expect((await refresh(on, String(body.refresh_token))).status).toBe(400);
      expect((await on.auth.listGrants({ subject: alice.id })).grants).toEqual([]);
    }
  });

  test("disabled at any call of a refresh: no token that counts is given", async () => {
    for (let nth = 0; ; nth++) {
      const { on, alice, refreshToken } = await signedIn(recorded());
      let calls = 0;
      let struck = false;
      on.storage.before = async () => {
        if (struck || calls++ !== nth) return;
        struck = true;
        await on.accounts.disableUser(alice.id);
      };
      const { body } = await refresh(on, refreshToken);
      on.storage.before = () => undefined;
      if (!struck) {
        expect(nth).toBeGreaterThan(2);
        break;
      }
      if (body.access_token !== undefined)
        expect(await accessOf(on, String(body.access_token))).toMatchObject({ status: 401 });
      expect((await on.auth.listGrants({ subject: alice.id })).grants).toEqual([]);
    }
  });
});
