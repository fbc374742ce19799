import { expect, test } from "vitest";
import { assertKey, keyOf, keyText, keyTextAbove, keyTextAfter } from "./key-text.ts";

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");

test("an ordinary key stands in the table as it is", () => {
  for (const key of ["grant:abc-_", "", "漢字 🚪", "a%b", "\ufffd", "\u0001"]) expect(keyText(key)).toBe(key);
});

test("keys that PostgreSQL refuses or can't tell apart have different texts, which lead back to them", () => {
  const keys = ["\0", "\0\0", "\ud800", "\ud801", "\udc00", "\ufffd", "\uffff", "\uffffd800", "a\ud800b", "\u{10ffff}"];
  const stored = keys.map((key) => bytes(keyText(key)));
  expect(new Set(stored.map((text) => text.toString("hex"))).size).toBe(keys.length);
  expect(stored.map((text) => keyOf(text.toString("utf8")))).toEqual(keys);
  for (const text of stored) expect(text.includes(0)).toBe(false);
});

test("the texts that begin with one lie between it and the one above it", () => {
  for (const rest of ["", "a", "\u{10ffff}", "\uffff", "\u{10fffd}", "🚪", "\0", "\ud800"]) {
    const text = keyText(`prefix${rest}`);
    expect(Buffer.compare(bytes("prefix"), bytes(text))).toBeLessThanOrEqual(0);
    expect(Buffer.compare(bytes(text), bytes(keyTextAbove("prefix")))).toBe(-1);
  }
});

test("no text comes between one and what follows it", () => {
  expect(Buffer.compare(bytes("a"), bytes(keyTextAfter("a")))).toBe(-1);
  for (const longer of ["a\0", "a\u0001", "a\u0002", "ab"]) {
    expect(Buffer.compare(bytes(keyTextAfter("a")), bytes(keyText(longer)))).toBeLessThanOrEqual(0);
  }
});

test("a key of 2 KiB is the longest, counted in bytes", () => {
  for (const key of ["x".repeat(2048), "ü".repeat(1024), "🚪".repeat(512)]) {
    expect(() => assertKey(key)).not.toThrow();
    expect(() => assertKey(`${key}x`)).toThrow(RangeError);
  }
});
