import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseParameters } from "./parameters.ts";

const because = (reason: string) =>
  expect.objectContaining({ name: "OAuthProxyError", code: "invalid_request", reason });

describe("parseParameters", () => {
  test("decodes percent-encoding as UTF-8 and + as a space", () => {
    const parameters = parseParameters("scope=openid+mcp%3Atools&name=J%C3%BCrgen%2B1&a%20b=c");

    expect(parameters.get("scope")).toBe("openid mcp:tools");
    expect(parameters.get("name")).toBe("Jürgen+1");
    expect(parameters.get("a b")).toBe("c");
  });

  test("RFC 6749 §3.1: a parameter without a value counts as absent", () => {
    const parameters = parseParameters("scope=&state&code=x");

    expect(parameters.get("scope")).toBeUndefined();
    expect(parameters.get("state")).toBeUndefined();
    expect(parameters.all("scope")).toEqual([]);
    expect(parameters.get("code")).toBe("x");
  });

  test.each(["code=a&code=b", "code=a&code=a", "code=a&code=", "code=a&c%6Fde=b", "code&code", "=a&=b"])(
    "RFC 6749 §3.1: a repeated parameter is refused, whatever its values and spelling: %s",
    (query) => {
      expect(() => parseParameters(query)).toThrow(because("repeated_parameter"));
    },
  );

  test("RFC 8707 §2: resource may be given several times, in order", () => {
    const parameters = parseParameters("resource=https%3A%2F%2Fa&x=1&resource=&resource=https%3A%2F%2Fb");

    expect(parameters.all("resource")).toEqual(["https://a", "https://b"]);
    expect(parameters.get("resource")).toBe("https://a");
  });

  test.each([
    "a=%",
    "a=%2",
    "a=%zz",
    "a=%C3",
    "a=%FF%FE",
    "%=a",
    "a=%ED%A0%80",
    "a=%C0%AF",
    "a=%00",
    "%00=a",
    "a=b\0c",
  ])("broken percent-encoding, bytes that are not UTF-8 and NUL are refused: %j", (query) => {
    expect(() => parseParameters(query)).toThrow(because("malformed_parameters"));
  });

  test("half a surrogate pair is refused, a whole one is not", () => {
    expect(() => parseParameters("a=\ud83d")).toThrow(because("malformed_parameters"));
    expect(parseParameters("a=\ud83d\ude00").get("a")).toBe("😀");
  });

  test("64 parameters are read, the 65th is refused, and separators count as well", () => {
    const query = (count: number) => Array.from({ length: count }, (_, index) => `p${index}=1`).join("&");

    expect(parseParameters(query(64)).get("p63")).toBe("1");
    expect(() => parseParameters(query(65))).toThrow(because("malformed_parameters"));
    expect(() => parseParameters("&".repeat(131_072))).toThrow(because("malformed_parameters"));
  });

  test("names of an object's own machinery are names like any other", () => {
    const parameters = parseParameters("__proto__=a&constructor=b");

    expect(parameters.get("__proto__")).toBe("a");
    expect(parameters.get("constructor")).toBe("b");
    expect(parameters.get("toString")).toBeUndefined();
  });

  test("the empty input and empty pairs are no parameters", () => {
    expect(parseParameters("").get("")).toBeUndefined();
    expect(parseParameters("&&a=1&").get("a")).toBe("1");
  });

  test("everything after the first = is the value", () => {
    expect(parseParameters("code=a=b==").get("code")).toBe("a=b==");
  });

  test("gives back what was encoded, for any names and values", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((value) => !value.includes("\0"));
    const pairs = fc.uniqueArray(fc.tuple(text, text), { maxLength: 64, selector: ([name]) => name });

    fc.assert(
      fc.property(pairs, (members) => {
        const parameters = parseParameters(new URLSearchParams(members).toString());
        for (const [name, value] of members) expect(parameters.all(name)).toEqual([value]);
      }),
    );
  });
});
