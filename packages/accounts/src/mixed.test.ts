import { startIdentityProvider } from "@sallyport/example-demo-idp";
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { OAuthProxy, type SignedInIdentity } from "@sallyport/oauth-core";
import { oidc } from "@sallyport/providers";
import { describe, expect, test } from "vitest";
import {
  ACME_ALICE,
  byAcme,
  chooseProvider,
  linkAcme,
  type MixedWorld,
  mixed,
  signInByAcme,
  signInByPassword,
} from "../test/mixed.ts";
import { act, at, callsOf, eventsOf, formFor, idsOn, recorded, toAccount } from "../test/visits.ts";
import {
  accessOf,
  ask,
  BASE_URL,
  CALLBACK,
  CLIENT,
  PASSWORD,
  post,
  redeem,
  SECRET,
  signIn,
  type World,
  world,
} from "../test/world.ts";
import type { User, UserStore } from "./user-store.ts";

const refresh = (on: World, refreshToken: string) =>
  post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });

/** Alice, with an identity at Acme linked. */
async function withLinked(on: MixedWorld) {
  const alice = await on.accounts.createUser({
    username: "alice",
    password: PASSWORD,
    name: "Alice",
    roles: ["admin"],
    claims: { plan: "pro" },
  });
  const browser = on.browser();
  await toAccount(on, "alice", browser);
  await linkAcme(on, browser);
  return { alice, browser };
}

describe("accounts and another provider on one page", () => {
  test("are offered beside each other, and each leads to its own sign-in", async () => {
    await using on = await mixed();
    const { id } = await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const page = await on.browser().open(ask().url);
    expect(page.text).toContain("Continue with your password");
    expect(page.text).toContain("Continue with Acme");
    const byPassword = await signInByPassword(on, "alice");
    expect(await accessOf(on, byPassword.accessToken)).toMatchObject({ subject: id });
    // Who is linked with no account is somebody of their own.
    const { accessToken } = await signInByAcme(on);
    expect(await accessOf(on, accessToken)).toMatchObject({ subject: "acme|1234" });
  });

  test("a verified address alone makes nobody the person with the same one here", async () => {
    await using on = await mixed();
    await on.accounts.createUser({ email: ACME_ALICE.email, emailVerified: true, password: PASSWORD });
    const { accessToken } = await signInByAcme(on);
    expect(await accessOf(on, accessToken)).toMatchObject({ subject: "acme|1234" });
  });

  test("no session of the account begins by another provider, and none ends", async () => {
    await using on = await mixed();
    const { alice } = await withLinked(on);
    const { browser } = await signInByAcme(on);
    expect((await browser.open(at("/account"))).url.pathname).toBe("/oauth/sign-in");
    expect(await on.accounts.listSessions(alice.id)).toHaveLength(1);
  });
});

