import { expect, test } from "vitest";
import { requestUrl } from "./request-url.ts";

test.each([
  "/oauth/token?a=b&a=%20",
  "/a/../oauth/token",
  "/a/%2e%2e/oauth/token",
  "/./oauth//token",
  "//other.example/oauth/token",
  "/oauth/token/",
  "/a\\b",
  "/oauth/token?next=http://other.example/",
])("RFC 9112 §3.2.1: the target %s arrives as it was sent", (target) => {
  expect(requestUrl("http", "mcp.example.com", target)).toBe(`http://mcp.example.com${target}`);
});

test.each([
  ["http://other.example/oauth/token?a=b", "/oauth/token?a=b"],
  ["HTTPS://other.example:8443/a/../b", "/a/../b"],
  ["http://other.example", "/"],
  ["http://other.example?a=b", "/?a=b"],
])("RFC 9112 §3.2.2: of the absolute-form %s the path and query count", (target, path) => {
  expect(requestUrl("https", "mcp.example.com", target)).toBe(`https://mcp.example.com${path}`);
});

test.each([
  ["*", "/*"],
  ["mcp.example.com:443", "/mcp.example.com:443"],
  ["", "/"],
])("RFC 9112 §3.2.3, §3.2.4: the target %j becomes the path %s", (target, path) => {
  expect(requestUrl("http", "mcp.example.com", target)).toBe(`http://mcp.example.com${path}`);
});

test.each(["mcp.example.com", "mcp.example.com:8080", "127.0.0.1:3000", "[::1]:3000", "LOCALHOST", "my_host"])(
  "the host %s is kept",
  (host) => {
    expect(requestUrl("http", host, "/")).toBe(`http://${host}/`);
  },
);

test.each([
  undefined,
  "",
  "a b",
  "mcp.example.com/oauth",
  "user@mcp.example.com",
  "mcp.example.com?a",
  "mcp.example.com#a",
  "mcp.example.com:99999",
  "mcp.example.com:port",
  "1.2.3.256",
  "[::1",
  "[::g]",
  "a\\b",
  "mcp.example.com, other.example",
  "ümlaut.example",
])("for the missing or malformed host %j stands localhost", (host) => {
  const url = requestUrl("http", host, "/oauth/token");
  expect(url).toBe("http://localhost/oauth/token");
  expect(URL.canParse(url)).toBe(true);
});

test.each([
  ["/auth", "/oauth/token?a=b", "/auth/oauth/token?a=b"],
  ["auth/", "/oauth/token", "/auth/oauth/token"],
  ["/a/b", "*", "/a/b/*"],
  ["/auth", "http://other.example/oauth/token", "/auth/oauth/token"],
  ["/", "/oauth/token", "/oauth/token"],
  ["/auth", "/.well-known/oauth-authorization-server/auth", "/.well-known/oauth-authorization-server/auth"],
  ["/auth", "/x/.well-known/y", "/auth/x/.well-known/y"],
])(
  "RFC 8414 §3.1: what a proxy has stripped, %s, is put back in front of %s, and not of a well-known document",
  (prefix, target, path) => {
    expect(requestUrl("https", "mcp.example.com", target, prefix)).toBe(`https://mcp.example.com${path}`);
  },
);
