import { describe, expect, test } from "vitest";
import {
  ACME_ALICE,
  ACME_CALLBACK,
  answerOf,
  byAcme,
  linkAcme,
  mixed,
  setOut,
  signInByAcme,
  signInByPassword,
} from "../../test/mixed.ts";
import { act, at, eventsOf, formFor, idsOn, toAccount } from "../../test/visits.ts";
import { accessOf, CALLBACK, PASSWORD, post, redeem, type World } from "../../test/world.ts";

const refresh = (on: World, refreshToken: string) =>
  post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });

/** Alice and Bob, each signed in to their account. */
async function two<W extends World>(on: W) {
  const alice = await on.accounts.createUser({ username: "alice", password: PASSWORD, name: "Alice" });
  const bob = await on.accounts.createUser({ username: "bob", password: PASSWORD, name: "Bob" });
  const [hers, his] = [on.browser(), on.browser("198.51.100.7")];
  await toAccount(on, "alice", hers);
  await toAccount(on, "bob", his);
  return { alice, bob, hers, his };
}

describe("an identity elsewhere is linked with the account of whoever shows both", () => {
  test("and is shown there under the name that they know it by", async () => {
    await using on = await mixed();
    const { alice, hers } = await two(on);
    const page = await linkAcme(on, hers);
    expect(page.url.href).toBe(at("/account"));
    expect(page.text).toContain("The sign-in is linked");
    expect(page.text).toContain(ACME_ALICE.email);
    expect(await on.accounts.listLinks(alice.id)).toEqual([
      { provider: "acme", subject: "1234", label: ACME_ALICE.email, linkedAt: on.time },
    ]);
    expect(eventsOf(on, "account.linked")).toMatchObject([{ subject: alice.id, provider: "acme" }]);
    // No client hears of it, and no token of the other server is kept.
    expect(eventsOf(on, "sign_in.completed")).toEqual([]);
    expect(eventsOf(on, "code.issued")).toEqual([]);
  });

  test("who they are is all that is asked of the provider, and PKCE, nonce and state are the server's", async () => {
    await using on = await mixed({ upstream: {} });
    const { hers } = await two(on);
    const there = await setOut(hers);
    const asked = there.url.searchParams;
    expect(asked.get("redirect_uri")).toBe(ACME_CALLBACK);
    expect(asked.get("code_challenge_method")).toBe("S256");
    expect(asked.get("scope")?.split(" ").sort()).toEqual(["email", "openid", "profile"]);
    for (const name of ["state", "nonce", "code_challenge"]) expect(asked.get(name)?.length).toBeGreaterThan(42);
  });

  test("a page may lead to the provider, and its form is answered with 303", async () => {
    await using on = await mixed();
    const { hers } = await two(on);
    const page = await hers.open(at("/account"));
    expect(page.headers.get("content-security-policy")).toContain(new URL(on.upstream.issuer).origin);
    expect((await setOut(hers)).status).toBe(303);
  });

  test("what the provider calls them is text on the page", async () => {
    const person = { sub: "x", email: "<script>alert(1)</script>\u202e@acme.example" };
    await using on = await mixed({ upstream: { person } });
    const { hers } = await two(on);
    const page = await linkAcme(on, hers);
    expect(page.text).toContain("The sign-in is linked");
    expect(page.html).not.toContain("<script>");
    expect(page.html).not.toContain("\u202e");
  });
});

describe("what was there before", () => {
  test("applications that the identity had connected on its own are disconnected, and come back as the account", async () => {
    await using on = await mixed();
    const { alice, hers } = await two(on);
    const before = await signInByAcme(on);
    expect(await accessOf(on, before.accessToken)).toMatchObject({ subject: "acme|1234" });
    await linkAcme(on, hers);
    expect(await accessOf(on, before.accessToken)).toMatchObject({ status: 401 });
    expect((await refresh(on, before.refreshToken)).body.error).toBe("invalid_grant");
    const after = await signInByAcme(on);
    expect(await accessOf(on, after.accessToken)).toMatchObject({ subject: alice.id });
  });

  test("the person hears of a new way in, where they have an address", async () => {
    await using on = await mixed();
    const { alice, hers } = await two(on);
    await linkAcme(on, hers);
    expect(on.mails).toEqual([]);
    await act(hers, "unlink", { id: idsOn(await hers.open(at("/account")), "unlink")[0] ?? "" });
    await on.accounts.updateUser(alice.id, { email: "alice@example.com" });
    await linkAcme(on, hers);
    expect(on.mails).toMatchObject([{ kind: "sign_in_linked", to: "alice@example.com", url: at("/account") }]);
  });
});

