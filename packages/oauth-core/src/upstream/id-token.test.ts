import { describe, expect, test } from "vitest";
import { idToken } from "../../test/harness.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { checkIdToken } from "./id-token.ts";

const NOW = 1_800_000_000;
const EXPECTED = { issuer: "https://id.example.com", clientId: "our-app", nonce: "n-1", now: NOW };
const SOUND = { iss: EXPECTED.issuer, sub: "alice", aud: "our-app", exp: NOW + 60, iat: NOW, nonce: "n-1" };

function outcome(claims: object, expected: Partial<typeof EXPECTED> | { nonce: undefined } = {}): string {
  try {
    return checkIdToken(idToken({ ...SOUND, ...claims }), { ...EXPECTED, ...expected }).sub;
  } catch (error) {
    if (!(error instanceof OAuthProxyError)) throw error;
    return `${error.reason}: ${error.cause instanceof Error ? error.cause.message : ""}`;
  }
}

test("OpenID Connect Core §3.1.3.7: a sound one tells who signed in", () => {
  expect(outcome({})).toBe("alice");
});

describe("refused", () => {
  test.each([
    ["iss", { iss: "https://id.example.com/" }],
    ["iss", { iss: undefined }],
    ["aud", { aud: "other" }],
    ["aud", { aud: undefined }],
    ["aud", { aud: ["other"] }],
    ["aud", { aud: { "our-app": true } }],
    ["azp", { azp: "other" }],
    ["azp", { aud: ["our-app", "other"] }],
    ["azp", { aud: ["our-app", "other"], azp: "other" }],
    ["exp", { exp: NOW - 120 }],
    ["exp", { exp: undefined }],
    ["exp", { exp: String(NOW + 60) }],
    ["iat", { iat: NOW + 121 }],
    ["iat", { iat: "now" }],
    ["nonce", { nonce: "n-2" }],
    ["nonce", { nonce: undefined }],
    ["sub", { sub: undefined }],
    ["sub", { sub: "" }],
    ["sub", { sub: 5 }],
    ["sub", { sub: "a".repeat(256) }],
  ])("for its %s: %j", (claim, claims) => {
    expect(outcome(claims)).toBe(`upstream_identity: ID token: ${claim}`);
  });

  test.each(["", "x", "a.b.c", "e30.e30.", idToken(SOUND).split(".").slice(0, 2).join(".")])(
    "what is no token: %j",
    (token) => {
      expect(() => checkIdToken(token, EXPECTED)).toThrow(OAuthProxyError);
    },
  );
});

describe("accepted", () => {
  test.each([
    ["one of several audiences, and it is the authorized party", { aud: ["other", "our-app"], azp: "our-app" }],
    ["an authorized party that it need not have named", { azp: "our-app" }],
    ["a clock two minutes behind", { exp: NOW - 119 }],
    ["a clock two minutes ahead", { iat: NOW + 120 }],
    ["no iat", { iat: undefined }],
  ])("%s", (_, claims) => {
    expect(outcome(claims)).toBe("alice");
  });

  test("any issuer, where the operator named none", () => {
    expect(outcome({ iss: "https://other.example" }, { ...EXPECTED, issuer: undefined } as object)).toBe("alice");
  });

  test("OpenID Connect Core §12.2: no nonce at a refresh", () => {
    expect(outcome({ nonce: undefined }, { nonce: undefined })).toBe("alice");
  });
});
