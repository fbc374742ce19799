import { describe, expect, test } from "vitest";
import { at, eventsOf, mailOf, recorded, toAccount, toNewPassword } from "../test/visits.ts";
import { accessOf, BASE_URL, CLIENT, PASSWORD, post, signIn, type World, world } from "../test/world.ts";
import type { NewUser, UserChanges } from "./directory.ts";

const refused = (reason: string) => expect.objectContaining({ name: "AccountError", reason });

async function accessAfterRefresh(on: World, refreshToken: string) {
  const { body } = await post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });
  return { access: await accessOf(on, String(body.access_token)), refreshToken: String(body.refresh_token) };
}

describe("a new user", () => {
  test("is stored in normal form, and found by whatever they type", async () => {
    const { accounts, time } = world();
    const made = await accounts.createUser({
      username: "Alice",
      email: "Alice@EXAMPLE.com",
      name: " Alice  Liddell ",
      password: PASSWORD,
      roles: ["admin", "admin", "eu/ops"],
      claims: { plan: "pro", seats: 3 },
    });
    expect(made).toMatchObject({
      username: "alice",
      email: "alice@example.com",
      emailVerified: false,
      name: "Alice Liddell",
      roles: ["admin", "eu/ops"],
      claims: { plan: "pro", seats: 3 },
      disabled: false,
      hasPassword: true,
      createdAt: time,
    });
    expect(made.id).toMatch(/^[A-Za-z0-9_-]{22}$/);
    expect(made).not.toHaveProperty("passwordHash");
    for (const login of ["alice", "ALICE", " alice ", "alice@example.com", "ALICE@Example.Com"])
      expect((await accounts.findUserByLogin(login))?.id).toBe(made.id);
    expect(await accounts.findUser(made.id)).toEqual(made);
    expect(JSON.stringify(await accounts.listUsers())).not.toContain("argon2");
  });

  test.each<readonly [string, NewUser]>([
    ["login_missing", {}],
    ["login_missing", { name: "Alice", password: PASSWORD }],
    ["username_malformed", { username: "" }],
    ["username_malformed", { username: "a b" }],
    ["username_malformed", { username: "alice@example.com" }],
    ["username_malformed", { username: "ali\u202ece" }],
    ["username_malformed", { username: "x".repeat(65) }],
    ["email_malformed", { email: "" }],
    ["email_malformed", { email: "alice" }],
    ["email_malformed", { username: "alice", email: "a@b@example.com" }],
    ["name_malformed", { username: "alice", name: "" }],
    ["name_malformed", { username: "alice", name: "\u202egnorw" }],
    ["password_too_short", { username: "alice", password: "" }],
    ["password_too_short", { username: "alice", password: "seven77" }],
    ["password_too_long", { username: "alice", password: "x".repeat(257) }],
    ["password_malformed", { username: "alice", password: "a lone \ud800 surrogate" }],
    ["password_guessable", { username: "alice", password: "Password1" }],
    ["password_guessable", { username: "alice-in-wonderland", password: "Alice-in-Wonderland" }],
    ["password_guessable", { email: "liddell@example.com", password: "liddell@example.com" }],
    ["password_guessable", { username: "alice", name: "Alice Liddell", password: "alice liddell" }],
    ["roles_malformed", { username: "alice", roles: [""] }],
    ["roles_malformed", { username: "alice", roles: ["two words"] }],
    ["roles_malformed", { username: "alice", roles: ["x".repeat(65)] }],
    ["roles_malformed", { username: "alice", roles: Array.from({ length: 101 }, (_, n) => `role-${n}`) }],
    ["claims_malformed", { username: "alice", claims: { big: "x".repeat(4096) } }],
    ["claims_malformed", { username: "alice", claims: { number: 1n } }],
  ])("%s: %#", async (reason, user) => {
    const on = world();
    await expect(on.accounts.createUser(user)).rejects.toThrow(refused(reason));
    expect((await on.accounts.listUsers()).accounts).toEqual([]);
    expect(eventsOf(on, "account.created")).toEqual([]);
  });

  test("what is refused is not repeated in the message", async () => {
    const { accounts } = world();
    const error: unknown = await accounts
      .createUser({ username: "secret-name", password: "password1" })
      .catch((cause: unknown) => cause);
    expect(String(error)).toBe("AccountError: The password is one of those that are tried first.");
  });

  test("of 16 simultaneous ones with one name exactly one is made", async () => {
    const on = world();
    const made = await Promise.allSettled(
      Array.from({ length: 16 }, (_, n) =>
        on.accounts.createUser(n % 2 === 0 ? { username: "Alice" } : { username: "alice", email: `a${n}@example.com` }),
      ),
    );
    expect(made.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const each of made)
      if (each.status === "rejected") expect(each.reason).toMatchObject({ reason: "login_taken" });
    expect((await on.accounts.listUsers()).accounts).toHaveLength(1);
    expect(eventsOf(on, "account.created")).toHaveLength(1);
  });

  test("a name that only looks like another one's address is refused before anything is stored", async () => {
    const { accounts } = world();
    await accounts.createUser({ email: "alice@example.com" });
    await expect(accounts.createUser({ username: "bob", email: "ALICE@example.com" })).rejects.toThrow(
      refused("login_taken"),
    );
    expect(await accounts.findUserByLogin("bob")).toBeUndefined();
    // Nothing of the attempt stays: the name is free.
    expect(await accounts.createUser({ username: "bob" })).toMatchObject({ username: "bob" });
  });
});

