import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileRedirectUriPattern } from "./redirect-uri-pattern.ts";

const admits = (pattern: string, uri: string) => compileRedirectUriPattern(pattern)(uri);

describe("what a pattern admits", () => {
  test.each([
    ["https://*.example.com/*", "https://app.example.com/"],
    ["https://*.example.com/*", "https://app.example.com"],
    ["https://*.example.com/*", "https://app.example.com/oauth/callback"],
    ["https://app-*.example.com/cb", "https://app-1.example.com/cb"],
    ["https://a*b*c.example.com/cb", "https://a1b2c.example.com/cb"],
    ["https://*.*.example.com/cb", "https://a.b.example.com/cb"],
    ["https://*.example.co.uk/cb", "https://a.example.co.uk/cb"],
    ["https://yourdomain.com/*", "https://yourdomain.com/a/b/c"],
    ["https://app.example.com/callback", "https://app.example.com/callback"],
    ["https://app.example.com", "https://app.example.com/"],
    ["https://app.example.com/", "https://app.example.com"],
    ["https://app.example.com:8443/cb", "https://app.example.com:8443/cb"],
    ["https://app.example.com:*/cb", "https://app.example.com/cb"],
    ["https://app.example.com:*/cb", "https://app.example.com:8443/cb"],
    ["https://app.example.com/*/cb", "https://app.example.com/tenant/cb"],
    ["https://app.example.com/t-*/cb", "https://app.example.com/t-1/cb"],
    ["https://app.example.com/cb/*", "https://app.example.com/cb/"],
    ["https://app.example.com/cb/*", "https://app.example.com/cb/1/2"],
    ["https://app.example.com/cb?x=1", "https://app.example.com/cb?x=1"],
    ["http://localhost:*", "http://localhost"],
    ["http://localhost:*", "http://localhost:6274/oauth/callback"],
    ["http://127.0.0.1:*/callback", "http://127.0.0.1:5000/callback"],
    ["http://[::1]:*", "http://[::1]:5000/callback"],
    ["cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback"],
  ])("%s admits %s", (pattern, uri) => {
    expect(admits(pattern, uri)).toBe(true);
  });
});

describe("what a pattern keeps out", () => {
  test("a pattern's * never crosses / ? # : — https://*.example.com/* does not admit https://evil.test/.example.com/x", () => {
    for (const uri of [
      "https://evil.test/.example.com/x",
      "https://evil.test?.example.com/x",
      "https://evil.test#.example.com/x",
      "https://evil.test:443/.example.com/x",
      "https://evil.test:8443.example.com/x",
      "https://evil.test\\.example.com/x",
      "https://evil.test@app.example.com/x",
      "https://app.example.com@evil.test/x",
      "https://app.example.com:1@evil.test/x",
    ]) {
      expect(admits("https://*.example.com/*", uri), uri).toBe(false);
    }
  });

  test.each([
    ["a dot is a dot", "https://app.example.com/cb", "https://appxexample.com/cb"],
    ["a dot in a wildcard host is a dot", "https://*.example.com/cb", "https://a.examplexcom/cb"],
    ["one * is one label", "https://*.example.com/cb", "https://a.b.example.com/cb"],
    ["* is not nothing", "https://*.example.com/cb", "https://example.com/cb"],
    ["* is not an empty label", "https://*.example.com/cb", "https://.example.com/cb"],
    ["* inside of a label stays there", "https://app-*.example.com/cb", "https://app-1.evil.example.com/cb"],
    ["every * is at least one character", "https://a*b*c.example.com/cb", "https://abxc.example.com/cb"],
    ["literals do not overlap", "https://ab*ba.example.com/cb", "https://aba.example.com/cb"],
    ["the host has an end", "https://app.example.com/cb", "https://app.example.com.evil.test/cb"],
    ["the host has a beginning", "https://app.example.com/cb", "https://evilapp.example.com/cb"],
    ["the scheme is exact", "https://app.example.com/cb", "http://app.example.com/cb"],
    ["no port is no port", "https://app.example.com/cb", "https://app.example.com:8443/cb"],
    ["a port is that port", "https://app.example.com:8443/cb", "https://app.example.com:8444/cb"],
    ["no path is no path", "https://app.example.com", "https://app.example.com/cb"],
    ["* in a path is one segment", "https://app.example.com/*/cb", "https://app.example.com/a/b/cb"],
    ["* in a path is not nothing", "https://app.example.com/*/cb", "https://app.example.com//cb"],
    ["a final * is below", "https://app.example.com/cb/*", "https://app.example.com/cb"],
    ["a final * is not beside", "https://app.example.com/cb/*", "https://app.example.com/cbx/y"],
    ["a query was not named", "https://app.example.com/*", "https://app.example.com/cb?x=1"],
    ["another query was named", "https://app.example.com/cb?x=1", "https://app.example.com/cb?x=2"],
    ["a query was named", "https://app.example.com/cb?x=1", "https://app.example.com/cb"],
    ["loopback hosts are different hosts", "http://localhost:*", "http://127.0.0.1:3000/cb"],
    ["localhost is a whole name", "http://localhost:*", "http://localhost.evil.test/cb"],
    ["user information is no port", "http://localhost:*", "http://localhost:80@evil.test/cb"],
    ["a private scheme is exact", "cursor://a/cb", "cursor://a/cb/"],
    ["upper case is another path", "https://app.example.com/cb", "https://app.example.com/CB"],
  ])("%s: %s does not admit %s", (_, pattern, uri) => {
    expect(admits(pattern, uri)).toBe(false);
  });

  test("whatever https://*.example.com/* admits has a host directly below example.com", () => {
    const matches = compileRedirectUriPattern("https://*.example.com/*");
    const piece = fc.constantFrom(
      "a",
      ".",
      "/",
      "?",
      "#",
      ":",
      "@",
      "\\",
      "example.com",
      ".example.com/",
      "evil.test",
      "https://",
      "%2e",
      "443",
    );

    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const uri = `https://${pieces.join("")}`;
        if (matches(uri)) expect(uri).toMatch(/^https:\/\/[^./?#:@]+\.example\.com(?:\/|$)/);
      }),
      { numRuns: 5000 },
    );
  });

  test("a pattern without * admits what it spells, for any URL", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["https"], authoritySettings: { withPort: false } }), (url) => {
        fc.pre(!/[*;]|%25|%[01]|%2[ef]|%5c|%7f/i.test(url) && new URL(url).href === url);
        expect(admits(url, url)).toBe(true);
        expect(admits(url, `${url}x`)).toBe(false);
      }),
    );
  });
});

