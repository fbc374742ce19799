import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ClaimsPolicy, claimsOf, passClaims } from "./claims.ts";
import type { Identity } from "./identity-provider.ts";

const policy: ClaimsPolicy = {
  fromAccessToken: true,
  fromIdToken: true,
  claimPrefix: false,
  allowedClaims: undefined,
  blockedClaims: new Set(),
  maxClaimValueSize: 2000,
  allowComplexClaims: false,
};
const pass = (claims: Record<string, unknown>, change: Partial<ClaimsPolicy> = {}) =>
  passClaims({ ...policy, ...change }, claims, undefined);

/** RFC 7519 §4.1, RFC 9068 §2.2, RFC 8693 §4, OpenID Connect Core §2. */
const PROTOCOL_CLAIMS = [
  ...["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "scp", "azp", "typ", "token_use", "sid"],
  ...["events", "nonce", "at_hash", "c_hash", "s_hash", "auth_time", "acr", "amr", "cnf", "act", "may_act"],
  ...["authorization_details", "__proto__", "constructor", "prototype"],
];

test("roles, groups and names are carried", () => {
  const claims = { roles: ["admin", "user"], groups: [], email: "alice@example.com", level: 3, verified: true };
  expect(pass(claims)).toEqual(claims);
});

test.each(PROTOCOL_CLAIMS)("RFC 9068 §2.2: a claim of the protocol is never carried: %s", (name) => {
  const claims = JSON.parse(`{ "${name}": "foreign" }`) as Record<string, unknown>;
  expect(Object.keys(pass(claims))).toEqual([]);
  expect(Object.keys(pass(claims, { allowedClaims: new Set([name]) }))).toEqual([]);
});

test.each([
  ["client_", "id"],
  ["s", "ub"],
  ["__", "proto__"],
  ["", "scope"],
])("a prefix makes no protected claim: %j and %j", (claimPrefix, name) => {
  expect(Object.keys(pass({ [name]: "foreign" }, { claimPrefix }))).toEqual([]);
});

test("a prefix is put before every name", () => {
  expect(pass({ roles: ["admin"], id: 7 }, { claimPrefix: "upstream_" })).toEqual({
    upstream_roles: ["admin"],
    upstream_id: 7,
  });
});

test("whatever the upstream calls its claims and the operator the prefix, none has a protected name", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...PROTOCOL_CLAIMS),
      fc.nat({ max: 10 }),
      fc.option(fc.string({ maxLength: 5 }), { nil: false as const }),
      (name, split, anyPrefix) => {
        const claims = Object.fromEntries([[name, "x"] as const, [name.slice(split), "x"] as const]);
        for (const claimPrefix of [name.slice(0, split), anyPrefix]) {
          const passed = Object.keys(pass(claims, { claimPrefix }));
          expect(passed.filter((each) => PROTOCOL_CLAIMS.includes(each))).toEqual([]);
        }
      },
    ),
  );
});

describe("OpenID Connect Core §5.1: personal data", () => {
  const personal = { phone_number: "+1 555 0100", birthdate: "1990-01-01", gender: "f", phone_number_verified: true };

  test("is not carried by itself", () => {
    expect(pass({ ...personal, name: "Alice" })).toEqual({ name: "Alice" });
  });

  test("is carried where the operator names it", () => {
    expect(pass({ ...personal, name: "Alice" }, { allowedClaims: new Set(["birthdate"]) })).toEqual({
      birthdate: "1990-01-01",
    });
  });
});

test("only the allowed ones are carried, and never the blocked ones", () => {
  const claims = { roles: ["a"], groups: ["b"], email: "x" };
  expect(pass(claims, { allowedClaims: new Set(["roles", "email"]), blockedClaims: new Set(["email"]) })).toEqual({
    roles: ["a"],
  });
});