describe("a change", () => {
  test("changes what is named and leaves the rest", async () => {
    const on = world();
    const { id } = await on.accounts.createUser({
      username: "alice",
      email: "alice@example.com",
      emailVerified: true,
      name: "Alice",
      roles: ["admin"],
      claims: { plan: "pro" },
      password: PASSWORD,
    });
    await on.accounts.updateUser(id, { roles: ["reader"] });
    const left = {
      username: "alice",
      email: "alice@example.com",
      emailVerified: true,
      name: "Alice",
      hasPassword: true,
    };
    expect(await on.accounts.findUser(id)).toMatchObject({ ...left, roles: ["reader"], claims: { plan: "pro" } });
    await on.accounts.updateUser(id, { name: undefined, claims: {} });
    const after = await on.accounts.findUser(id);
    expect(after).toMatchObject({ username: "alice", emailVerified: true, claims: {} });
    expect(after?.name).toBeUndefined();
    expect(eventsOf(on, "account.changed")).toMatchObject([
      { by: "operator", what: ["roles"] },
      { by: "operator", what: ["profile"] },
    ]);
  });

  test("OpenID Connect Core §5.7: another address is not verified by the word about the one before", async () => {
    const { accounts } = world();
    const { id } = await accounts.createUser({ email: "alice@example.com", emailVerified: true });
    expect(await accounts.updateUser(id, { email: "ALICE@example.com" })).toMatchObject({ emailVerified: true });
    expect(await accounts.updateUser(id, { email: "new@example.com" })).toMatchObject({ emailVerified: false });
    const both = { email: "third@example.com", emailVerified: true };
    expect(await accounts.updateUser(id, both)).toMatchObject(both);
  });

  test("the old address is free from then on, and signs nobody in", async () => {
    const on = world();
    const { id } = await on.accounts.createUser({ email: "alice@example.com", password: PASSWORD });
    await on.accounts.updateUser(id, { email: "new@example.com" });
    expect((await toAccount(on, "alice@example.com")).status).toBe(422);
    expect((await toAccount(on, "new@example.com")).url.pathname).toBe("/oauth/account");
    const other = await on.accounts.createUser({ email: "alice@example.com" });
    expect(other.id).not.toBe(id);
  });

  test.each<readonly [string, UserChanges]>([
    ["login_missing", { username: undefined }],
    ["login_taken", { username: "bob" }],
    ["username_malformed", { username: "" }],
    ["email_malformed", { email: "" }],
    ["name_malformed", { name: "" }],
    ["roles_malformed", { roles: ["a b"] }],
    ["claims_malformed", { claims: { big: "x".repeat(5000) } }],
  ])("%s: is refused whole", async (reason, changes) => {
    const on = world();
    const alice = await on.accounts.createUser({ username: "alice" });
    await on.accounts.createUser({ username: "bob" });
    const others: UserChanges = { ...(reason === "roles_malformed" ? {} : { roles: ["admin"] }), ...changes };
    await expect(on.accounts.updateUser(alice.id, others)).rejects.toThrow(refused(reason));
    expect(await on.accounts.findUser(alice.id)).toEqual(alice);
    await expect(on.accounts.updateUser("nobody", { roles: [] })).rejects.toThrow(refused("user_unknown"));
  });

  test("of many at once none is lost", async () => {
    const { accounts } = recorded();
    const { id } = await accounts.createUser({ username: "alice" });
    await Promise.all([
      accounts.updateUser(id, { roles: ["admin"] }),
      accounts.updateUser(id, { name: "Alice" }),
      accounts.updateUser(id, { email: "alice@example.com" }),
      accounts.updateUser(id, { claims: { plan: "pro" } }),
      accounts.setPassword(id, PASSWORD),
      accounts.signOutEverywhere(id),
      accounts.disableUser(id),
    ]);
    expect(await accounts.findUser(id)).toMatchObject({
      roles: ["admin"],
      name: "Alice",
      email: "alice@example.com",
      claims: { plan: "pro" },
      hasPassword: true,
      disabled: true,
      epoch: 3,
    });
  });

  test("the operator's password is one that a person may have, in normal form", async () => {
    const on = world();
    const { id } = await on.accounts.createUser({ username: "alice" });
    await expect(on.accounts.setPassword(id, "password")).rejects.toThrow(refused("password_guessable"));
    await on.accounts.setPassword(id, "cafe\u0301 au lait\u00a0s'il vous plait");
    expect((await toAccount(on, "alice", on.browser(), "café au lait s'il vous plait")).url.href).toBe(at("/account"));
  });
});

