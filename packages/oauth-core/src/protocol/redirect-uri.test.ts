import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isLoopbackRedirectUri, matchesRedirectUri, parseRedirectUri, redirectUriHost } from "./redirect-uri.ts";

const because = (reason: string) =>
  expect.objectContaining({ name: "OAuthProxyError", code: "invalid_redirect_uri", reason });

describe("parseRedirectUri", () => {
  test.each([
    "https://claude.ai/api/mcp/auth_callback",
    "https://example.com",
    "https://example.com/",
    "https://example.com:8443/cb?tenant=a%20b&x=1",
    "https://localhost/cb",
    "https://xn--bcher-kva.example/cb",
    "https://example.com/@user/cb",
    "https://example.com/v1.2/cb;v=1",
    "http://localhost/",
    "http://localhost:8787/callback",
    "http://127.0.0.1:33418",
    "http://127.0.0.1:33418/",
    "http://[::1]:5000/oauth/callback",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "com.example.app:/oauth2redirect",
  ])("%s registers, and is kept as it is", (uri) => {
    expect(parseRedirectUri(uri)).toBe(uri);
  });

  test.each([undefined, null, 5, true, {}, [], ["https://example.com/"], { toString: () => "https://example.com/" }])(
    "something other than a string is refused: %j",
    (value) => {
      expect(() => parseRedirectUri(value)).toThrow(because("redirect_uri_malformed"));
    },
  );

  test.each([
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "javascript://example.com/%0aalert(1)",
    "data:text/html,x",
    "DATA:text/html,x",
    "file:///etc/passwd",
    "vbscript:x",
    "VBScript:x",
    "blob:https://example.com/1",
    "about:blank",
    "ftp://example.com/",
    "ws://example.com/",
    "wss://example.com/",
    "view-source:https://example.com/",
    "intent://scan/#Intent;end",
    "urn:ietf:wg:oauth:2.0:oob",
    "mailto:someone@example.com",
  ])("RFC 6749 §10.14: a scheme that runs or shows something is refused in any case: %s", (uri) => {
    expect(() => parseRedirectUri(uri)).toThrow(because("redirect_uri_scheme"));
  });

  test.each([
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\u0001javascript:alert(1)",
    " javascript:alert(1)",
    "java%73cript:alert(1)",
    "\u00a0data:text/html,x",
  ])("a dangerous scheme behind control characters or encodings is refused as well: %j", (uri) => {
    expect(() => parseRedirectUri(uri)).toThrow(because("redirect_uri_malformed"));
  });

  test.each([
    "http://example.com/cb",
    "http://localhost.evil.test/cb",
    "http://127.0.0.1.evil.test/cb",
    "http://127.0.0.2/cb",
    "http://0.0.0.0/cb",
    "http://192.168.0.1/cb",
    "http://[::2]/cb",
    "http://app.localhost/cb",
    "http://localhost:0/cb",
  ])("RFC 8252 §7.3: http is for the three names of this machine, and not for %s", (uri) => {
    expect(() => parseRedirectUri(uri)).toThrow(because("redirect_uri_scheme"));
  });

  test.each([
    ["a fragment", "https://example.com/cb#x"],
    ["an empty fragment", "https://example.com/cb#"],
    ["a wildcard host", "https://*.example.com/cb"],
    ["a wildcard path", "https://example.com/*"],
    ["a wildcard port", "http://localhost:*/cb"],
    ["user information", "https://user@example.com/cb"],
    ["user information that looks like a host", "https://good.example@evil.test/cb"],
    ["user information that looks like a port", "http://localhost:80@evil.test/cb"],
    ["several @", "https://a@b@evil.test/cb"],
    ["an empty user", "https://@example.com/cb"],
    ["user information in a private scheme", "cursor://good@evil/cb"],
    ["..;/", "https://example.com/a/..;/b"],
    [".;x", "https://example.com/a/.;x/b"],
    ["..; at the end", "https://example.com/a/..;"],
    ["..; in a private scheme", "com.example.app:/a/..;x/b"],
    ["dot segments", "https://example.com/a/../b"],
    ["dot segments in an opaque path", "com.example.app:../b"],
    ["%2e%2e", "https://example.com/a/%2e%2e/b"],
    ["%2E", "https://example.com/a/%2E/b"],
    ["%2F", "https://example.com/a%2Fb"],
    ["%2f at the end", "https://example.com/cb%2f"],
    ["%5c", "https://example.com/a%5cb"],
    ["%5C", "https://example.com/a%5Cb"],
    ["a doubly encoded dot", "https://example.com/a/%252e%252e/b"],
    ["an encoded line break", "https://example.com/cb?x=%0d%0aSet-Cookie:a"],
    ["an encoded NUL", "https://example.com/cb%00"],
    ["a backslash", "https://example.com\\@evil.test/"],
    ["a backslash in the path", "https://example.com/a\\b"],
    ["a trailing dot", "https://example.com./cb"],
    ["a trailing dot and a port", "https://example.com.:8443/cb"],
    ["a trailing dot in a private scheme", "cursor://host./cb"],
    ["an upper-case host", "https://Example.com/cb"],
    ["an upper-case scheme", "HTTPS://example.com/cb"],
    ["a default port", "https://example.com:443/cb"],
    ["a default port of http", "http://localhost:80/cb"],
    ["an empty port", "https://example.com:/cb"],
    ["a port with zeros", "https://example.com:08443/cb"],
    ["a decimal host", "https://2130706433/cb"],
    ["an octal host", "https://0177.0.0.1/cb"],
    ["a hexadecimal host", "https://0x7f.1/cb"],
    ["a long form of ::1", "http://[0:0:0:0:0:0:0:1]/cb"],
    ["a missing slash", "https:/example.com/cb"],
    ["no authority", "https:example.com/cb"],
    ["no host", "https:///cb"],
    ["a missing path before the query", "https://example.com?x=1"],
    ["a relative reference", "/cb"],
    ["a scheme-relative reference", "//example.com/cb"],
    ["no URI at all", "callback"],
    ["the empty string", ""],
    ["a blank in front", " https://example.com/cb"],
    ["a blank inside", "https://example.com/c b"],
    ["a line break", "https://example.com/cb\r\nLocation: https://evil.test"],
    ["a letter beyond ASCII", "https://exämple.com/cb"],
    ["a full-width dot", "https://example。com/cb"],
    ["a soft hyphen", "https://exam\u00adple.com/cb"],
    ["a broken percent-encoding", "https://example.com/%zz"],
  ])("RFC 3986 §6: a spelling that somebody else reads differently does not register: %s", (_, uri) => {
    expect(() => parseRedirectUri(uri)).toThrow(because("redirect_uri_malformed"));
  });

  test("more than 1024 characters are refused", () => {
    const uri = `https://example.com/${"a".repeat(1004)}`;

    expect(parseRedirectUri(uri)).toBe(uri);
    expect(() => parseRedirectUri(`${uri}a`)).toThrow(because("redirect_uri_too_long"));
  });

  test("whatever registers has one reading: a URL parser gives it back, with the host that stands in it", () => {
    const piece = fc.constantFrom(
      "a",
      ".",
      "/",
      "..",
      "%2e",
      "%41",
      "@",
      ":",
      "443",
      "?",
      "#",
      "\\",
      ";",
      "*",
      "evil.test",
      "localhost",
      "[::1]",
    );
    const hostile = fc
      .tuple(fc.constantFrom("https://", "http://", "cursor://", "x:"), fc.array(piece))
      .map(([scheme, pieces]) => scheme + pieces.join(""));
    const accepted = (uri: string): boolean => {
      try {
        return parseRedirectUri(uri) === uri;
      } catch {
        return false;
      }
    };

    fc.assert(
      fc.property(fc.oneof(hostile, fc.webUrl({ withQueryParameters: true })), (uri) => {
        fc.pre(accepted(uri));
        const url = new URL(uri);
        expect([uri, `${uri}/`]).toContain(url.href);
        expect([url.username, url.password, url.hash]).toEqual(["", "", ""]);
        expect(uri).not.toMatch(/[*\\#\s]/);
        if (url.protocol === "http:") expect(["localhost", "127.0.0.1", "[::1]"]).toContain(url.hostname);
      }),
    );
  });
});

describe("isLoopbackRedirectUri", () => {
  test.each(["http://localhost", "http://localhost:1/", "https://127.0.0.1/cb", "http://[::1]:65535/cb?x"])(
    "%s leads to this machine",
    (uri) => {
      expect(isLoopbackRedirectUri(uri)).toBe(true);
    },
  );

  test.each([
    "http://localhost:80@evil.test/",
    "http://localhost.evil.test/",
    "http://localhost:65536/",
    "http://localhost:*/",
    "http://LOCALHOST/",
    "http://127.1/",
    "cursor://localhost/",
    "ws://localhost/",
    "https://evil.test/http://localhost/",
    "localhost:80",
  ])("%s does not", (uri) => {
    expect(isLoopbackRedirectUri(uri)).toBe(false);
  });
});

describe("matchesRedirectUri", () => {
  test.each([
    "https://a/cb/",
    "https://a/cb?x",
    "https://A/cb",
    "https://a:443/cb",
    "https://a/cb%2F",
    "https://a/./cb",
    "https://a/c%62",
    "https://a.evil/cb",
    "https://user@a/cb",
    "https://a/cb#",
    "http://a/cb",
    "https://a/cb ",
    "https://a/cb/../cb",
    "https://a/cb;x",
    "https://a\\cb",
    "https://a./cb",
    "",
  ])("RFC 9700 §2.1: https://a/cb is matched by itself alone, and not by %j", (requested) => {
    expect(matchesRedirectUri("https://a/cb", "https://a/cb")).toBe(true);
    expect(matchesRedirectUri(requested, "https://a/cb")).toBe(false);
  });

  test.each([
    ["http://localhost:51234/callback", "http://localhost/callback"],
    ["http://localhost/callback", "http://localhost:3000/callback"],
    ["http://127.0.0.1:51234/", "http://127.0.0.1:33418/"],
    ["http://127.0.0.1:51234", "http://127.0.0.1:33418/"],
    ["http://127.0.0.1:51234/", "http://127.0.0.1"],
    ["http://[::1]:1/cb?x=1", "http://[::1]:65535/cb?x=1"],
  ])("RFC 8252 §7.3: %s matches %s, because only the port of a loopback literal differs", (requested, registered) => {
    expect(matchesRedirectUri(requested, registered)).toBe(true);
  });

  test.each([
    ["http://127.0.0.1:3000/cb", "http://localhost:3000/cb"],
    ["http://localhost:3000/cb", "http://[::1]:3000/cb"],
    ["http://[::1]:3000/cb", "http://127.0.0.1:3000/cb"],
    ["https://localhost:3001/cb", "https://localhost:3000/cb"],
    ["https://localhost:3000/cb", "http://localhost:3000/cb"],
    ["http://localhost:3000/cb/", "http://localhost:3000/cb"],
    ["http://localhost:3000/CB", "http://localhost:3000/cb"],
    ["http://localhost:3001/cb?x=2", "http://localhost:3000/cb?x=1"],
    ["http://localhost:3001/cb?", "http://localhost:3000/cb"],
    ["http://localhost:3001/cb#f", "http://localhost:3000/cb"],
    ["http://localhost:3001@evil.test/cb", "http://localhost:3000/cb"],
    ["http://localhost:3001.evil.test/cb", "http://localhost:3000/cb"],
    ["http://evil@localhost:3001/cb", "http://localhost:3000/cb"],
    ["http://localhost:99999/cb", "http://localhost:3000/cb"],
    ["http://localhost:03000/cb", "http://localhost:3000/cb"],
    ["http://localhost:/cb", "http://localhost:3000/cb"],
    ["http://localhost:*/cb", "http://localhost:3000/cb"],
    ["http://LOCALHOST:3001/cb", "http://localhost:3000/cb"],
    ["http://localhost.:3001/cb", "http://localhost:3000/cb"],
    ["HTTP://localhost:3001/cb", "http://localhost:3000/cb"],
    ["http://127.1:3001/cb", "http://127.0.0.1:3000/cb"],
    ["https://example.com:8443/cb", "https://example.com:9443/cb"],
    ["cursor://localhost:2/cb", "cursor://localhost:1/cb"],
  ])("RFC 8252 §7.3: %s does not match %s", (requested, registered) => {
    expect(matchesRedirectUri(requested, registered)).toBe(false);
  });

  test("two different strings match only where the parsed URLs agree in everything but a loopback port", () => {
    const uri = fc
      .tuple(
        fc.constantFrom("http://", "https://", "HTTP://", "cursor://"),
        fc.constantFrom(
          "localhost",
          "127.0.0.1",
          "[::1]",
          "localhost.",
          "evil.test",
          "a@localhost",
          "localhost:1@evil.test",
        ),
        fc.constantFrom("", ":", ":1", ":2", ":80", ":99999", ":1@evil.test"),
        fc.constantFrom("", "/", "/cb", "/cb/", "/../cb", "\\cb"),
        fc.constantFrom("", "", "?", "?x", "#x"),
      )
      .map((parts) => parts.join(""));

    fc.assert(
      fc.property(uri, uri, (requested, registered) => {
        if (requested === registered || !matchesRedirectUri(requested, registered)) return;
        const [asked, known] = [new URL(requested), new URL(registered)];
        expect(isLoopbackRedirectUri(requested)).toBe(true);
        expect([asked.protocol, asked.hostname, asked.pathname, asked.search, asked.hash]).toEqual([
          "http:",
          known.hostname,
          known.pathname,
          known.search,
          "",
        ]);
      }),
      { numRuns: 2000 },
    );
  });
});

test.each([
  ["https://example.com/cb", "example.com"],
  ["https://example.com:8443/cb", "example.com:8443"],
  ["http://[::1]:3000/", "[::1]:3000"],
  ["cursor://anysphere.cursor-mcp/oauth/callback", "cursor:"],
  ["com.example.app:/cb", "com.example.app:"],
])("the consent page shows of %s: %s", (uri, shown) => {
  expect(redirectUriHost(uri)).toBe(shown);
});

test("what is no URI has no host to show", () => {
  expect(() => redirectUriHost("callback")).toThrow(because("redirect_uri_malformed"));
});
