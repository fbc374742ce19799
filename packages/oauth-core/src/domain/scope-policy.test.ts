import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scopeOf } from "../protocol/scope.ts";
import { ScopePolicy } from "./scope-policy.ts";

const policy = new ScopePolicy(
  ["openid", "email", "offline_access", "drive.read", "drive.write"],
  ["mcp:tools", "mcp:admin"],
  ["mcp:tools"],
);
const select = (...words: string[]) => policy.select(scopeOf(words));

describe("RFC 6749 §3.3: what a client asks for is divided", () => {
  test("a client that names nothing gets all that is configured upstream, and our defaults", () => {
    expect(select()).toEqual({ scope: policy.upstream, resourceScope: ["mcp:tools"] });
  });

  test("a client that names some of the upstream's gets those, and who somebody is stays known", () => {
    expect(select("drive.read").scope).toEqual(["openid", "email", "offline_access", "drive.read"]);
  });

  test("a client that names only ours leaves the upstream's as they are configured", () => {
    expect(select("mcp:admin")).toEqual({ scope: policy.upstream, resourceScope: ["mcp:admin"] });
  });

  test("words that nobody configured are dropped and are no error", () => {
    expect(select("openid", "profile", "admin", "mcp:root")).toEqual({
      scope: ["openid", "email", "offline_access"],
      resourceScope: ["mcp:tools"],
    });
  });

  test("a client can leave scopes out and never add one", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom(...policy.supported, "x", "root", "Drive.read", "mcp:tools2", "profile")),
        (words) => {
          const { scope, resourceScope } = select(...words);
          expect(policy.upstream).toEqual(expect.arrayContaining([...scope]));
          expect(policy.resource).toEqual(expect.arrayContaining([...resourceScope]));
        },
      ),
    );
  });
});

test("a word of both kinds goes upstream and is not granted here", () => {
  const mixed = new ScopePolicy(["read"], ["read", "mcp:tools"], ["mcp:tools"]);
  expect(mixed.resource).toEqual(["mcp:tools"]);
  expect(mixed.supported).toEqual(["read", "mcp:tools"]);
  expect(mixed.select(scopeOf(["read"]))).toEqual({ scope: ["read"], resourceScope: ["mcp:tools"] });
});

test("RFC 9728 §2: a resource announces what is needed to begin with, and no offline_access", () => {
  expect(policy.baseline).toEqual(["openid", "email", "drive.read", "drive.write", "mcp:tools"]);
});

describe("RFC 7591 §2: a registration is told what it may use", () => {
  test("of what it asked for, what is known", () => {
    expect(policy.registered(scopeOf(["mcp:admin", "nonsense", "email"]))).toEqual(["email", "mcp:admin"]);
  });

  test.each([undefined, scopeOf([]), scopeOf(["nonsense"])])("where nothing of it is known, the usual", (requested) => {
    expect(policy.registered(requested)).toEqual([...policy.upstream, "mcp:tools"]);
  });
});

test("without any scope configured nothing is asked upstream, whatever a client names", () => {
  expect(new ScopePolicy([], [], []).select(scopeOf(["openid", "admin"]))).toEqual({ scope: [], resourceScope: [] });
});
