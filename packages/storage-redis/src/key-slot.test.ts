import { expect, test } from "vitest";
import { keySlot } from "./key-slot.ts";

test.each([
  // The check value that the specification names.
  ["123456789", 0x31c3],
  ["", 0],
  ["foo", 12_182],
])("the slot of %j is the CRC-16 of its bytes", (key, slot) => {
  expect(keySlot(key)).toBe(slot % 16_384);
});

test.each([
  ["{user1000}.following", "{user1000}.followers"],
  ["foo{bar}{zap}", "bar"],
  ["foo{{bar}}zap", "{bar"],
])("of a key with a hash tag only that counts: %s is where %s is", (key, other) => {
  expect(keySlot(key)).toBe(keySlot(other));
});

test("an empty hash tag is none", () => {
  expect(keySlot("foo{}{bar}")).not.toBe(keySlot("bar"));
  expect(keySlot("{}a")).not.toBe(keySlot("{}b"));
});