describe("RFC 6749 §6: roles and claims in tokens", () => {
  test("are those of today from the next refresh on, and no sooner", async () => {
    const on = world();
    const { id } = await on.accounts.createUser({ username: "alice", password: PASSWORD, roles: ["admin"] });
    const { accessToken, refreshToken } = await signIn(on, "alice");
    await on.accounts.updateUser(id, { roles: ["reader"], claims: { plan: "pro" } });
    expect(await accessOf(on, accessToken)).toMatchObject({ claims: { roles: ["admin"] } });
    const first = await accessAfterRefresh(on, refreshToken);
    expect(first.access).toMatchObject({ claims: { roles: ["reader"], plan: "pro" } });
    await on.accounts.updateUser(id, { roles: [] });
    const { access } = await accessAfterRefresh(on, first.refreshToken);
    expect(access).not.toHaveProperty("claims.roles");
  });

  test("protected ones never get into a token, whatever the operator writes", async () => {
    const on = world();
    const claims = { sub: "mallory", scope: "notes:write", iss: "https://evil.example", client_id: "x", plan: "pro" };
    const { id } = await on.accounts.createUser({ username: "alice", password: PASSWORD, claims });
    const { accessToken } = await signIn(on, "alice");
    const access = await accessOf(on, accessToken);
    const own = { sub: id, scope: "notes:read", iss: BASE_URL, client_id: CLIENT.clientId, plan: "pro" };
    expect(access).toMatchObject({ subject: id, scopes: ["notes:read"], claims: own });
  });
});

test("a reset link that is out does not survive another address, and the one for the new address works", async () => {
  const on = world();
  const { id } = await on.accounts.createUser({ username: "alice", email: "alice@example.com" });
  await toNewPassword(on, "alice");
  const { url } = await mailOf(on, "reset_password");
  await on.accounts.updateUser(id, { email: "new@example.com" });
  expect((await on.browser().open(url)).status).toBe(400);
  expect((await toNewPassword(on, "alice")).status).toBe(200);
  expect((await mailOf(on, "reset_password")).to).toBe("new@example.com");
});