describe("a sign-in by a linked identity", () => {
  test("is one of the account: its subject, roles and claims; and the upstream's tokens stay at hand", async () => {
    await using on = await mixed();
    const { alice } = await withLinked(on);
    const { accessToken } = await signInByAcme(on);
    const access = await accessOf(on, accessToken);
    expect(access).toMatchObject({
      subject: alice.id,
      claims: { roles: ["admin"], plan: "pro", name: "Alice", preferred_username: "alice" },
    });
    expect(access).not.toHaveProperty("claims.email");
    const loaded = await on.auth.loadUpstreamTokens(accessToken);
    expect(on.upstream.isLiving(loaded?.accessToken ?? "")).toBe(true);
    expect(eventsOf(on, "sign_in.completed")).toMatchObject([{ subject: alice.id, provider: "acme" }]);
    const { grants } = await on.auth.listGrants({ subject: alice.id });
    expect(grants).toHaveLength(1);
  });

  test("RFC 6749 §6: an upstream's refresh does not put its words in place of the account's", async () => {
    await using on = await mixed();
    const { alice } = await withLinked(on);
    const { accessToken, refreshToken } = await signInByAcme(on);
    const before = await on.auth.loadUpstreamTokens(accessToken);
    on.time += 3590;
    // A tool that needs the upstream's tokens has them refreshed as well, and then nobody asks the account.
    await on.auth.loadUpstreamTokens(accessToken);
    expect(eventsOf(on, "upstream.refreshed")).toHaveLength(1);
    const { grants } = await on.auth.listGrants({ subject: alice.id });
    expect(grants).toMatchObject([{ claims: { roles: ["admin"], plan: "pro", name: "Alice" } }]);
    const { body, status } = await refresh(on, refreshToken);
    expect(status).toBe(200);
    expect(await accessOf(on, String(body.access_token))).toMatchObject({
      subject: alice.id,
      claims: { roles: ["admin"], plan: "pro", name: "Alice", preferred_username: "alice" },
    });
    const after = await on.auth.loadUpstreamTokens(String(body.access_token));
    expect(after?.accessToken).not.toBe(before?.accessToken);
    expect(on.upstream.isLiving(after?.accessToken ?? "")).toBe(true);
  });

  test("roles that the operator changes are in the token after the next refresh", async () => {
    await using on = await mixed();
    const { alice } = await withLinked(on);
    const { refreshToken } = await signInByAcme(on);
    await on.accounts.updateUser(alice.id, { roles: ["reader"], name: "Alice L." });
    const { body } = await refresh(on, refreshToken);
    expect(await accessOf(on, String(body.access_token))).toMatchObject({
      claims: { roles: ["reader"], name: "Alice L." },
    });
  });

  test("a disabled account lets nobody in by it, and what came in before is over", async () => {
    await using on = await mixed();
    const { alice } = await withLinked(on);
    const { accessToken, refreshToken } = await signInByAcme(on);
    const out = await byAcme(on);
    const loaded = await on.auth.loadUpstreamTokens(accessToken);
    await on.accounts.disableUser(alice.id);
    expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
    expect((await refresh(on, refreshToken)).body).toMatchObject({ error: "invalid_grant" });
    expect((await redeem(on, out.back, out.asked)).body).toMatchObject({ error: "invalid_grant" });
    expect(on.upstream.isLiving(loaded?.accessToken ?? "")).toBe(false);
    const { back } = await byAcme(on);
    expect(back.url.searchParams.get("error")).toBe("access_denied");
    // Nor as somebody of their own.
    expect((await on.auth.listGrants()).grants).toEqual([]);
    await on.accounts.enableUser(alice.id);
    const again = await signInByAcme(on);
    expect(await accessOf(on, again.accessToken)).toMatchObject({ subject: alice.id });
  });

  test("signing out everywhere ends what came in by it as well, and it can be used anew", async () => {
    await using on = await mixed();
    const { alice, browser } = await withLinked(on);
    const { accessToken, refreshToken } = await signInByAcme(on);
    const out = await byAcme(on);
    await act(browser, "sign_out_everywhere");
    expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
    expect((await refresh(on, refreshToken)).status).toBe(400);
    expect((await redeem(on, out.back, out.asked)).status).toBe(400);
    const { accessToken: next } = await signInByAcme(on);
    expect(await accessOf(on, next)).toMatchObject({ subject: alice.id });
  });

  test("is the last way in of somebody without a password, and is not unlinked", async () => {
    const stored = new Map<string, User>();
    await using on = await mixed({ accounts: { users: usersIn(stored) } });
    const { alice, browser } = await withLinked(on);
    const { passwordHash, ...user } = stored.get(alice.id) ?? {};
    expect(passwordHash).toBeTruthy();
    stored.set(alice.id, user as User);
    const unlink = async () =>
      act(browser, "unlink", { id: idsOn(await browser.open(at("/account")), "unlink")[0] ?? "" });
    const page = await unlink();
    expect(page.text).toContain("This is your only way to sign in");
    expect(page.forms.some(({ fields }) => fields.action === "change_password")).toBe(false);
    expect(await on.accounts.listLinks(alice.id)).toHaveLength(1);
    const { accessToken } = await signInByAcme(on);
    expect(await accessOf(on, accessToken)).toMatchObject({ subject: alice.id });
    stored.set(alice.id, { ...(user as User), passwordHash });
    expect((await unlink()).text).toContain("The sign-in is unlinked");
  });
});

/** Users as an application of the operator's might keep them, who can take passwords away. */
function usersIn(stored: Map<string, User>): UserStore {
  return {
    find: async (id) => stored.get(id),
    findByLogin: async (login) =>
      [...stored.values()].find((user) =>
        "username" in login ? user.username === login.username : user.email === login.email,
      ),
    create: async (user) => {
      stored.set(user.id, user);
      return "created";
    },
    update: async (user) => {
      if (stored.get(user.id)?.version !== user.version) return "stale";
      stored.set(user.id, { ...user, version: user.version + 1 });
      return "updated";
    },
    list: async () => ({ users: [...stored.values()] }),
  };
}

