import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatScope, includesScope, isScopeWord, narrowScope, parseScope, scopeOf } from "./scope.ts";

const malformed = expect.objectContaining({
  name: "OAuthProxyError",
  code: "invalid_scope",
  reason: "malformed_scope",
});

const word = fc.string({ minLength: 1, maxLength: 12 }).filter(isScopeWord);
const words = fc.array(word, { maxLength: 12 });

describe("parseScope", () => {
  test.each([undefined, "", " ", "   "])("%j has no words", (value) => {
    expect([...parseScope(value)]).toEqual([]);
  });

  test("RFC 6749 §3.3: the words are a set, in the order in which they were first named", () => {
    expect([...parseScope("openid  mcp:tools openid email")]).toEqual(["openid", "mcp:tools", "email"]);
  });

  test.each(['a"b', "a\\b", "a\tb", "a\nb", "a\r\nSet-Cookie:x", "é", "a\u00a0b", "a\u007fb", "\u{1f600}"])(
    "RFC 6749 §3.3: a character that would break out of a header is refused: %j",
    (value) => {
      expect(() => parseScope(value)).toThrow(malformed);
    },
  );

  test("every character that the RFC allows is allowed", () => {
    const allowed = Array.from({ length: 0x7e - 0x21 + 1 }, (_, index) => String.fromCharCode(0x21 + index)).filter(
      (character) => character !== '"' && character !== "\\",
    );

    expect(parseScope(allowed.join("")).size).toBe(1);
  });

  test("more than 8192 characters are refused", () => {
    expect(parseScope("a".repeat(8192)).size).toBe(1);
    expect(() => parseScope("a".repeat(8193))).toThrow(malformed);
  });

  test("reading what was written gives the same words", () => {
    fc.assert(
      fc.property(words, (list) => {
        const scope = scopeOf(list);
        expect([...parseScope(formatScope(scope))]).toEqual([...scope]);
      }),
    );
  });
});

test.each(["", "a b", " ", 'a"'])("scopeOf refuses %j, which is not one word", (value) => {
  expect(() => scopeOf(["ok", value])).toThrow(malformed);
});

describe("narrowScope", () => {
  test("keeps what both have, in the order of the first", () => {
    expect([...narrowScope(scopeOf(["c", "a", "b"]), scopeOf(["b", "c", "d"]))]).toEqual(["c", "b"]);
  });

  test("never adds a word, whatever it is given", () => {
    fc.assert(
      fc.property(words, words, (left, right) => {
        for (const kept of narrowScope(scopeOf(left), scopeOf(right))) {
          expect(left).toContain(kept);
          expect(right).toContain(kept);
        }
      }),
    );
  });
});

describe("includesScope", () => {
  test("needs every required word, and is satisfied by none", () => {
    expect(includesScope(scopeOf(["a", "b"]), ["a", "b"])).toBe(true);
    expect(includesScope(scopeOf(["a"]), ["a", "b"])).toBe(false);
    expect(includesScope(scopeOf([]), [])).toBe(true);
  });

  test("a broad scope satisfies a narrow one through any number of steps, and not the other way round", () => {
    const hierarchy = { admin: ["write"], write: ["read"] };

    expect(includesScope(scopeOf(["admin"]), ["read"], hierarchy)).toBe(true);
    expect(includesScope(scopeOf(["read"]), ["write"], hierarchy)).toBe(false);
    expect(includesScope(scopeOf(["other"]), ["read"], hierarchy)).toBe(false);
  });

  test("a hierarchy that runs in a circle comes to an end", () => {
    const hierarchy = { a: ["b"], b: ["c", "b"], c: ["a"] };

    expect(includesScope(scopeOf(["b"]), ["a", "b", "c"], hierarchy)).toBe(true);
    expect(includesScope(scopeOf(["b"]), ["d"], hierarchy)).toBe(false);
  });

  test("a granted word that is called like a member of every object implies nothing", () => {
    expect(includesScope(scopeOf(["constructor", "__proto__", "toString"]), ["read"], { admin: ["read"] })).toBe(false);
  });

  test("a scope includes what it was narrowed to, with any hierarchy", () => {
    const hierarchy = fc.dictionary(word, words, { maxKeys: 6 });
    fc.assert(
      fc.property(words, words, hierarchy, (granted, other, implied) => {
        const scope = scopeOf(granted);
        expect(includesScope(scope, narrowScope(scope, scopeOf(other)), implied)).toBe(true);
      }),
    );
  });
});
