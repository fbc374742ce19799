import { expect, test } from "vitest";
import { checkAccessTokenClaims } from "./access-token.ts";

const because = (reason: string) => expect.objectContaining({ name: "OAuthProxyError", code: "invalid_token", reason });

const now = 1_700_000_000;
const expected = { issuer: "https://auth.example.com", audience: "https://mcp.example.com/mcp", now };
const header = { alg: "HS256", typ: "at+jwt" };
const sound = {
  iss: expected.issuer,
  sub: "alice",
  aud: expected.audience,
  client_id: "client",
  scope: "a b",
  jti: "grant.1",
  iat: now - 10,
  exp: now + 10,
};

const check = (claims: Record<string, unknown>, typ: unknown = header.typ) =>
  checkAccessTokenClaims({ ...header, typ }, { ...sound, ...claims }, expected);

test("RFC 9068 §2.2: a sound token passes, with whatever other claims it has", () => {
  expect(check({ email: "a@b" })).toEqual({ ...sound, email: "a@b" });
});

test.each(["at+jwt", "AT+JWT", "application/at+jwt"])("RFC 9068 §4: %s is the type of an access token", (typ) => {
  expect(check({}, typ).sub).toBe("alice");
});

test.each([undefined, null, "", "JWT", "jwt", "rt+jwt", "id+jwt", "dpop+jwt", "at+jwt ", "text/at+jwt", ["at+jwt"], 5])(
  "RFC 9068 §4: a token of the type %j is no access token, however good its claims are",
  (typ) => {
    expect(() => checkAccessTokenClaims({ ...header, typ }, sound, expected)).toThrow(because("token_type_wrong"));
  },
);

test.each(["iss", "sub", "aud", "client_id", "jti", "iat", "exp"])("RFC 9068 §2.2: %s is required", (claim) => {
  for (const value of [undefined, null, "", {}, [], true]) {
    expect(() => check({ [claim]: value }), `${claim}: ${JSON.stringify(value)}`).toThrow(because("token_malformed"));
  }
});

test.each([
  { exp: String(now + 10) },
  { exp: Number.POSITIVE_INFINITY },
  { exp: Number.NaN },
  { iat: String(now) },
  { nbf: String(now) },
  { nbf: null },
  { iss: [expected.issuer] },
  { sub: 5 },
  { aud: [expected.audience, 5] },
  { aud: { 0: expected.audience } },
  { scope: ["a"] },
  { scope: null },
])("RFC 7519 §4.1: a claim of the wrong type is not interpreted", (claims) => {
  expect(() => check(claims)).toThrow(because("token_malformed"));
});

test.each([
  "https://auth.example.com/",
  "https://AUTH.example.com",
  "https://auth.example.com.evil.test",
  "https://evil.test",
])("RFC 9068 §4: the issuer is compared exactly; %s is another one", (iss) => {
  expect(() => check({ iss })).toThrow(because("token_issuer"));
});

test("RFC 9068 §4: a token for another resource opens nothing", () => {
  for (const aud of [
    "https://mcp.example.com",
    "https://mcp.example.com/mcp/",
    "https://other.example.com/mcp",
    ["a", "b"],
  ]) {
    expect(() => check({ aud }), JSON.stringify(aud)).toThrow(because("token_audience"));
  }
});

test("RFC 7519 §4.1.3: of several audiences one has to be ours", () => {
  expect(check({ aud: ["https://other.example.com", expected.audience] }).sub).toBe("alice");
});

test("without an expected audience any audience passes, and none does not", () => {
  const anywhere = { ...expected, audience: undefined };

  expect(checkAccessTokenClaims(header, { ...sound, aud: "https://other.example.com" }, anywhere).sub).toBe("alice");
  expect(() => checkAccessTokenClaims(header, { ...sound, aud: undefined }, anywhere)).toThrow(
    because("token_malformed"),
  );
});

test("RFC 7519 §4.1.4: a token lives until before exp", () => {
  expect(check({ exp: now + 1 }).exp).toBe(now + 1);
  expect(() => check({ exp: now })).toThrow(because("token_expired"));
  expect(() => check({ exp: now - 1 })).toThrow(because("token_expired"));
  expect(() => check({ exp: 0 })).toThrow(because("token_expired"));
});

test("RFC 7519 §4.1.5: a token is not accepted before nbf", () => {
  expect(check({ nbf: now }).nbf).toBe(now);
  expect(() => check({ nbf: now + 1 })).toThrow(because("token_not_yet_valid"));
});
