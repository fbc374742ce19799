import { ConfigurationError, MemoryTokenStorage, OAuthProxy, type TokenStorage } from "@sallyport/oauth-core";
import { describe, expect, test } from "vitest";
import { accessOf, ask, CALLBACK, CLIENT, PASSWORD, post, SECRET, signIn, toSignIn, world } from "../test/world.ts";
import { Accounts, type AccountsConfig, OAuthServer, type OAuthServerConfig } from "./index.ts";

const BASE = { baseUrl: "https://notes.example", secret: SECRET } as const;

describe("the operator's functions", () => {
  test("there is no server yet: they say so", async () => {
    await expect(new Accounts().createUser({ username: "alice" })).rejects.toThrow(
      "Give the accounts to a server first",
    );
  });

  test("a user is made, found by id and by whatever they sign in with, and listed; never with the hash", async () => {
    const { accounts } = world();
    const alice = await accounts.createUser({
      username: "Alice",
      email: "Alice@Example.com",
      password: PASSWORD,
      name: "Alice  Liddell",
      roles: ["admin", "admin"],
      claims: { department: "tea" },
    });
    expect(alice).toMatchObject({
      username: "alice",
      email: "alice@example.com",
      emailVerified: false,
      name: "Alice Liddell",
      roles: ["admin"],
      claims: { department: "tea" },
      disabled: false,
      hasPassword: true,
    });
    expect(Object.keys(alice)).not.toContain("passwordHash");
    expect(await accounts.findUser(alice.id)).toEqual(alice);
    for (const login of ["ALICE", " alice@example.COM "]) expect(await accounts.findUserByLogin(login)).toEqual(alice);
    expect(await accounts.findUserByLogin("bob")).toBeUndefined();
    expect(await accounts.findUser("nobody")).toBeUndefined();
    const bob = await accounts.createUser({ email: "bob@example.com" });
    expect(bob.hasPassword).toBe(false);
    const { accounts: listed, cursor } = await accounts.listUsers();
    expect(listed.map(({ id }) => id).sort()).toEqual([alice.id, bob.id].sort());
    expect(cursor).toBeUndefined();
  });

  test("listing goes on from page to page", async () => {
    const { accounts } = world();
    const made = new Set<string>();
    for (let at = 0; at < 5; at++) made.add((await accounts.createUser({ username: `user${at}` })).id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await accounts.listUsers({ cursor, limit: 2 });
      seen.push(...page.accounts.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(new Set(seen)).toEqual(made);
    expect(seen).toHaveLength(5);
  });

  test.each([
    ["login_missing", { name: "Alice" }],
    ["username_malformed", { username: "alice smith" }],
    ["username_malformed", { username: "", email: "alice@example.com" }],
    ["email_malformed", { email: "alice" }],
    ["name_malformed", { username: "alice", name: "" }],
    ["name_malformed", { username: "alice", name: "a\u0000b" }],
    ["password_too_short", { username: "alice", password: "sh0rt" }],
    ["password_too_long", { username: "alice", password: "x".repeat(257) }],
    ["password_malformed", { username: "alice", password: "has a \u0007 bell in it" }],
    ["password_guessable", { username: "alice", password: "password1" }],
    ["password_guessable", { username: "wonderland", password: "Wonderland1" }],
    ["roles_malformed", { username: "alice", roles: [""] }],
    ["roles_malformed", { username: "alice", roles: ["a b"] }],
    ["claims_malformed", { username: "alice", claims: { big: "x".repeat(5000) } }],
  ] as const)("%s: what can't be used is refused, and not repeated", async (reason, user) => {
    const { accounts } = world();
    const error = await accounts.createUser(user).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "AccountError", reason });
    if ("password" in user) expect(String(error)).not.toContain(user.password);
    expect((await accounts.listUsers()).accounts).toEqual([]);
  });

  test("a name is given once, also of many who ask at once", async () => {
    const { accounts } = world();
    const asked = Array.from({ length: 8 }, () => accounts.createUser({ username: "alice" }));
    const settled = await Promise.allSettled(asked);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const each of settled) if (each.status === "rejected") expect(each.reason.reason).toBe("login_taken");
  });

  test("roles and claims that change are in the token of the next refresh", async () => {
    const on = world();
    const { id } = await on.accounts.createUser({ username: "alice", password: PASSWORD, roles: ["reader"] });
    const { accessToken, refreshToken } = await signIn(on, "alice");
    expect(await accessOf(on, accessToken)).toMatchObject({ claims: { roles: ["reader"] } });
    await on.accounts.updateUser(id, {
      roles: ["writer"],
      claims: { team: "blue", sub: "somebody else", scope: "admin" },
    });
    const { body } = await post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });
    const access = await accessOf(on, String(body.access_token));
    expect(access).toMatchObject({ subject: id, scopes: ["notes:read"], claims: { roles: ["writer"], team: "blue" } });
  });

  test("an address that is changed is one that nobody has verified", async () => {
    const { accounts } = world();
    const { id } = await accounts.createUser({ email: "alice@example.com", emailVerified: true });
    expect(await accounts.updateUser(id, { name: "Alice" })).toMatchObject({ emailVerified: true });
    expect(await accounts.updateUser(id, { email: "alice@example.org" })).toMatchObject({ emailVerified: false });
    await expect(accounts.updateUser(id, { email: undefined })).rejects.toMatchObject({ reason: "login_missing" });
    await expect(accounts.updateUser("nobody", {})).rejects.toMatchObject({ reason: "user_unknown" });
  });

  test.each(["disableUser", "signOutEverywhere", "setPassword"] as const)(
    "%s ends sessions, tokens, and a code that is on its way",
    async (name) => {
      const on = world();
      const { id } = await on.accounts.createUser({ username: "alice", password: PASSWORD });
      const { accessToken, refreshToken, browser } = await signIn(on, "alice");
      const asked = ask();
      const underWay = await toSignIn(browser, asked);
      expect(await on.accounts.listSessions(id)).toHaveLength(1);

      if (name === "setPassword") await on.accounts.setPassword(id, "another horse battery staple");
      else await on.accounts[name](id);

      expect(await on.accounts.listSessions(id)).toEqual([]);
      expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
      const refreshed = await post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });
      expect(refreshed.body.error).toBe("invalid_grant");
      const redeemed = await post(on, "token", {
        grant_type: "authorization_code",
        code: underWay.url.searchParams.get("code") ?? "",
        code_verifier: asked.verifier,
        redirect_uri: CALLBACK,
      });
      expect(redeemed.body.error).toBe("invalid_grant");
      expect((await toSignIn(browser)).text).toContain("Sign in to Notes");
    },
  );

  test("whoever is disabled can't sign in, and can again when they are enabled", async () => {
    const on = world();
    const { id } = await on.accounts.createUser({ username: "alice", password: PASSWORD });
    expect(await on.accounts.disableUser(id)).toMatchObject({ disabled: true });
    await expect(signIn(on, "alice")).rejects.toThrow("The name or the password is not right");
    await on.accounts.enableUser(id);
    expect((await signIn(on, "alice")).accessToken).not.toBe("");
  });

  test("what happened is told, and nothing of it is a secret", async () => {
    const on = world();
    const { id } = await on.accounts.createUser({ username: "alice", password: PASSWORD });
    await signIn(on, "alice");
    await on.accounts.signOutEverywhere(id);
    const told = on.events.filter(({ type }) => type.startsWith("account."));
    expect(told).toMatchObject([
      { type: "account.created", subject: id, by: "operator" },
      { type: "account.signed_in", subject: id, methods: ["pwd"] },
      { type: "account.signed_out", subject: id, by: "operator", everywhere: true },
    ]);
    expect(JSON.stringify(on.events)).not.toContain(PASSWORD);
    expect(JSON.stringify(on.events)).not.toContain("alice");
  });
});

