import { describe, expect, test } from "vitest";
import { PKCEUtils } from "./pkce-utils.ts";

test("RFC 7636 Appendix B: its example is right", () => {
  const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
  expect(PKCEUtils.generateChallenge(verifier)).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
});

describe("generateVerifier", () => {
  test.each([43, 64, 127, 128])("RFC 7636 §4.1: %i characters, all unreserved", (length) => {
    expect(PKCEUtils.generateVerifier(length)).toMatch(new RegExp(`^[A-Za-z0-9_-]{${length}}$`));
  });

  test("128 by default, and never twice the same", () => {
    const verifiers = Array.from({ length: 50 }, () => PKCEUtils.generateVerifier());
    expect(new Set(verifiers).size).toBe(50);
    expect(verifiers[0]).toHaveLength(128);
  });

  test.each([0, 42, 129, 64.5, Number.NaN])("%d is no length of a verifier", (length) => {
    expect(() => PKCEUtils.generateVerifier(length)).toThrow(RangeError);
  });
});

describe("validateChallenge", () => {
  const { verifier, challenge } = PKCEUtils.generatePair();

  test("a pair fits, and no other", () => {
    expect(PKCEUtils.validateChallenge(verifier, challenge)).toBe(true);
    expect(PKCEUtils.validateChallenge(verifier, challenge, "S256")).toBe(true);
    expect(PKCEUtils.validateChallenge(PKCEUtils.generateVerifier(), challenge)).toBe(false);
  });

  test("plain is never right, not even for itself", () => {
    expect(PKCEUtils.validateChallenge(challenge, challenge, "plain")).toBe(false);
    expect(PKCEUtils.validateChallenge(verifier, challenge, "s256")).toBe(false);
  });

  test.each(["", "short", "a".repeat(129), "é".repeat(43)])(
    "what is no verifier fits nothing, and throws nothing: %.10s",
    (wrong) => {
      expect(PKCEUtils.validateChallenge(wrong, challenge)).toBe(false);
    },
  );
});