describe("account linking CSRF: nothing is linked", () => {
  test("when another browser finishes what was begun, be somebody else signed in there or the same person", async () => {
    await using on = await mixed();
    const { alice, bob, his, hers } = await two(on);
    const answer = await answerOf(on, await setOut(hers));
    const elsewhere = on.browser();
    await toAccount(on, "alice", elsewhere);
    for (const browser of [his, elsewhere, on.browser()]) {
      const page = await browser.open(answer);
      expect(page.status).toBe(400);
      expect(page.text).toContain("not open in this browser");
    }
    for (const { id } of [alice, bob]) expect(await on.accounts.listLinks(id)).toEqual([]);
    // The code there was not spent by it: she may finish.
    expect((await hers.open(answer)).text).toContain("The sign-in is linked");
  });

  test("when somebody else has signed in to the same browser meanwhile: neither account gets it", async () => {
    await using on = await mixed();
    const { alice, bob, hers } = await two(on);
    const answer = await answerOf(on, await setOut(hers));
    await hers.submit(await hers.open(at("/sign-in?again=1")), { login: "bob", password: PASSWORD });
    await hers.open(answer);
    for (const { id } of [alice, bob]) expect(await on.accounts.listLinks(id)).toEqual([]);
    expect((await byAcme(on)).back.url.href).toContain(CALLBACK);
    expect(eventsOf(on, "account.linked")).toEqual([]);
  });

  test("when the same person has signed in anew meanwhile, or out", async () => {
    await using on = await mixed();
    const { alice, hers } = await two(on);
    const answer = await answerOf(on, await setOut(hers));
    await hers.submit(await hers.open(at("/sign-in?again=1")), { login: "alice", password: PASSWORD });
    await hers.open(answer);
    const second = await answerOf(on, await setOut(hers));
    const page = await hers.open(at("/account"));
    await hers.submit(
      page,
      {},
      page.forms.find(({ action }) => action.pathname.endsWith("/sign-out")),
    );
    expect((await hers.open(second)).url.href).toBe(at("/sign-in"));
    expect(await on.accounts.listLinks(alice.id)).toEqual([]);
  });

  test("when the person was signed out everywhere, or disabled, while they were away", async () => {
    await using on = await mixed();
    const { alice, bob, hers, his } = await two(on);
    const [one, other] = [await answerOf(on, await setOut(hers)), await answerOf(on, await setOut(his))];
    await on.accounts.signOutEverywhere(alice.id);
    await on.accounts.disableUser(bob.id);
    expect((await hers.open(one)).url.href).toBe(at("/sign-in"));
    expect((await his.open(other)).url.href).toBe(at("/sign-in"));
    for (const { id } of [alice, bob]) expect(await on.accounts.listLinks(id)).toEqual([]);
  });

  test("a second time, by the same answer", async () => {
    await using on = await mixed();
    const { hers } = await two(on);
    const answer = await answerOf(on, await setOut(hers));
    expect((await hers.open(answer)).status).toBe(200);
    expect((await hers.open(answer)).status).toBe(400);
    expect(eventsOf(on, "account.linked")).toHaveLength(1);
  });

  test("of 16 simultaneous answers one links", async () => {
    await using on = await mixed();
    const { hers } = await two(on);
    const answer = await answerOf(on, await setOut(hers));
    await Promise.all(Array.from({ length: 16 }, () => hers.open(answer)));
    expect(eventsOf(on, "account.linked")).toHaveLength(1);
    expect(on.upstream.requestsTo("token")).toHaveLength(1);
  });

  test("where it took too long", async () => {
    await using on = await mixed();
    const { alice, hers } = await two(on);
    const answer = await answerOf(on, await setOut(hers));
    on.time += 661;
    expect((await hers.open(answer)).status).toBe(400);
    expect(await on.accounts.listLinks(alice.id)).toEqual([]);
  });
});