describe("users in the server's storage", () => {
  test("are there after a restart, and nothing of them can be read", async () => {
    const kept = new Map<string, unknown>();
    const tokenStorage = storageOver(kept);
    const before = world({ server: { tokenStorage } });
    await before.accounts.createUser({
      username: "alice",
      email: "alice@example.com",
      name: "Alice",
      password: PASSWORD,
    });
    await signIn(before, "alice");
    const after = world({ server: { tokenStorage } });
    expect((await signIn(after, "alice@example.com")).accessToken).not.toBe("");
    const dump = JSON.stringify([...kept]);
    for (const text of ["alice", "Alice", "example.com", "argon2"]) expect(dump).not.toContain(text);
  });

  test("are there after a move to another address", async () => {
    const tokenStorage = storageOver(new Map());
    await world({ server: { tokenStorage } }).accounts.createUser({ username: "alice", password: PASSWORD });
    const moved = new OAuthServer({
      ...BASE,
      baseUrl: "https://notes.example.org",
      accounts: new Accounts(),
      tokenStorage,
    });
    expect(await moved.accounts.findUserByLogin("alice")).toMatchObject({ username: "alice" });
  });

  test("reseal: a secret can be taken away, and everybody is still there", async () => {
    const kept = new Map<string, unknown>();
    const tokenStorage = storageOver(kept);
    const [old, young] = [SECRET, `${SECRET}, and a younger one`];
    await world({ server: { tokenStorage, secret: old } }).accounts.createUser({
      username: "alice",
      password: PASSWORD,
    });
    const both = world({ server: { tokenStorage, secret: [young, old] } });
    expect(await both.accounts.reseal()).toBe(1);
    const alone = world({ server: { tokenStorage, secret: young } });
    expect((await signIn(alone, "alice")).accessToken).not.toBe("");
  });
});

