import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatChallenge, parseBearer } from "./bearer.ts";

describe("parseBearer", () => {
  test.each(["Bearer", "bearer", "BEARER", "bEaReR"])("RFC 9110 §11.1: the scheme %s has no case", (scheme) => {
    expect(parseBearer(`${scheme} abc.DEF-_~+/==`)).toBe("abc.DEF-_~+/==");
  });

  test.each([undefined, "", "Basic aWQ6cw==", "DPoP abc", "Bearerx abc", "Bearer-x abc", "abc", "Basic a, Bearer b"])(
    "no header or another scheme is no bearer token: %j",
    (authorization) => {
      expect(parseBearer(authorization)).toBeUndefined();
    },
  );

  test.each([
    "Bearer",
    "Bearer ",
    "Bearer  ",
    "Bearer a b",
    "Bearer a,b",
    "Bearer a, Bearer b",
    "Bearer a,Bearer b",
    "Bearer,a",
    "Bearer:a",
    'Bearer "a"',
    "Bearer token=a",
    "Bearer a=b",
    "Bearer =",
    "Bearer\ta",
    "Bearer a\n",
    "Bearer a\u0000",
    "Bearer é",
    "Bearer {}",
    `Bearer ${"a".repeat(16_385)}`,
  ])("RFC 6750 §2.1: %j is malformed", (authorization) => {
    expect(() => parseBearer(authorization)).toThrow(
      expect.objectContaining({ name: "OAuthProxyError", code: "invalid_request", reason: "bearer_malformed" }),
    );
  });

  test("a token of 16,384 characters is read", () => {
    expect(parseBearer(`Bearer ${"a".repeat(16_384)}`)).toHaveLength(16_384);
  });
});

describe("formatChallenge", () => {
  const resourceMetadata = "https://mcp.example.com/.well-known/oauth-protected-resource/mcp";

  test("RFC 6750 §3: without credentials there is a challenge and no error", () => {
    expect(formatChallenge({ resourceMetadata })).toBe(`Bearer resource_metadata="${resourceMetadata}"`);
  });

  test("clients search from the left: error, scope, resource_metadata, error_description", () => {
    expect(
      formatChallenge({
        errorDescription: "The access token lacks a scope.",
        resourceMetadata,
        scope: ["mcp:tools", "mcp:read"],
        error: "insufficient_scope",
      }),
    ).toBe(
      `Bearer error="insufficient_scope", scope="mcp:tools mcp:read", resource_metadata="${resourceMetadata}", error_description="The access token lacks a scope."`,
    );
  });

  test("an empty scope is omitted, since clients would read it as two quotes", () => {
    expect(formatChallenge({ resourceMetadata, scope: [] })).not.toContain("scope");
    expect(formatChallenge({ resourceMetadata, scope: undefined, error: "", errorDescription: "" })).toBe(
      `Bearer resource_metadata="${resourceMetadata}"`,
    );
  });

  test("a description cannot break the header, nor pose as another attribute", () => {
    const errorDescription = 'a"\\\r\nSet-Cookie: x, scope="admin" é\u0000';

    expect(formatChallenge({ resourceMetadata, errorDescription })).toBe(
      `Bearer resource_metadata="${resourceMetadata}", error_description="aSet-Cookie: x, scopeadmin "`,
    );
  });

  test("whatever is put into a challenge, it is four attributes at most and one line", () => {
    const text = fc.string({ unit: "binary" });
    const attributes = /^Bearer (?:(?:error|scope|resource_metadata|error_description)="[^"\\]*"(?:, |$))+$/;

    fc.assert(
      fc.property(text, fc.array(text), text, text, (error, scope, url, errorDescription) => {
        const challenge = formatChallenge({ error, scope, resourceMetadata: `https://${url}`, errorDescription });
        expect(challenge).toMatch(/^[\x20-\x7e]+$/);
        expect(challenge).toMatch(attributes);
        expect(challenge.split('"').length).toBeLessThanOrEqual(9);
      }),
    );
  });
});
