import { randomInt } from "node:crypto";
import fc from "fast-check";
import { afterAll, expect, test, vi } from "vitest";
import { normalizePassword } from "./password-text.ts";

/** Printed, so that a run can be had again. */
const seed = Number(process.env["FUZZ_SEED"] ?? randomInt(2 ** 31));
afterAll(() => console.log(`password-text: FUZZ_SEED=${seed}`));
const RUNS = { seed, numRuns: 1000 };

test.each([
  ["correct horse battery staple", "correct horse battery staple"],
  ["  spaces around  ", "  spaces around  "],
  ["wide\u3000and\u00a0hard\u2003spaces", "wide and hard spaces"],
  ["paßwort-Σίσυφος", "paßwort-Σίσυφος"],
  ["ｆｕｌｌ－ｗｉｄｔｈ", "ｆｕｌｌ－ｗｉｄｔｈ"],
  ["\u212aelvin-sign", "Kelvin-sign"],
  ["dotless-ı-dotted-İ", "dotless-ı-dotted-İ"],
  ["שלום عليكم 123", "שלום عليكم 123"],
  ["👩\u200d👩\u200d👧 family!", "👩\u200d👩\u200d👧 family!"],
  ["❤\ufe0f❤\ufe0e hearts", "❤\ufe0f❤\ufe0e hearts"],
  [
    "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} flag",
    "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} flag",
  ],
  ["too_short", "too_short"],
])("RFC 8265 §4.2: %j is hashed as %j", (typed, password) => {
  expect(normalizePassword(typed)).toEqual({ password });
});

test("RFC 8265 §4.2.2: composed and decomposed text are one password", () => {
  for (const text of ["Señor Müller", "tiếng Việt", "한글 비밀번호입니다", "ガギグゲゴパピプ"]) {
    const password = text.normalize("NFC");
    expect(normalizePassword(text.normalize("NFD"))).toEqual({ password });
    expect(normalizePassword(password)).toEqual({ password });
  }
});

test("RFC 8265 §4.2.2: case and width are part of a password", () => {
  expect(normalizePassword("Password!")).not.toEqual(normalizePassword("password!"));
  expect(normalizePassword("ｐassword!")).not.toEqual(normalizePassword("password!"));
});

test.each([
  ["NUL", "passw\0ord!"],
  ["a line break", "password!\n"],
  ["a tab", "pass\tword!"],
  ["DEL", "password!\u007f"],
  ["a C1 control", "password!\u0085"],
  ["a lone high surrogate", "password!\ud800"],
  ["a lone low surrogate", "\udc00password!"],
  ["a zero-width space", "password!\u200b"],
  ["a byte order mark", "\ufeffpassword!"],
  ["a soft hyphen", "pass\u00adword!"],
  ["a right-to-left mark", "password!\u200f"],
  ["a right-to-left override", "\u202epassword!"],
  ["an isolate", "\u2067password!\u2069"],
  ["a line separator", "pass\u2028word!"],
  ["a Hangul filler", "password!\u3164"],
  ["a noncharacter", "password!\uffff"],
  ["an unassigned character", "password!\u0378"],
  ["a private character", "password!\ue000"],
])("RFC 8264 §4.3: %s is in no password", (_, typed) => {
  expect(normalizePassword(typed)).toEqual({ fault: "malformed" });
});

test("7 characters are too short, 8 to 256 are a password, 257 are too long, counted after normalising", () => {
  for (const letter of ["x", "é", "ᾂ", "각", "😀", "\u{1109a}"]) {
    for (const [count, fault] of [
      [7, "too_short"],
      [8, undefined],
      [256, undefined],
      [257, "too_long"],
    ] as const) {
      const password = letter.repeat(count);
      const expected = fault === undefined ? { password } : { fault };
      expect(normalizePassword(password)).toEqual(expected);
      expect(normalizePassword(password.normalize("NFD"))).toEqual(expected);
    }
  }
});

test("nothing and spaces too few are too short", () => {
  expect(normalizePassword("")).toEqual({ fault: "too_short" });
  expect(normalizePassword("       ")).toEqual({ fault: "too_short" });
});

test.each([
  ["letters", "a".repeat(65_536)],
  ["what NFC makes three times as long", "\u{1d160}".repeat(32_768)],
  ["marks", "\u0301\u0323".repeat(32_768)],
  ["lone surrogates", "\ud800".repeat(65_536)],
  ["NUL", "\0".repeat(65_536)],
])("64 KiB of %s are too long, and are not normalised to find out", (_, typed) => {
  const normalize = vi.spyOn(String.prototype, "normalize");
  try {
    expect(normalizePassword(typed)).toEqual({ fault: "too_long" });
    expect(normalize).not.toHaveBeenCalled();
  } finally {
    normalize.mockRestore();
  }
});

test("no character takes more than eight units before NFC, which is what the bound on unread input rests on", () => {
  for (let code = 0; code <= 0x10ffff; code++) {
    if (code < 0xd800 || code > 0xdfff) {
      const units = String.fromCodePoint(code).normalize("NFD").length;
      if (units > 8) expect.fail(`U+${code.toString(16)} takes ${units}`);
    }
  }
});

test("whatever it is, a password is its own normal form and its equivalents have the same", () => {
  const letters = [
    "a",
    "é",
    "e\u0301",
    "한",
    "ᄒ",
    "ᅡ",
    "\u212a",
    "\u3000",
    "\u00a0",
    "\u0323",
    "\u0307",
    "😀",
    "\u200d",
  ];
  const unit = fc.oneof(fc.constantFrom(...letters), fc.string({ minLength: 1, maxLength: 1, unit: "grapheme" }));
  const odd = fc.constantFrom("", "", "", "", "\0", "\u200b", "\u202e", "\ud800", "\udc00");
  const text = fc
    .tuple(fc.array(unit, { minLength: 8, maxLength: 30 }), odd, unit)
    .map((parts) => parts.flat().join(""));
  fc.assert(
    fc.property(text, (typed) => {
      const normal = normalizePassword(typed);
      fc.pre("password" in normal);
      expect(normalizePassword(normal.password)).toEqual(normal);
      expect(normalizePassword(typed.normalize("NFD"))).toEqual(normal);
      expect([...normal.password].length).toBeGreaterThanOrEqual(8);
      expect(normal.password.isWellFormed()).toBe(true);
    }),
    RUNS,
  );
});
