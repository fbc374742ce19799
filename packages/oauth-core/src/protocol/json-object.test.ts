import { describe, expect, test } from "vitest";
import { isJsonObject, parseJsonObject } from "./json-object.ts";

describe("parseJsonObject", () => {
  test("reads an object with whatever members it has", () => {
    expect(parseJsonObject('{"a":[null,1],"b":{"c":"d"}}')).toEqual({ a: [null, 1], b: { c: "d" } });
  });

  test.each(["", "{", "[]", "null", "1", '"{}"', "{}{}", "{'a':1}", "<html>", '{"a":1,}'])("%j is none", (text) => {
    expect(parseJsonObject(text)).toBeUndefined();
  });

  test("an object with a member __proto__ is refused, so that assigning it elsewhere gives nobody new members", () => {
    expect(parseJsonObject('{"__proto__":{"admin":true}}')).toBeUndefined();
  });

  test("nesting a hundred thousand levels deep is refused or read, and exhausts nothing", () => {
    expect(parseJsonObject('{"a":'.repeat(100_000))).toBeUndefined();
    expect(parseJsonObject(`{"a":${"[".repeat(60_000)}`)).toBeUndefined();
  });
});

test("arrays, null and primitives are not JSON objects", () => {
  expect([[], null, undefined, "", 0, true, {}].map(isJsonObject)).toEqual([
    false,
    false,
    false,
    false,
    false,
    false,
    true,
  ]);
});