describe("the option allow beside accounts", () => {
  test("is asked about the same person at the sign-in and at each refresh, by whichever way they came", async () => {
    const asked: SignedInIdentity[] = [];
    const allow = (identity: SignedInIdentity) => {
      asked.push(identity);
      return true;
    };
    await using on = await mixed({ server: { allow } });
    const { alice } = await withLinked(on);
    asked.length = 0;
    const { refreshToken } = await signInByAcme(on);
    const own = await signInByPassword(on, "alice");
    on.time += 3590;
    expect((await refresh(on, refreshToken)).status).toBe(200);
    expect((await refresh(on, own.refreshToken)).status).toBe(200);
    expect(asked.map(({ provider, subject }) => `${provider} ${subject === alice.id}`)).toEqual([
      "acme true",
      "accounts true",
      "acme true",
      "accounts true",
    ]);
  });

  test("lets in by rules for each provider, and ends an account's grant when they match no more", async () => {
    await using on = await mixed({
      server: {
        allow: [
          { providers: ["accounts"], emailDomains: ["notes.example"] },
          { providers: ["acme"], emailDomains: ["acme.example"] },
        ],
      },
    });
    const { id } = await on.accounts.createUser({
      email: "alice@notes.example",
      emailVerified: true,
      password: PASSWORD,
    });
    await on.accounts.createUser({ username: "bob", password: PASSWORD });
    expect((await signInByAcme(on)).accessToken).toBeTruthy();
    const browser = on.browser();
    const page = await browser.submit(await chooseProvider(browser, "accounts", ask()), {
      login: "bob",
      password: PASSWORD,
    });
    expect(page.status).toBe(403);
    const { refreshToken } = await signInByPassword(on, "alice@notes.example");
    expect((await refresh(on, refreshToken)).status).toBe(200);
    const next = await signInByPassword(on, "alice@notes.example");
    // Another address is not verified, and matches nothing.
    await on.accounts.updateUser(id, { email: "alice@elsewhere.example" });
    expect((await refresh(on, next.refreshToken)).body).toMatchObject({ error: "invalid_grant" });
  });

  test("where it can't be decided for a moment, nobody is signed out and nobody let in", async () => {
    let fails = false;
    const allow = () => {
      if (fails) throw new Error("directory down");
      return true;
    };
    const on = world({ server: { allow } });
    await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const { refreshToken } = await signIn(on, "alice");
    fails = true;
    expect((await refresh(on, refreshToken)).status).toBe(503);
    fails = false;
    expect((await refresh(on, refreshToken)).status).toBe(200);
  });
});

describe("the option linkSubject beside accounts", () => {
  const named = { server: { linkSubject: ({ provider }: SignedInIdentity) => `everybody-of-${provider}` } };

  test("names whoever signs in, and what the account says still counts", async () => {
    await using on = await mixed(named);
    const { alice } = await withLinked(on);
    const own = await signInByPassword(on, "alice");
    const linked = await signInByAcme(on);
    expect(await accessOf(on, own.accessToken)).toMatchObject({ subject: "everybody-of-accounts" });
    expect(await accessOf(on, linked.accessToken)).toMatchObject({
      subject: "everybody-of-acme",
      claims: { roles: ["admin"] },
    });
    expect((await refresh(on, own.refreshToken)).status).toBe(200);
    await on.accounts.disableUser(alice.id);
    // The grants are under another name than the account's: they end when they are next used, and not at once.
    expect((await refresh(on, linked.refreshToken)).body).toMatchObject({ error: "invalid_grant" });
    expect(await accessOf(on, linked.accessToken)).toMatchObject({ status: 401 });
    expect((await byAcme(on)).back.url.searchParams.get("error")).toBe("access_denied");
  });
});