describe("options", () => {
  const server = (change: Record<string, unknown>) =>
    new OAuthServer({ ...BASE, accounts: new Accounts(), ...change } as OAuthServerConfig);

  test.each([
    ["accounts", () => server({ accounts: undefined })],
    ["secret", () => server({ secret: "" })],
    ["secret", () => server({ secret: "short" })],
    ["users", () => new Accounts({ users: { find: () => undefined } as never })],
    ["sendMail", () => new Accounts({ signUp: true })],
    ["sendMail", () => new Accounts({ sendMail: "mail" as never })],
    ["clientAddress", () => new Accounts({ clientAddress: "1.2.3.4" as never })],
    ["name", () => new Accounts({ name: " " })],
    ["sessionTtl", () => new Accounts({ sessionTtl: 59 })],
    ["resetTtl", () => new Accounts({ resetTtl: 0.5 })],
    ["signUpTtl", () => new Accounts({ signUpTtl: -1 })],
    ["passwordHashing.memoryCost", () => server({ accounts: new Accounts({ passwordHashing: { memoryCost: 1024 } }) })],
  ] as const)("%s: what can't work is refused at the start, by name", (option, make) => {
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(new RegExp(`^${option}: `));
  });

  test("one set of accounts is one server's", () => {
    const accounts = new Accounts();
    server({ accounts });
    expect(() => server({ accounts })).toThrow(/^accounts: /);
  });

  test("accounts have no tokens that could be passed on", () => {
    const pass = { enableTokenSwap: false, passThroughAudienceCheck: false, onEvent: () => undefined } as const;
    expect(() => new OAuthProxy({ ...BASE, ...pass, provider: new Accounts() })).toThrow(/^enableTokenSwap: /);
  });

  test("a callback can't be where a page is", () => {
    expect(() => server({ redirectPath: "/oauth/sign-in" })).toThrow(/^redirectPath: /);
  });

  test("basePath moves the pages", async () => {
    const on = world({ server: { basePath: "/login" } });
    const page = await on.browser().open("https://notes.example/login/account");
    expect(page.url.pathname).toBe("/login/sign-in");
  });

  test("sessionTtl: after it the password is asked for again", async () => {
    const on = world({ accounts: { sessionTtl: 600 } });
    await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const { browser } = await signIn(on, "alice");
    on.time += 599;
    expect((await toSignIn(browser)).url.href).toContain(CALLBACK);
    on.time += 1;
    expect((await toSignIn(browser)).text).toContain("Sign in to Notes");
  });

  test("trusted: people are not asked for consent for the operator's own client", async () => {
    const on = world({ server: { clients: [{ ...CLIENT, trusted: true }] } });
    await on.accounts.createUser({ username: "alice", password: PASSWORD });
    const browser = on.browser();
    const page = await browser.open(ask().url);
    expect(page.text).toContain("Sign in to Notes");
    const back = await browser.submit(page, { login: "alice", password: PASSWORD });
    expect(back.url.searchParams.get("code")).toMatch(/^sp_ac_/);
  });

  test("clientAddress: guesses are counted by what it says, and not by what the adapter says", async () => {
    let from = "198.51.100.1";
    const clientAddress: AccountsConfig["clientAddress"] = () => from;
    const on = world({ accounts: { clientAddress } });
    const guess = async (login: string) => {
      const browser = on.browser("192.0.2.1");
      return (await browser.submit(await toSignIn(browser), { login, password: PASSWORD })).status;
    };
    for (let at = 0; at < 30; at++) expect(await guess(`nobody${at}`)).toBe(422);
    expect(await guess("nobody30")).toBe(429);
    from = "198.51.100.2";
    expect(await guess("nobody30")).toBe(422);
  });

  test("secret: a list, of which the first signs and all verify", async () => {
    const on = world({ server: { secret: [SECRET, `${SECRET}, an older one`] } });
    await on.accounts.createUser({ username: "alice", password: PASSWORD });
    expect((await signIn(on, "alice")).refreshToken).not.toBe("");
  });
});

/** A storage that outlives a server, and can be looked into. */
function storageOver(kept: Map<string, unknown>): TokenStorage {
  const memory = new MemoryTokenStorage();
  return new Proxy(memory, {
    get(target, name) {
      const member = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...parameters: unknown[]) => {
        if (name === "save" || name === "claim") kept.set(String(parameters[0]), parameters[1]);
        if (name === "replace") kept.set(String(parameters[0]), parameters[2]);
        return member.apply(target, parameters);
      };
    },
  });
}