describe("values", () => {
  test.each([null, undefined, {}, { a: 1 }, [{ a: 1 }], [[1]], [null]])("%j is not flat, and left out", (value) => {
    expect(pass({ value })).toEqual({});
  });

  test("deeper ones are carried where the operator wants them", () => {
    const realm = { realm_access: { roles: ["admin"] } };
    expect(pass({ ...realm, nothing: null }, { allowComplexClaims: true })).toEqual(realm);
  });

  test("a value that is too large is left out, and the others stay", () => {
    expect(
      pass({ long: "x".repeat(11), list: ["aaaa", "bbbb"], ok: "x".repeat(10) }, { maxClaimValueSize: 10 }),
    ).toEqual({ ok: "x".repeat(10) });
  });

  test.each([
    ["many small ones", Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`claim${index}`, index]))],
    [
      "few large ones",
      Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`claim${index}`, "x".repeat(1900)])),
    ],
    [
      "large ones of other alphabets",
      Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`c${at}`, "組".repeat(1900)])),
    ],
  ])("all together they stay small enough for a header: %s", (_, many) => {
    const passed = pass(many);
    expect(Buffer.byteLength(JSON.stringify(passed))).toBeLessThan(6_000);
    expect(Object.keys(passed)).not.toEqual([]);
  });

  test("one that no longer fits makes room for smaller ones after it", () => {
    const full = Object.fromEntries(Array.from({ length: 4 }, (_, index) => [`claim${index}`, "x".repeat(1900)]));
    expect(pass({ ...full, roles: ["admin"] })).toHaveProperty("roles", ["admin"]);
  });
});

describe("two tokens", () => {
  const accessToken = { roles: ["from access token"], a: 1 };
  const idToken = { roles: ["from ID token"], i: 1 };

  test("the access token's claims win", () => {
    expect(passClaims(policy, accessToken, idToken)).toEqual({ roles: ["from access token"], a: 1, i: 1 });
  });

  test("each can be turned off", () => {
    expect(passClaims({ ...policy, fromAccessToken: false }, accessToken, idToken)).toEqual(idToken);
    expect(passClaims({ ...policy, fromIdToken: false }, accessToken, idToken)).toEqual(accessToken);
  });

  test("without a policy, or without tokens, nothing is carried", () => {
    expect(passClaims(undefined, accessToken, idToken)).toEqual({});
    expect(passClaims(policy, undefined, undefined)).toEqual({});
  });
});

test("a claim named like an object's own machinery changes no object", () => {
  const passed = pass(JSON.parse('{ "__proto__": { "admin": true }, "toString": "x" }') as Record<string, unknown>, {
    allowComplexClaims: true,
  });
  expect((passed as { admin?: unknown }).admin).toBeUndefined();
  expect(Object.getPrototypeOf(passed)).toBe(Object.prototype);
  expect(Object.getPrototypeOf({}).admin).toBeUndefined();
});

describe("what every provider has is carried in words that are the same for all", () => {
  const of = (identity: Partial<Identity>, change: Partial<ClaimsPolicy> = {}) =>
    claimsOf({ ...policy, ...change }, { subject: "1", claims: {}, ...identity });

  test("OpenID Connect Core §5.1: under the standard names", () => {
    const profile = {
      email: "alice@example.com",
      emailVerified: true,
      name: "Alice",
      picture: "https://p.example/a",
      groups: ["staff"],
      roles: ["admin"],
      organizations: ["acme"],
      tenant: "t",
    };
    expect(of({ ...profile, claims: { login: "alice" } })).toEqual({
      login: "alice",
      email: "alice@example.com",
      email_verified: true,
      name: "Alice",
      picture: "https://p.example/a",
      groups: ["staff"],
      roles: ["admin"],
    });
  });

  test("in place of what the provider calls so, and subject to the same policy", () => {
    const identity = { roles: ["admin"], name: "Alice", claims: { roles: { admin: {} }, name: "al" } };
    expect(of(identity)).toEqual({ roles: ["admin"], name: "Alice" });
    expect(of(identity, { blockedClaims: new Set(["name"]) })).toEqual({ roles: ["admin"] });
    expect(of(identity, { allowedClaims: new Set(["name"]) })).toEqual({ name: "Alice" });
    expect(of(identity, { claimPrefix: "up_" })).toEqual({ up_roles: ["admin"], up_name: "Alice" });
    expect(of(identity, { maxClaimValueSize: 5 })).toEqual({ name: "Alice" });
    expect(claimsOf(undefined, { subject: "1", ...identity })).toEqual({});
  });

  test("nOAuth: an address and whether it is verified are never of two sources", () => {
    const verified = { email: "b@x.example", email_verified: true };
    expect(of({ email: "a@x.example", claims: verified })).toEqual({ email: "a@x.example" });
    expect(of({ email: "a@x.example", claims: {}, accessTokenClaims: verified })).toEqual({ email: "a@x.example" });
    expect(of({ email: "a@x.example", emailVerified: false, claims: verified })).toEqual({
      email: "a@x.example",
      email_verified: false,
    });
    expect(of({ claims: {}, accessTokenClaims: verified })).toEqual(verified);
  });

  test("the subject is nobody's claim", () => {
    expect(of({ claims: { sub: "x", iss: "y", aud: "z", client_id: "c", scope: "root" } })).toEqual({});
  });
});
