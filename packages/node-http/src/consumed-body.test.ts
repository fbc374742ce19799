import { describe, expect, test } from "vitest";
import { type Consumed, recoverBody } from "./consumed-body.ts";

const FORM = { "content-type": "application/x-www-form-urlencoded", "content-length": "9" };
const JSON_BODY = { "content-type": "application/json", "content-length": "9" };

function recovered(headers: Readonly<Record<string, string>>, consumed: Partial<Consumed>): string {
  return new TextDecoder().decode(recoverBody(headers, { body: undefined, rawBody: undefined, ...consumed }));
}

describe("what is kept as it was", () => {
  test.each<[string, Partial<Consumed>]>([
    ["a raw text", { rawBody: "a=%zz&a=1", body: { a: "1" } }],
    ["raw bytes", { rawBody: Buffer.from("a=%zz&a=1"), body: { a: "1" } }],
    ["a body that was read as text", { body: "a=%zz&a=1" }],
    ["a body that was read as bytes", { body: Buffer.from("a=%zz&a=1") }],
  ])("%s is the body", (_, consumed) => {
    expect(recovered(FORM, consumed)).toBe("a=%zz&a=1");
  });

  test("bytes that are no text stay what they were", () => {
    expect([...recoverBody(FORM, { rawBody: Uint8Array.of(0xff, 0x00), body: undefined })]).toEqual([0xff, 0x00]);
  });
});

describe("forms", () => {
  test.each<[unknown, string]>([
    [{}, ""],
    [{ a: "" }, "a="],
    [{ a: "b c+d&e=f%20", "ü&": "é" }, "a=b%20c%2Bd%26e%3Df%2520&%C3%BC%26=%C3%A9"],
    [{ a: ["1", "", "1"], b: "2" }, "a=1&a=&a=1&b=2"],
  ])("%j is %s again", (body, text) => {
    expect(recovered(FORM, { body })).toBe(text);
  });

  test.each<[string, unknown]>([
    ["one element, as brackets make it", { code: ["1"] }],
    ["no element", { code: [] }],
    ["structure", { code: { a: "1" } }],
    ["a list as an object, as very many repetitions make it", { code: { 0: "1", 1: "2" } }],
    ["structure in a list", { code: ["1", { a: "2" }] }],
    ["a value that no form has", { code: 1 }],
    ["nothing", { code: null }],
  ])("%s could have been another form, and is none", (_, body) => {
    expect(() => recovered(FORM, { body })).toThrow(TypeError);
  });
});

describe("JSON", () => {
  test.each(['{"a":[1,{"b":null}],"c":"é\\n"}', "[]", '{"__proto__":{"a":1}}'])(
    "%s is the same value again",
    (text) => {
      expect(recovered(JSON_BODY, { body: JSON.parse(text) })).toBe(text);
    },
  );
});

test.each<[string, Partial<Consumed>]>([
  ["the name of a parameter", { body: { "a\uFFFD": "1" } }],
  ["a value", { body: { a: "\uFFFD" } }],
  ["a raw text", { rawBody: "a=\uFFFD" }],
])("RFC 3629 §3: broken bytes that a decoder has replaced, in %s, are no text", (_, consumed) => {
  expect(() => recovered(FORM, consumed)).toThrow(TypeError);
  expect(() => recovered(JSON_BODY, consumed)).toThrow(TypeError);
});

test("half a surrogate pair has no UTF-8", () => {
  expect(() => recovered(FORM, { body: { a: "\uD800" } })).toThrow(TypeError);
});

test.each([{}, { "content-length": "0" }, { "content-length": "0", "content-type": "application/json" }])(
  "a body that was not there is empty, whatever a parser made of it: %j",
  (headers) => {
    expect(recovered(headers, { body: {} })).toBe("");
    expect(recovered(headers, {})).toBe("");
  },
);

test.each(["multipart/form-data; boundary=x", "text/plain", "application/xml"])(
  "of %s nothing but the text or the bytes will do",
  (type) => {
    expect(() => recovered({ ...FORM, "content-type": type }, { body: { a: "b" } })).toThrow(TypeError);
  },
);

test("a body of which nothing is left is an error, and not empty", () => {
  expect(() => recovered(FORM, {})).toThrow(/nothing of it is left/);
});
