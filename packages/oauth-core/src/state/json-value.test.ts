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

test("two values are the same exactly where a canonical text of them is", () => {
  const canonical = (value: unknown): string =>
    JSON.stringify(value, (_, member) =>
      typeof member === "object" && member !== null && !Array.isArray(member)
        ? Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))
        : member,
    );
  // Objects become arrays of pairs in the text, so generated values contain objects only.
  const objects = fc.dictionary(fc.constantFrom("a", "b"), fc.oneof(fc.constantFrom(1, "1", true), fc.constant({})));
  fc.assert(
    fc.property(objects, objects, (left, right) => {
      expect(sameJson(jsonOf(left), jsonOf(right))).toBe(canonical(left) === canonical(right));
    }),
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
])("not the same: %s", (_, left, right) => {
  expect(sameJson(jsonOf(left), jsonOf(right))).toBe(false);
  expect(sameJson(jsonOf(right), jsonOf(left))).toBe(false);
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

test.each([[undefined], [null], [Number.NaN], [() => 1], [Symbol("x")], [1n]])(
  "%s is not a value that can be stored",
  (value) => {
    expect(() => jsonText(value)).toThrow(TypeError);
    expect(() => jsonOf(value)).toThrow(TypeError);
  },
);
