import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Keys } from "./keys.ts";
import { formatRefreshToken, parseRefreshToken, provesRefreshToken, type RefreshTokenClaim } from "./refresh-token.ts";

const keys: Keys = [Buffer.from("a key for refresh tokens, number one")];
const otherKeys: Keys = [Buffer.from("a key for refresh tokens, number two")];
const GRANT = "AbCdEfGhIjKlMnOpQrStUvAbCdEfGhIjKlMnOpQrStUv";
const SALT = "c2FsdCBvZiB0aGUgZ3JhbnQ";

const base64url = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
const grantId = fc.string({ unit: base64url, minLength: 44, maxLength: 44 });
const salt = fc.string({ unit: base64url, minLength: 24, maxLength: 24 });
const generation = fc.nat({ max: 9_999_999_999 });

function claimOf(token: string): RefreshTokenClaim {
  const claim = parseRefreshToken(token);
  if (claim === undefined) throw new Error("not a refresh token");
  return claim;
}

test("a token tells its grant and its generation, and proves them", () => {
  fc.assert(
    fc.property(grantId, generation, salt, (grant, number, of) => {
      const claim = claimOf(formatRefreshToken(keys, grant, number, of));
      expect(claim).toMatchObject({ grantId: grant, generation: number });
      expect(provesRefreshToken(keys, claim, of)).toBe(true);
    }),
  );
});

test("a token is derived: whoever makes it, and how often, it is the same", () => {
  expect(formatRefreshToken(keys, GRANT, 5, SALT)).toBe(formatRefreshToken([...keys], GRANT, 5, SALT));
  expect(formatRefreshToken(keys, GRANT, 5, SALT)).not.toBe(formatRefreshToken(keys, GRANT, 6, SALT));
});

test("a token begins so that a scanner for leaked secrets can find it", () => {
  expect(formatRefreshToken(keys, GRANT, 0, SALT)).toMatch(/^sp_rt_/);
});

test("RFC 6749 §10.10: a token with any one character changed is none, or proves nothing", () => {
  const token = formatRefreshToken(keys, GRANT, 41, SALT);
  fc.assert(
    fc.property(fc.nat({ max: token.length - 1 }), base64url, (at, character) => {
      fc.pre(token[at] !== character);
      const claim = parseRefreshToken(token.slice(0, at) + character + token.slice(at + 1));
      expect(claim !== undefined && provesRefreshToken(keys, claim, SALT)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

describe("a proof is worth nothing", () => {
  const claim = claimOf(formatRefreshToken(keys, GRANT, 7, SALT));

  test.each([
    ["for another grant", { ...claim, grantId: "vUtSrQpOnMlKjIhGfEdCbAvUtSrQpOnMlKjIhGfEdCbA" }, SALT, keys],
    ["for another generation", { ...claim, generation: 8 }, SALT, keys],
    ["under another salt, as that of a grant that was made anew", claim, "YW5vdGhlciBzYWx0", keys],
    ["under another server's key", claim, SALT, otherKeys],
  ])("%s", (_, moved, of, under) => {
    expect(provesRefreshToken(under, moved, of)).toBe(false);
  });
});

test("keys are rotated: the new one makes tokens, the old one still proves them until it is taken away", () => {
  const [old, fresh] = [keys[0], otherKeys[0]];
  const before = claimOf(formatRefreshToken([old], GRANT, 1, SALT));
  expect(provesRefreshToken([fresh, old], before, SALT)).toBe(true);
  expect(provesRefreshToken([fresh], before, SALT)).toBe(false);
  expect(formatRefreshToken([fresh, old], GRANT, 2, SALT)).toBe(formatRefreshToken([fresh], GRANT, 2, SALT));
});

test.each([
  "",
  "sp_rt_",
  `sp_rt_${GRANT}.1`,
  `sp_rt_${GRANT}.01.${"a".repeat(43)}`,
  `sp_rt_${GRANT}.-1.${"a".repeat(43)}`,
  `sp_rt_${GRANT}.1e3.${"a".repeat(43)}`,
  `sp_rt_${GRANT}.12345678901.${"a".repeat(43)}`,
  `sp_rt_${GRANT}..${"a".repeat(43)}`,
  `sp_rt_${GRANT}.1.${"a".repeat(42)}`,
  `sp_rt_${GRANT}.1.${"a".repeat(44)}`,
  `sp_rt_${GRANT}.1.${"a".repeat(43)}\n`,
  ` sp_rt_${GRANT}.1.${"a".repeat(43)}`,
  `SP_RT_${GRANT}.1.${"a".repeat(43)}`,
  `sp_rt_${GRANT.slice(1)}.1.${"a".repeat(43)}`,
  `sp_rt_${GRANT}.1.${"a".repeat(43)}.x`,
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl",
])("%j is no refresh token", (token) => {
  expect(parseRefreshToken(token)).toBeUndefined();
});
