import { expect, test } from "vitest";
import { keyOf, keyText } from "./key-text.ts";

test("an ordinary key stands in Redis as it is", () => {
  for (const key of ["grant:abc-_", "", "\0", "漢字 🚪", "{a}"]) expect(keyText(key)).toBe(key);
});

test("keys that UTF-8 can't tell apart have different texts, which lead back to them", () => {
  const keys = ["\ud800", "\ud801", "\udc00", "\ufffd", "\uffff", "\uffffd800", "a\ud800b", "\ud83d\ud83d\udeaa"];
  const bytes = keys.map((key) => Buffer.from(keyText(key), "utf8"));
  expect(new Set(bytes.map((text) => text.toString("hex"))).size).toBe(keys.length);
  expect(bytes.map((text) => keyOf(text.toString("utf8")))).toEqual(keys);
});
