import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonOf, jsonText, sameJson } from "./json-value.ts";

const json = fc.jsonValue({ noUnicodeString: false, maxDepth: 4 }).filter((value) => value !== null);

/** The same value with the members of every object in the opposite order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reordered(member)]),
  );
}

test("a value is the same as its copy, whatever the order of its members", () => {
  fc.assert(fc.property(json, (value) => sameJson(jsonOf(value), reordered(jsonOf(value)))));
});

test("two values have one text exactly where they are the same", () => {
  const members = fc.dictionary(
    fc.constantFrom("a", "b", "10", "9", "__proto__", "\ud83d"),
    fc.oneof(fc.constantFrom(1, -0, 0, "1", true, null, "[1]"), fc.constant({}), fc.constant([1])),
    { maxKeys: 3 },
  );
  const value = fc.oneof(members, fc.array(members, { maxLength: 2 }));
  fc.assert(
    fc.property(value, value, (left, right) => {
      const same = isDeepStrictEqual(jsonOf(left), jsonOf(right));
      expect(jsonText(left) === jsonText(right)).toBe(same);
      expect(sameJson(jsonOf(left), jsonOf(right))).toBe(same);
    }),
  );
  fc.assert(fc.property(json, (left) => jsonText(left) === jsonText(reordered(jsonOf(left)))));
});

test("the text says what the value says", () => {
  fc.assert(fc.property(json, (value) => isDeepStrictEqual(JSON.parse(jsonText(value)), jsonOf(value))));
  expect(jsonText(JSON.parse('{"b":1e2,"__proto__":{"polluted":true},"10":null,"9":["\\u0000",{}],"a":-0.5}'))).toBe(
    '{"10":null,"9":["\\u0000",{}],"__proto__":{"polluted":true},"a":-0.5,"b":100}',
  );
});

test("members that JSON does not know are in no text", () => {
  expect(jsonText({ b: [{ d: 1, c: undefined }], a: new Date(0), gone: undefined, f: () => 1 })).toBe(
    '{"a":"1970-01-01T00:00:00.000Z","b":[{"d":1}]}',
  );
});

test.each([
  ["a number and its string", 1, "1"],
  ["an array and an object with the same members", ["x"], { 0: "x" }],
  ["arrays in another order", [1, 2], [2, 1]],
  ["a member more", { a: 1 }, { a: 1, b: 1 }],
  ["another member of the same value", { a: 1 }, { b: 1 }],
  ["a member that hides in the prototype", { toString: 1 }, { valueOf: 1 }],
  ["null and an empty object", { a: null }, { a: {} }],
  ["null and no member", { a: null }, {}],
  ["a list and the string that spells it", [1], "[1]"],
  ["a member of a member and a name with a dot", { a: { b: 1 } }, { "a.b": 1 }],
])("not the same: %s", (_, left, right) => {
  expect(sameJson(jsonOf(left), jsonOf(right))).toBe(false);
  expect(sameJson(jsonOf(right), jsonOf(left))).toBe(false);
  expect(jsonText(left)).not.toBe(jsonText(right));
});

test("a member named __proto__ is a member like any other", () => {
  const value = jsonOf(JSON.parse('{"__proto__":{"admin":true}}'));
  expect(JSON.stringify(value)).toBe('{"__proto__":{"admin":true}}');
  expect(sameJson(value, jsonOf(JSON.parse('{"__proto__":{"admin":false}}')))).toBe(false);
  expect(sameJson(value, {})).toBe(false);
});

test("a copy shares nothing with the value, and has what JSON knows of it", () => {
  const value = { scopes: ["a"], since: new Date(0), gone: undefined };
  const copy = jsonOf(value);
  value.scopes.push("b");
  expect(copy).toEqual({ scopes: ["a"], since: "1970-01-01T00:00:00.000Z" });
});

const cycle: unknown[] = [];
cycle.push(cycle);

test.each([
  ["undefined", undefined],
  ["null", null],
  ["NaN", Number.NaN],
  ["a function", () => 1],
  ["a symbol", Symbol("x")],
  ["a bigint", 1n],
  ["a cycle", cycle],
])("%s is not a value that can be stored", (_, value) => {
  expect(() => jsonText(value)).toThrow(TypeError);
  expect(() => jsonOf(value)).toThrow(TypeError);
});
