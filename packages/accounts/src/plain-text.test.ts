import { expect, test } from "vitest";
import { plainText } from "./plain-text.ts";

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"],
  ["a\0b\u001bc\u007fd\u0085e", "abcde"],
  ["one\r\ntwo\u2028three\u2029four", "onetwothreefour"],
  ["\u202eevil\u2066\u200f\ufeff", "evil"],
  ["half \ud83d a pair", "half  a pair"],
  ["  around  ", "around"],
  ["דפדפן", "דפדפן"],
  ["<script>", "<script>"],
])("%j is shown as %j", (text, shown) => {
  expect(plainText(text, 200)).toBe(shown);
});

test("is cut between characters and not within one", () => {
  expect(plainText("😀".repeat(300), 200)).toBe("😀".repeat(200));
  expect(plainText("ab cd", 3)).toBe("ab");
});

test("a text of any length costs what is kept of it", () => {
  expect(plainText("\0".repeat(1024 * 1024), 200)).toBe("");
  expect(plainText("a".repeat(1024 * 1024), 200)).toHaveLength(200);
});
