import { describe, expect, test } from "vitest";
import { getAuthSession, requireAll, requireAny, requireAuth, requireRole, requireScopes } from "./session.ts";

const ALICE = { scopes: ["read", "write"], claims: { roles: ["admin"], tenant: "t1" } };

describe("requireAuth", () => {
  test("somebody is signed in, or nobody is", () => {
    expect(requireAuth({})).toBe(true);
    expect(requireAuth(undefined)).toBe(false);
    expect(requireAuth(null)).toBe(false);
  });
});

describe("requireScopes", () => {
  test("demands all of them", () => {
    expect(requireScopes("read")(ALICE)).toBe(true);
    expect(requireScopes("read", "write")(ALICE)).toBe(true);
    expect(requireScopes("read", "admin")(ALICE)).toBe(false);
  });

  test("a session without scopes has none, and nobody has not even no scopes", () => {
    expect(requireScopes("read")({})).toBe(false);
    expect(requireScopes("toString")({ scopes: {} })).toBe(false);
    expect(requireScopes()({})).toBe(true);
    expect(requireScopes()(undefined)).toBe(false);
  });
});

describe("requireRole", () => {
  test.each([
    { role: "admin" },
    { roles: ["user", "admin"] },
    { claims: { role: "admin" } },
    { claims: { roles: ["admin"] } },
  ])("one of these roles, wherever the session has it: %j", (session) => {
    expect(requireRole("owner", "admin")(session)).toBe(true);
    expect(requireRole("owner")(session)).toBe(false);
  });

  test.each([
    { role: "administrator" },
    { roles: "not-admin" },
    { roles: [["admin"]] },
    { role: { admin: true } },
    Object.create({ role: "admin" }),
    {},
    undefined,
  ])("nothing that only looks like it: %j", (session) => {
    expect(requireRole("admin")(session)).toBe(false);
  });

  test("no role at all is demanded of nobody and held by nobody", () => {
    expect(requireRole()(ALICE)).toBe(false);
  });
});

describe("requireAll and requireAny", () => {
  test("T-SC-06: the scope in the token is not the only check: the role and the owner are asked as well", () => {
    const owns = (session: object | null | undefined) => session === ALICE;
    const guard = requireAll(requireScopes("write"), requireRole("admin"), owns);
    expect(guard(ALICE)).toBe(true);
    expect(guard({ ...ALICE })).toBe(false);
    expect(guard({ ...ALICE, claims: { roles: ["user"] } })).toBe(false);
    expect(guard({ ...ALICE, scopes: ["read"] })).toBe(false);
  });

  test("they nest, and take answers as well as checks", () => {
    const staff = requireAll(requireAuth, requireAny(requireRole("admin"), requireRole("moderator")));
    expect(staff(ALICE)).toBe(true);
    expect(staff({ role: "moderator" })).toBe(true);
    expect(staff({ role: "user" })).toBe(false);
    expect(staff(undefined)).toBe(false);
    expect(requireAll(requireAuth, false)(ALICE)).toBe(false);
    expect(requireAny(false, true)(undefined)).toBe(true);
  });

  test("an empty list opens no door", () => {
    expect(requireAll()(ALICE)).toBe(false);
    expect(requireAny()(ALICE)).toBe(false);
  });
});

describe("getAuthSession", () => {
  test("gives the session, or throws where nobody is signed in", () => {
    expect(getAuthSession(ALICE)).toBe(ALICE);
    expect(() => getAuthSession(undefined)).toThrow("requireAuth");
    expect(() => getAuthSession(null)).toThrow("requireAuth");
  });
});
