import { requireAll, requireAny, requireAuth, requireRole, requireScopes } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { World } from "../test/world.ts";
import type { SdkAuthInfo } from "./auth-session.ts";
import { ToolAccess, type ToolCheck } from "./tool-access.ts";

const { auth } = new World();

function decide(check: ToolCheck | undefined, authInfo: SdkAuthInfo | undefined) {
  const access = new ToolAccess(auth);
  access.declare("tool", check);
  return access.decide("tool", authInfo);
}

function person(scopes: readonly string[], claims: Readonly<Record<string, unknown>> = {}): SdkAuthInfo {
  return { token: "t", clientId: "c", scopes, extra: { subject: "alice", claims } };
}

const admin = { roles: ["admin"] };

test.each<[string, ToolCheck | undefined, SdkAuthInfo | undefined, boolean, readonly string[]]>([
  ["no check lets everybody through", undefined, undefined, true, []],
  ["nobody is not signed in", requireAuth, undefined, false, []],
  ["an AuthInfo without a subject is nobody", requireAuth, { ...person([]), extra: {} }, false, []],
  ["somebody is", requireAuth, person([]), true, []],
  ["nobody is asked for scopes", requireScopes("notes:read"), undefined, false, []],
  ["a scope that is held", requireScopes("notes:read"), person(["notes:read"]), true, []],
  [
    "RFC 6750 §3.1: a broad scope opens what it contains",
    requireScopes("notes:read"),
    person(["notes:admin"]),
    true,
    [],
  ],
  ["a scope that is missing", requireScopes("notes:read"), person(["mcp:tools"]), false, ["notes:read"]],
  [
    "T-SC-02: all scopes of the operation, also those that are held",
    requireScopes("mcp:tools", "notes:write"),
    person(["mcp:tools"]),
    false,
    ["mcp:tools", "notes:write"],
  ],
  ["a scope that nobody can get", requireScopes("notes:burn"), person([]), false, []],
  ["a role that is held", requireRole("admin"), person([], admin), true, []],
  ["a role that no scope replaces", requireRole("admin"), person([]), false, []],
  [
    "a role is missing beside a scope",
    requireAll(requireRole("admin"), requireScopes("notes:read")),
    person([]),
    false,
    [],
  ],
  [
    "only the scope is missing",
    requireAll(requireRole("admin"), requireScopes("notes:read")),
    person([], admin),
    false,
    ["notes:read"],
  ],
  [
    "of two ways in, the one that is not the broader",
    requireAny(requireScopes("notes:admin"), requireScopes("notes:read")),
    person([]),
    false,
    ["notes:read"],
  ],
  [
    "a check of one's own",
    (session) => session?.scopes.includes("notes:write") ?? false,
    person([]),
    false,
    ["notes:write"],
  ],
  ["false", false, person([]), false, []],
])("%s", (_, check, authInfo, allowed, scopes) => {
  expect(decide(check, authInfo)).toEqual({ allowed, scopes });
});

test("what is not exactly true does not let anybody through", () => {
  const careless = (() => Promise.resolve(false)) as unknown as ToolCheck;

  expect(decide(careless, person([])).allowed).toBe(false);
});

test("a tool keeps its check when it changes its name, and gives up the old one", () => {
  const access = new ToolAccess(auth);
  access.declare("old", false);
  access.rename("old", "new");

  expect(access.decide("new", person([])).allowed).toBe(false);
  expect(access.decide("old", person([])).allowed).toBe(true);
});

test("an open tool that takes a name over does not get the check of the one before", () => {
  const access = new ToolAccess(auth);
  access.declare("guarded", false);
  access.rename("open", "guarded");

  expect(access.decide("guarded", person([])).allowed).toBe(true);
});
