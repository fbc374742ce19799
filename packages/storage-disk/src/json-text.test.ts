import { expect, test } from "vitest";
import { hasMembers, jsonText, sameMembers } from "./json-text.ts";

test("what JSON can't carry, and null, has no text", () => {
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [undefined, null, Number.NaN, () => 1, Symbol("s"), 1n, cycle]) {
    expect(() => jsonText(value)).toThrow(TypeError);
  }
});

test("members make one value in any order, items do not", () => {
  expect(sameMembers('{"a":1,"b":{"c":2,"d":[3]}}', '{"b":{"d":[3],"c":2},"a":1}')).toBe(true);
  expect(sameMembers("[1,2]", "[2,1]")).toBe(false);
  expect(sameMembers('["a"]', '{"0":"a"}')).toBe(false);
  expect(sameMembers('{"__proto__":{"a":1}}', '{"__proto__":{"a":2}}')).toBe(false);
  expect(sameMembers('{"__proto__":{"a":1}}', "{}")).toBe(false);
});

test("only an object or an array can be spelled in two ways", () => {
  expect(["{}", "[]", '"{}"', "1", "true"].map(hasMembers)).toEqual([true, true, false, false, false]);
});