describe("NIST SP 800-63B §6.1: a session that was left open links nothing", () => {
  test("after a quarter of an hour a password is asked for, and then it goes on", async () => {
    await using on = await mixed();
    const { alice, hers } = await two(on);
    on.time += 901;
    const page = await setOut(hers);
    expect(page.url.pathname).toBe("/oauth/sign-in");
    expect(page.text).toContain("Sign in to Notes");
    expect(on.upstream.requests).toEqual([]);
    await hers.submit(page, { login: "alice", password: PASSWORD });
    expect((await linkAcme(on, hers)).text).toContain("The sign-in is linked");
    expect(await on.accounts.listLinks(alice.id)).toHaveLength(1);
  });

  test("and using it does not make it fresh", async () => {
    await using on = await mixed();
    const { hers } = await two(on);
    // Long enough for the server to note that it was seen just now.
    for (let n = 0; n < 4; n++) {
      on.time += 1900;
      await hers.open(at("/account"));
    }
    expect((await setOut(hers)).url.pathname).toBe("/oauth/sign-in");
  });
});

describe("what can't be linked", () => {
  test("an identity that is somebody else's stays theirs", async () => {
    await using on = await mixed();
    const { alice, bob, hers, his } = await two(on);
    await linkAcme(on, hers);
    const page = await linkAcme(on, his);
    expect(page.text).toContain("That sign-in already belongs to another account");
    expect(await on.accounts.listLinks(bob.id)).toEqual([]);
    const { accessToken } = await signInByAcme(on);
    expect(await accessOf(on, accessToken)).toMatchObject({ subject: alice.id });
  });

  test("of two people who link it at once one has it", async () => {
    await using on = await mixed();
    const { alice, bob, hers, his } = await two(on);
    const [one, other] = [await answerOf(on, await setOut(hers)), await answerOf(on, await setOut(his))];
    await Promise.all([hers.open(one), his.open(other)]);
    const links = await Promise.all([alice, bob].map(({ id }) => on.accounts.listLinks(id)));
    expect(links.flat()).toHaveLength(1);
    expect(eventsOf(on, "account.linked")).toHaveLength(1);
  });

  test("a sign-in that the person, the provider or the operator's rules refuse", async () => {
    const allow = { emailDomains: ["example.com"], providers: ["acme"] };
    await using on = await mixed({ server: { allow: [{ providers: ["accounts"] }, allow] } });
    const { alice, hers } = await two(on);
    const there = await setOut(hers);
    const refused = new URL(ACME_CALLBACK);
    refused.search = `${new URLSearchParams({ state: there.url.searchParams.get("state") ?? "", error: "access_denied" })}`;
    expect((await hers.open(refused)).text).toContain("The sign-in could not be linked");
    expect((await linkAcme(on, hers)).text).toContain("The sign-in could not be linked");
    expect(eventsOf(on, "sign_in.failed").map(({ reason }) => reason)).toEqual([
      "sign_in_refused",
      "sign_in_not_allowed",
    ]);
    on.upstream.behave({ token: () => ({ status: 503 }) });
    expect((await linkAcme(on, hers)).text).toContain("The sign-in could not be linked");
    expect(await on.accounts.listLinks(alice.id)).toEqual([]);
  });

  test("a provider that is not there, or the accounts themselves", async () => {
    await using on = await mixed();
    const { hers } = await two(on);
    const page = await hers.open(at("/account"));
    for (const provider of ["accounts", "upstream", "google", "", "__proto__"])
      expect((await hers.submit(page, { provider }, formFor(page, "link"))).status).toBe(400);
  });

  test("a link is no sign-in: its answer makes no code, and no form of ours ends it", async () => {
    await using on = await mixed();
    const { hers } = await two(on);
    const there = await setOut(hers);
    const state = there.url.searchParams.get("state") ?? "";
    for (const transaction of [state, state.split(".")[0] ?? ""]) {
      const consent = { url: new URL(at("/consent")), form: { action: new URL(at("/consent")), fields: {} } };
      const page = await hers.submit({ ...there, ...consent }, { transaction, action: "approve", csrf_token: "x" });
      expect(page.status).toBeGreaterThanOrEqual(400);
    }
    expect(eventsOf(on, "code.issued")).toEqual([]);
  });

  test("where the storage fails, nothing is said to be linked", async () => {
    await using on = await mixed();
    const { alice, hers } = await two(on);
    const answer = await answerOf(on, await setOut(hers));
    on.storage.before = (verb, key) => {
      if (verb === "claim" && key.startsWith("at-accounts-link")) throw new Error("connection refused");
    };
    const page = await hers.open(answer);
    on.storage.before = () => undefined;
    expect(page.text).not.toContain("The sign-in is linked");
    expect(eventsOf(on, "account.linked")).toEqual([]);
    expect(await on.accounts.listLinks(alice.id)).toEqual([]);
    expect((await linkAcme(on, hers)).text).toContain("The sign-in is linked");
  });
});

