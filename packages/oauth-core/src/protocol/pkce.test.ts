import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCodeChallenge, parseCodeVerifier, s256, verifyCodeVerifier } from "./pkce.ts";

const refusal = (code: string, reason: string) => expect.objectContaining({ name: "OAuthProxyError", code, reason });

/** RFC 7636 Appendix B. */
const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const unreserved = fc.constantFrom(..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~");
const verifier = fc.string({ unit: unreserved, minLength: 43, maxLength: 128 });

describe("parseCodeChallenge", () => {
  test("RFC 7636 §4.3: S256 with a digest in base64url is taken", () => {
    expect(parseCodeChallenge(CHALLENGE, "S256")).toBe(CHALLENGE);
  });

  test.each([undefined, "S256", "plain"])(
    "RFC 9700 §2.1.1: PKCE is required, also where the method is %s",
    (method) => {
      expect(() => parseCodeChallenge(undefined, method)).toThrow(refusal("invalid_request", "code_challenge_missing"));
    },
  );

  test.each([undefined, "plain", "s256", "S256 ", "S512", ""])(
    "RFC 7636 §4.3: the method %j is not S256; a missing one would mean plain",
    (method) => {
      expect(() => parseCodeChallenge(CHALLENGE, method)).toThrow(refusal("invalid_request", "code_challenge_method"));
    },
  );

  test.each([
    "a",
    CHALLENGE.slice(1),
    `${CHALLENGE}A`,
    `${CHALLENGE}=`,
    `${CHALLENGE}\n`,
    CHALLENGE.replace("-", "+"),
    CHALLENGE.replace("-", "."),
    VERIFIER.repeat(2),
    "é".repeat(43),
  ])("RFC 7636 §4.2: %j is not 43 characters of base64url", (challenge) => {
    expect(() => parseCodeChallenge(challenge, "S256")).toThrow(refusal("invalid_request", "code_challenge_malformed"));
  });

  test("every challenge of a verifier is well-formed", () => {
    fc.assert(
      fc.property(verifier, (value) => {
        expect(parseCodeChallenge(s256(value), "S256")).toBe(s256(value));
      }),
    );
  });
});

describe("parseCodeVerifier", () => {
  test("RFC 9700 §2.1.1: a missing verifier is refused", () => {
    expect(() => parseCodeVerifier(undefined)).toThrow(refusal("invalid_grant", "code_verifier_missing"));
  });

  test.each([
    "a".repeat(42),
    "a".repeat(129),
    `${VERIFIER} `,
    `${VERIFIER}\n`,
    `${VERIFIER}+`,
    `${VERIFIER}/`,
    `${VERIFIER}=`,
    `${VERIFIER}%`,
    "é".repeat(43),
    "",
  ])("RFC 7636 §4.1: %j is not 43 to 128 unreserved characters", (value) => {
    expect(() => parseCodeVerifier(value)).toThrow(refusal("invalid_grant", "code_verifier_malformed"));
  });

  test("43 to 128 unreserved characters are taken", () => {
    fc.assert(
      fc.property(verifier, (value) => {
        expect(parseCodeVerifier(value)).toBe(value);
      }),
    );
  });
});

describe("verifyCodeVerifier", () => {
  test("RFC 7636 Appendix B: its example is right", () => {
    expect(s256(VERIFIER)).toBe(CHALLENGE);
    expect(verifyCodeVerifier(VERIFIER, CHALLENGE)).toBe(true);
  });

  test.each(["", CHALLENGE.slice(1), `${CHALLENGE}A`, CHALLENGE.toLowerCase(), "é".repeat(43), VERIFIER])(
    "RFC 7636 §4.6: a verifier does not belong to %j",
    (challenge) => {
      expect(verifyCodeVerifier(VERIFIER, challenge)).toBe(false);
    },
  );

  test("plain is never tried: a challenge is not its own verifier", () => {
    expect(verifyCodeVerifier(CHALLENGE, CHALLENGE)).toBe(false);
  });

  test("a verifier belongs to its own challenge and to no other one", () => {
    fc.assert(
      fc.property(verifier, verifier, (one, other) => {
        expect(verifyCodeVerifier(one, s256(one))).toBe(true);
        expect(verifyCodeVerifier(one, s256(other))).toBe(one === other);
      }),
    );
  });
});
