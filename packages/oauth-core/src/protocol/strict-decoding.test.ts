import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBase64, decodeBase64url, decodeFormText, decodeUtf8 } from "./strict-decoding.ts";

describe("decodeUtf8", () => {
  test.each([
    ["an overlong slash", [0xc0, 0xaf]],
    ["half a surrogate pair", [0xed, 0xa0, 0x80]],
    ["a cut-off sequence", [0x61, 0xe2, 0x82]],
    ["a byte that never occurs", [0xff]],
  ])("RFC 3629 §10: %s has no reading", (_, bytes) => {
    expect(decodeUtf8(Uint8Array.from(bytes))).toBeUndefined();
  });

  test("a byte order mark is kept, so that two inputs are never one text", () => {
    expect(decodeUtf8(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61]))).toBe("\ufeffa");
  });
});

describe("decodeFormText", () => {
  test.each(["%", "%1", "%gg", "%c3", "\udc00", "a\ud800"])("%j has no reading", (text) => {
    expect(decodeFormText(text)).toBeUndefined();
  });

  test("RFC 6749 Appendix B: its example is read as the RFC reads it", () => {
    expect(decodeFormText("+%25%26%2B%C2%A3%E2%82%AC")).toBe(" %&+£€");
  });
});

describe("decodeBase64url and decodeBase64", () => {
  test("RFC 4648 §3.5: a value has one spelling; unused bits must be zero", () => {
    expect(decodeBase64url("YQ")).toEqual(Buffer.from("a"));
    expect(decodeBase64url("YR")).toBeUndefined();
    expect(decodeBase64("YQ==")).toEqual(Buffer.from("a"));
    expect(decodeBase64("YR==")).toBeUndefined();
  });

  test.each(["YQ==", "Y Q", "Y", "+/+/", "YQ\n", "YQ.", "é"])("RFC 7515 §2: %j is not base64url", (text) => {
    expect(decodeBase64url(text)).toBeUndefined();
  });

  test("padding of base64 may be left out", () => {
    expect(decodeBase64("YWI")).toEqual(Buffer.from("ab"));
  });

  test("every sequence of bytes survives, and every accepted text is the only one for its bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString("base64url");
        expect(decodeBase64url(text)).toEqual(Buffer.from(bytes));
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        const bytes = decodeBase64url(text);
        if (bytes !== undefined) expect(Buffer.from(bytes).toString("base64url")).toBe(text);
      }),
    );
  });
});