describe("unlinking", () => {
  test("ends what came in through it: at the next refresh, and at the redemption of a code that is out", async () => {
    await using on = await mixed();
    const { alice, hers } = await two(on);
    await linkAcme(on, hers);
    const { refreshToken } = await signInByAcme(on);
    const out = await byAcme(on);
    const page = await hers.open(at("/account"));
    const [id = ""] = idsOn(page, "unlink");
    expect((await act(hers, "unlink", { id }, page)).text).toContain("The sign-in is unlinked");
    expect(await on.accounts.listLinks(alice.id)).toEqual([]);
    expect((await refresh(on, refreshToken)).body).toMatchObject({ error: "invalid_grant" });
    expect((await redeem(on, out.back, out.asked)).body).toMatchObject({ error: "invalid_grant" });
    expect((await on.auth.listGrants({ subject: alice.id })).grants).toEqual([]);
    expect(eventsOf(on, "account.unlinked")).toMatchObject([{ subject: alice.id, provider: "acme" }]);
    // From now on they are somebody of their own there.
    const { accessToken } = await signInByAcme(on);
    expect(await accessOf(on, accessToken)).toMatchObject({ subject: "acme|1234" });
  });

  test("what came in by the password goes on", async () => {
    await using on = await mixed();
    const { hers } = await two(on);
    await linkAcme(on, hers);
    const { refreshToken } = await signInByPassword(on, "alice");
    await act(hers, "unlink", { id: idsOn(await hers.open(at("/account")), "unlink")[0] ?? "" });
    expect((await refresh(on, refreshToken)).status).toBe(200);
  });

  test("the ids of other people's links unlink nothing", async () => {
    await using on = await mixed();
    const { alice, hers, his } = await two(on);
    await linkAcme(on, hers);
    const [id = ""] = idsOn(await hers.open(at("/account")), "unlink");
    const page = await his.open(at("/account"));
    for (const each of [id, "", "x", "acme", "1234"])
      await his.submit(page, { action: "unlink", id: each }, formFor(page, "change_name"));
    expect(await on.accounts.listLinks(alice.id)).toHaveLength(1);
    expect(eventsOf(on, "account.unlinked")).toEqual([]);
  });

  test("and linking again is possible, by somebody else as well", async () => {
    await using on = await mixed();
    const { bob, hers, his } = await two(on);
    await linkAcme(on, hers);
    await act(hers, "unlink", { id: idsOn(await hers.open(at("/account")), "unlink")[0] ?? "" });
    on.time += 2;
    expect((await linkAcme(on, his)).text).toContain("The sign-in is linked");
    const { accessToken } = await signInByAcme(on);
    expect(await accessOf(on, accessToken)).toMatchObject({ subject: bob.id });
  });
});