describe("the operator takes something out of the configuration, and puts it back", () => {
  /** A proxy in the place of the server, with Acme and without accounts. */
  function withoutAccounts(on: MixedWorld): World {
    const auth = new OAuthProxy({
      baseUrl: BASE_URL,
      secret: SECRET,
      providers: [on.acme],
      tokenStorage: on.storage,
      resourceScopes: ["notes:read", "notes:write"],
      clients: [CLIENT],
      onEvent: (event) => on.events.push(event),
      runtime: { now: () => on.time, fetch },
    });
    return { ...on, auth: Object.assign(auth, { accounts: on.accounts }), browser: on.browser };
  }

  test("the accounts: nothing is given meanwhile, and nothing is lost", async () => {
    await using on = await mixed();
    const { alice } = await withLinked(on);
    const linked = await signInByAcme(on);
    const own = await signInByPassword(on, "alice");
    const other = withoutAccounts(on);
    for (const { refreshToken } of [linked, own]) {
      const answer = await refresh(other, refreshToken);
      expect(answer).toMatchObject({ status: 500, body: { error: "server_error" } });
    }
    expect(eventsOf(on, "request.refused").map(({ reason }) => reason)).toEqual([
      "provider_missing",
      "provider_missing",
    ]);
    for (const { refreshToken } of [linked, own]) {
      const { status, body } = await refresh(on, refreshToken);
      expect(status).toBe(200);
      expect(await accessOf(on, String(body.access_token))).toMatchObject({ subject: alice.id });
    }
  });

  test("a link that is under way when the accounts go ends on a page, and links nothing", async () => {
    await using on = await mixed();
    const alice = await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const other = withoutAccounts(on);
    const moved = new ScriptedBrowser({
      stopAt: (url) => !url.href.startsWith(BASE_URL),
      fetch: async (request) => {
        const auth = request.url.includes("/callback/") ? other.auth : on.auth;
        return (await auth.handle(request)) ?? new Response(null, { status: 404 });
      },
    });
    await toAccount(on, "alice", moved);
    const page = await linkAcme(on, moved);
    expect(page.status).toBe(400);
    expect(await on.accounts.listLinks(alice.id)).toEqual([]);
  });

  test("the other provider: what came in by it waits, its link is still there, and the password goes on", async () => {
    await using on = await mixed();
    const { alice } = await withLinked(on);
    const linked = await signInByAcme(on);
    const own = await signInByPassword(on, "alice");
    const alone = world({ server: { tokenStorage: on.storage } });
    alone.time = on.time;
    expect(await refresh(alone, linked.refreshToken)).toMatchObject({ status: 500 });
    expect((await refresh(alone, own.refreshToken)).status).toBe(200);
    expect(await alone.accounts.listLinks(alice.id)).toHaveLength(1);
    const browser = alone.browser();
    const page = await toAccount(alone, "alice", browser);
    expect(page.text).toContain(ACME_ALICE.email);
    expect(page.forms.some(({ fields }) => fields.action === "link")).toBe(false);
    expect((await refresh(on, linked.refreshToken)).status).toBe(200);
  });
});

describe("Round trips to the storage", () => {
  test("with accounts a redemption costs 4 and a refresh 3; linked 6 and 5; and one more write where the claims have changed", async () => {
    await using on = await mixed();
    const { alice } = await withLinked(on);
    const counted = async (signedIn: {
      readonly asked: ReturnType<typeof ask>;
      readonly back: Awaited<ReturnType<typeof byAcme>>["back"];
    }) => {
      let body: Readonly<Record<string, unknown>> = {};
      const redeeming = await callsOf(on, async () => ({ body } = await redeem(on, signedIn.back, signedIn.asked)));
      let next: Readonly<Record<string, unknown>> = {};
      const refreshing = await callsOf(
        on,
        async () => ({ body: next } = await refresh(on, String(body.refresh_token))),
      );
      await on.accounts.updateUser(alice.id, { claims: { plan: String(next.access_token).slice(-8) } });
      const changed = await callsOf(on, () => refresh(on, String(next.refresh_token)));
      const words = (calls: readonly string[]) => calls.map((call) => call.replace(/at-(accounts-)?/, ""));
      return { redeeming: words(redeeming), refreshing: words(refreshing), changed: words(changed) };
    };
    const browser = on.browser();
    const asked = ask();
    const page = await chooseProvider(browser, "accounts", asked);
    const back = await browser.submit(page, { login: "alice", password: PASSWORD });
    expect(await counted({ asked, back })).toEqual({
      redeeming: ["get code", "claim redemption", "claim grant", "get user"],
      refreshing: ["get grant", "get user", "replace grant"],
      changed: ["get grant", "get user", "replace grant", "replace grant"],
    });
    expect(await counted(await byAcme(on))).toEqual({
      redeeming: ["get code", "claim redemption", "claim grant", "get user", "get link", "get links"],
      refreshing: ["get grant", "get user", "get link", "get links", "replace grant"],
      changed: ["get grant", "get user", "get link", "get links", "replace grant", "replace grant"],
    });
  });

  test("a provider without an account behind it asks nothing of accounts", async () => {
    await using on = await mixed();
    const { refreshToken } = await signInByAcme(on);
    const calls = await callsOf(on, () => refresh(on, refreshToken));
    expect(calls.map((call) => call.replace("at-", ""))).toEqual(["get grant", "replace grant"]);
  });

  test("where the users can't be asked for a moment, the client tries again, and nothing is lost", async () => {
    const on = recorded();
    await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const browser = on.browser();
    const asked = ask();
    const consent = await browser.submit(await browser.open(asked.url), { action: "approve" });
    const back = await browser.submit(consent, { login: "alice", password: PASSWORD });
    expect(back.url.href).toContain(CALLBACK);
    on.storage.before = (_, key) => {
      if (key.startsWith("at-accounts-user:")) throw new Error("connection refused");
    };
    expect((await redeem(on, back, asked)).status).toBe(503);
    on.storage.before = () => undefined;
    const { status, body } = await redeem(on, back, asked);
    expect(status).toBe(200);
    on.storage.before = (_, key) => {
      if (key.startsWith("at-accounts-user:")) throw new Error("connection refused");
    };
    expect((await refresh(on, String(body.refresh_token))).status).toBe(503);
    on.storage.before = () => undefined;
    expect((await refresh(on, String(body.refresh_token))).status).toBe(200);
  });
});

