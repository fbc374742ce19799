import fc from "fast-check";
import { SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, test } from "vitest";
import { parseJwt, readJwtClaims } from "./jwt.ts";

const malformed = expect.objectContaining({
  name: "OAuthProxyError",
  code: "invalid_token",
  reason: "token_malformed",
});

const part = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const jwt = (header: unknown, claims: unknown, signature = "c2ln") => `${part(header)}.${part(claims)}.${signature}`;
const header = { alg: "HS256", typ: "at+jwt" };

describe("parseJwt", () => {
  test("RFC 7515 §3.1: a token of another implementation is taken apart", async () => {
    const key = new TextEncoder().encode("0123456789abcdef0123456789abcdef");
    const token = await new SignJWT({ sub: "älice", scope: "a b" }).setProtectedHeader(header).sign(key);
    const parsed = parseJwt(token);

    expect(parsed.header).toEqual(header);
    expect(parsed.claims).toEqual({ sub: "älice", scope: "a b" });
    expect(`${parsed.signingInput}.${Buffer.from(parsed.signature).toString("base64url")}`).toBe(token);
    expect(parsed.signature).toHaveLength(32);
  });

  test("RFC 7518 §3.6: a token with alg none has no signature, and no reading", () => {
    expect(() => parseJwt(new UnsecuredJWT({ sub: "alice" }).encode())).toThrow(malformed);
  });

  test.each([
    ["nothing", ""],
    ["one part", "abc"],
    ["two parts", `${part(header)}.${part({})}`],
    ["four parts", `${jwt(header, {})}.${part({})}`],
    ["five parts, as an encrypted token has", `${jwt(header, {})}.a.b`],
    ["an empty header", `.${part({})}.c2ln`],
    ["empty claims", `${part(header)}..c2ln`],
    ["an array for claims", jwt(header, [])],
    ["null for claims", jwt(header, "null")],
    ["a string for claims", jwt(header, '"sub"')],
    ["no JSON", jwt(header, "sub")],
    ["JSON and more", jwt(header, "{}{}")],
    ["an array for a header", jwt([], {})],
    [
      "claims that are not UTF-8",
      `${part(header)}.${Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]).toString("base64url")}.c2ln`,
    ],
    ["a byte order mark", jwt(header, "\ufeff{}")],
    ["padding", `${part(header)}.${part("{ }")}=.c2ln`],
    ["characters of base64", jwt(header, {}, "c+/n")],
    ["unused bits that are not zero", jwt(header, {}, "c2lu").replace("c2lu", "c2m")],
    ["a blank", ` ${jwt(header, {})}`],
    ["a line break at the end", `${jwt(header, {})}\n`],
    ["a claim __proto__", jwt(header, '{"__proto__":{"sub":"admin"}}')],
    ["a header parameter __proto__", jwt('{"alg":"HS256","__proto__":{}}', {})],
    ["more than 16 KiB", jwt(header, { a: "a".repeat(16_384) })],
  ])("RFC 7515 §5.2: %s is malformed", (_, token) => {
    expect(() => parseJwt(token)).toThrow(malformed);
  });

  test("RFC 7515 §4.1.11: a critical header parameter is refused, whichever it is", () => {
    for (const crit of [["b64"], ["exp"], [], "b64", null])
      expect(() => parseJwt(jwt({ ...header, crit }, {}))).toThrow(malformed);
  });

  test("claims nested 31 levels deep are read, and 32 are not", () => {
    const nested = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;

    expect(parseJwt(jwt(header, nested(31))).claims).toHaveProperty("a");
    expect(() => parseJwt(jwt(header, nested(32)))).toThrow(malformed);
    expect(() => parseJwt(jwt(header, nested(5000)))).toThrow(malformed);
  });

  test("a token has one spelling: changing any character changes what is read, or ends the reading", () => {
    const token = jwt(header, { sub: "alice", exp: 1 }, part("0123456789abcdef0123456789abcdef"));
    const original = parseJwt(token);
    const character = fc.constantFrom(..."ABCDEFabcdef012345-_=+/. \n");

    fc.assert(
      fc.property(fc.nat({ max: token.length - 1 }), character, (index, replacement) => {
        const changed = token.slice(0, index) + replacement + token.slice(index + 1);
        if (changed === token || readJwtClaims(changed) === undefined) return;
        const parsed = parseJwt(changed);
        expect([parsed.signingInput, parsed.signature]).not.toEqual([original.signingInput, original.signature]);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("readJwtClaims", () => {
  test("reads claims, and answers undefined for what is no JWT", () => {
    expect(readJwtClaims(jwt(header, { sub: "alice" }))).toEqual({ sub: "alice" });
    expect(readJwtClaims("gho_opaque")).toBeUndefined();
    expect(readJwtClaims("")).toBeUndefined();
  });

  test("any claims come back as they were written", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (claims) => {
        fc.pre(!Object.hasOwn(claims, "__proto__"));
        const text = JSON.stringify(claims);
        expect(readJwtClaims(jwt(header, text))).toEqual(JSON.parse(text));
      }),
    );
  });
});
