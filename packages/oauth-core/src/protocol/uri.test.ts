import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isPort, isUriText, splitUri } from "./uri.ts";

describe("splitUri", () => {
  test("cuts at the delimiters and changes nothing", () => {
    expect(splitUri("HTTPS://Example.com:0443/a/../b%2F?x=1?y")).toEqual({
      scheme: "HTTPS",
      host: "Example.com",
      port: "0443",
      path: "/a/../b%2F",
      query: "?x=1?y",
    });
  });

  test("tells an absent part from an empty one", () => {
    expect(splitUri("http://[::1]")).toEqual({
      scheme: "http",
      host: "[::1]",
      port: undefined,
      path: "",
      query: undefined,
    });
    expect(splitUri("http://a:?")).toEqual({ scheme: "http", host: "a", port: "", path: "", query: "?" });
  });

  test.each([
    "https://user@host/",
    "http://localhost:80@evil.test/",
    "https://good.example@evil.test",
    "https://a@b@c/",
    "https://host/#fragment",
    "https://host#",
    "mailto:someone",
    "/path",
    "//host/path",
    "https:/host",
    "https://ho[st/",
    "https://[::1/",
    "https://host:port/",
    "",
  ])("RFC 3986 §3.2.1: user information, a fragment or another form has no parts: %j", (uri) => {
    expect(splitUri(uri)).toBeUndefined();
  });

  test("the parts put together again are what was cut", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, validSchemes: ["http", "https"] }), (uri) => {
        const parts = splitUri(uri);
        const port = parts?.port === undefined ? "" : `:${parts.port}`;
        expect(`${parts?.scheme}://${parts?.host}${port}${parts?.path}${parts?.query ?? ""}`).toBe(uri);
      }),
    );
  });
});

test.each(["1", "80", "8787", "65535"])("%s is a port", (text) => {
  expect(isPort(text)).toBe(true);
});

test.each(["", "0", "080", "65536", "99999", "100000", "+80", " 80", "8e1", "*", "٨٠"])("%j is no port", (text) => {
  expect(isPort(text)).toBe(false);
});

test.each([
  "",
  "a b",
  "a\\b",
  'a"b',
  "a<b",
  "a`b",
  "a{b}",
  "a|b",
  "a^b",
  "%",
  "%4",
  "%zz",
  "é",
  "a\n",
  "a\u007f",
  "a\u0000",
])("RFC 3986 §2: %j is not written in the characters of URIs", (text) => {
  expect(isUriText(text)).toBe(false);
});