test("with a real OpenID Connect provider: linked, signed in by it, refreshed, unlinked", async () => {
  const callback = `${BASE_URL}/oauth/callback/oidc`;
  const clientSecret = "the client secret of this test, which is long enough";
  const provider = await startIdentityProvider({
    clients: [{ clientId: "our-app", clientSecret, redirectUris: [callback] }],
    accessTokenTtl: 300,
  });
  try {
    const clock = { ahead: 0 };
    const now = () => Math.floor(Date.now() / 1000) + clock.ahead;
    const real = oidc({
      issuer: provider.issuer,
      clientId: "our-app",
      clientSecret,
      scopes: ["openid", "profile", "email", "offline_access"],
      extraAuthorizationParams: { prompt: "consent" },
    });
    const on = world({ server: { providers: [real], runtime: { now, fetch } } });
    const browser = new ScriptedBrowser({
      stopAt: (url) => url.href.startsWith(CALLBACK),
      fetch: async (request) =>
        request.url.startsWith(BASE_URL)
          ? ((await on.auth.handle(request)) ?? new Response(null, { status: 404 }))
          : fetch(request),
    });
    const { id } = await on.accounts.createUser({ username: "alice", password: PASSWORD, roles: ["owner"] });
    const account = await toAccount(on, "alice", browser);
    const there = await browser.submit(account, { provider: "oidc" }, formFor(account, "link"));
    const linked = await browser.submit(there, { username: "zoë@example.org", action: "sign-in" });
    expect(linked.text).toContain("The sign-in is linked");
    expect(await on.accounts.listLinks(id)).toMatchObject([{ provider: "oidc", subject: "zoë@example.org" }]);

    const asked = ask();
    const page = await browser.submit(await browser.open(asked.url), { provider: "oidc" });
    const back =
      page.form === undefined ? page : await browser.submit(page, { username: "zoë@example.org", action: "sign-in" });
    const { body } = await redeem(on, back, asked);
    expect(await accessOf(on, String(body.access_token))).toMatchObject({ subject: id, claims: { roles: ["owner"] } });
    clock.ahead = 280;
    const refreshed = await refresh(on, String(body.refresh_token));
    expect(await accessOf(on, String(refreshed.body.access_token))).toMatchObject({ subject: id });
    expect(eventsOf(on, "upstream.refreshed")).toHaveLength(1);
    expect((await on.auth.loadUpstreamTokens(String(refreshed.body.access_token)))?.accessToken).toBeTruthy();

    const [name = ""] = idsOn(await browser.open(at("/account")), "unlink");
    await act(browser, "unlink", { id: name });
    expect((await refresh(on, String(refreshed.body.refresh_token))).body).toMatchObject({ error: "invalid_grant" });
  } finally {
    await provider.close();
  }
});