describe("what is no pattern", () => {
  const refused = expect.objectContaining({ name: "ConfigurationError", option: "allowedRedirectUriPatterns" });

  test.each([
    "https://*",
    "https://*/",
    "https://*/*",
    "https://*.com",
    "https://*.com/*",
    "https://a.*",
    "https://a.*.com/",
    "https://app.*/cb",
    "https://app.exam*.com/cb",
    "https://app.example.c*/cb",
    "https://*.co.uk/*",
    "https://*.com.au/cb",
    "https://127.0.0.*/cb",
    "https://*.0.0.1/cb",
    "*://app.example.com/cb",
    "*",
    "http*://app.example.com/cb",
    "*.example.com",
    "",
  ])("RFC 9700 §4.1.1: a pattern that would admit anybody's domain is refused: %j", (pattern) => {
    expect(() => compileRedirectUriPattern(pattern)).toThrow(refused);
  });

  test.each([
    ["plain http to another machine", "http://app.example.com/cb"],
    ["plain http to any machine of a domain", "http://*.example.com/cb"],
    ["user information", "https://user@app.example.com/cb"],
    ["a fragment", "https://app.example.com/cb#x"],
    ["* in the query", "https://app.example.com/cb?x=*"],
    ["* in a private scheme", "cursor://*/cb"],
    ["a dangerous scheme", "javascript:alert(1)"],
    ["an upper-case host", "https://App.example.com/cb"],
    ["a default port", "https://app.example.com:443/cb"],
    ["half a port", "https://app.example.com:80*/cb"],
    ["a doubled * for a port", "https://app.example.com:**/cb"],
    ["a dot segment", "https://app.example.com/../*"],
    ["an encoded slash", "https://app.example.com/%2f*"],
    ["a backslash", "https://app.example.com\\*"],
    ["a broken IPv6 address", "http://[::*]/cb"],
    ["a regular expression", "^https://.*\\.example\\.com/.*$"],
  ])("a pattern that nothing could match is refused: %s", (_, pattern) => {
    expect(() => compileRedirectUriPattern(pattern)).toThrow(refused);
  });

  test("the message names the option and not the pattern", () => {
    expect(() => compileRedirectUriPattern("https://*.secret-suffix")).toThrow(
      expect.objectContaining({
        message: expect.not.stringContaining("secret-suffix"),
      }),
    );
  });
});

test("many * and a hostile URI take one pass: there is no backtracking to explode", () => {
  const label = `https://${"a*".repeat(200)}b.example.com/cb`;
  const path = `https://app.example.com/${"*a".repeat(200)}/${"*a".repeat(200)}b`;

  for (const length of [65_536, 131_072]) {
    expect(admits(label, `https://${"a".repeat(length)}.example.com/cb`)).toBe(false);
    expect(admits(path, `https://app.example.com/${"a".repeat(length)}/${"a".repeat(length)}`)).toBe(false);
    expect(admits("https://*.example.com/*", `https://${"a.".repeat(length)}example.com/`)).toBe(false);
    expect(admits("https://app.example.com/*", `https://app.example.com/${"/".repeat(length)}`)).toBe(true);
  }
});
