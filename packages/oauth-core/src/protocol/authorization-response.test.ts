import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAuthorizationResponse } from "./authorization-response.ts";

const issuer = "https://auth.example.com";
const context = { state: "xyz", issuer };

describe("formatAuthorizationResponse", () => {
  test("RFC 6749 §4.1.2 and RFC 9207 §2: code, state and iss are appended", () => {
    expect(formatAuthorizationResponse("https://client.example.com/cb", { code: "abc" }, context)).toBe(
      "https://client.example.com/cb?code=abc&state=xyz&iss=https%3A%2F%2Fauth.example.com",
    );
  });

  test("RFC 9207 §2: an error carries iss as well", () => {
    const error = { error: "access_denied", errorDescription: "The request was denied." };

    expect(formatAuthorizationResponse("https://client.example.com/cb", error, context)).toBe(
      "https://client.example.com/cb?error=access_denied&error_description=The%20request%20was%20denied.&state=xyz&iss=https%3A%2F%2Fauth.example.com",
    );
  });

  test("a state that was not sent is not invented", () => {
    const location = formatAuthorizationResponse("https://client.example.com/cb", { code: "abc" }, { issuer });
    expect([...new URL(location).searchParams.keys()]).toEqual(["code", "iss"]);
  });

  test.each([
    ["https://client.example.com", "https://client.example.com?code="],
    ["https://client.example.com/", "https://client.example.com/?code="],
    ["https://client.example.com/cb?a=%20b", "https://client.example.com/cb?a=%20b&code="],
    ["https://client.example.com/cb?", "https://client.example.com/cb?code="],
    ["https://client.example.com/cb?a&", "https://client.example.com/cb?a&code="],
    ["http://127.0.0.1:33418", "http://127.0.0.1:33418?code="],
    ["cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback?code="],
    ["com.example.app:/cb", "com.example.app:/cb?code="],
    ["com.example.app:cb", "com.example.app:cb?code="],
  ])("RFC 6749 §3.1.2: the redirect URI %s is kept byte for byte", (redirectUri, beginning) => {
    expect(formatAuthorizationResponse(redirectUri, { code: "abc" }, context).startsWith(`${beginning}abc`)).toBe(true);
  });

  test("nothing in a state gets out of its parameter", () => {
    const state = 'a&code=evil#x\r\nSet-Cookie: a=b "<>+%00é😀';
    const location = formatAuthorizationResponse("https://client.example.com/cb", { code: "abc" }, { state, issuer });

    expect(location).toMatch(/^[\x21-\x7e]+$/);
    expect(location).not.toContain("#");
    expect(new URL(location).searchParams.getAll("code")).toEqual(["abc"]);
    expect(new URL(location).searchParams.get("state")).toBe(state);
  });

  test("RFC 6749 §4.1.2: any state comes back exactly as it was sent, by both ways of decoding", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (state) => {
        const location = formatAuthorizationResponse("app:/cb?x=1", { code: "abc" }, { state, issuer });
        const raw = /[&]state=([^&]*)/.exec(location)?.[1] ?? "";

        expect(new URL(location).searchParams.get("state")).toBe(state);
        expect(decodeURIComponent(raw)).toBe(state);
        expect(location.startsWith("app:/cb?x=1&code=abc&state=")).toBe(true);
      }),
    );
  });
});
