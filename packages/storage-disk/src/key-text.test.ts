import { expect, test } from "vitest";
import { keyOf, keyText, keyTextAfter } from "./key-text.ts";

/** Every way in which units can stand next to each other that could be confused: with an escape, with its digits, with UTF-8's limits. */
const UNITS = [
  "",
  "a",
  "0",
  "d800",
  "\0",
  "\ud800",
  "\udbff",
  "\udc00",
  "\udfff",
  "\ue000",
  "\uffff",
  "\ufffd",
  "\ufffe",
];
const KEYS = UNITS.flatMap((one) => UNITS.flatMap((two) => UNITS.map((three) => one + two + three)));
const DISTINCT = [...new Set(KEYS)];

/** The order of SQLite: that of the UTF-8 bytes. */
const before = (left: string, right: string): boolean => Buffer.compare(Buffer.from(left), Buffer.from(right)) < 0;

test("an ordinary key is stored as it is", () => {
  const key = "grant:47DEQpj8HBSa-_TImW5JCeuQeRkm5NMpJWZG3hSuFU é 漢";
  expect(keyText(key)).toBe(key);
});

test("no two keys have one text, lone surrogates and NUL included", () => {
  expect(new Set(DISTINCT.map(keyText)).size).toBe(DISTINCT.length);
});

test("a text is well-formed, without NUL, and leads back to its key", () => {
  for (const key of DISTINCT) {
    const text = keyText(key);
    expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
    expect(keyOf(text)).toBe(key);
  }
});

test("the texts between a prefix and its end are those of the keys that begin with it, halves of characters too", () => {
  for (const prefix of ["", "a", "d8", "\ud800", "a\ud800", "\udc00", "\uffff", "\0"]) {
    const [first, end] = [keyText(prefix), keyTextAfter(keyText(prefix))];
    const between = DISTINCT.filter((key) => !before(keyText(key), first) && before(keyText(key), end));
    expect(between).toEqual(DISTINCT.filter((key) => key.startsWith(prefix)));
  }
});
