import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalResource, parseResource, selectResources } from "./resource.ts";

const because = (reason: string) =>
  expect.objectContaining({ name: "OAuthProxyError", code: "invalid_target", reason });

describe("parseResource", () => {
  test.each([
    ["https://mcp.example.com/mcp", "https://mcp.example.com/mcp"],
    ["HTTPS://MCP.Example.com/MCP", "https://mcp.example.com/MCP"],
    ["https://mcp.example.com:443/mcp", "https://mcp.example.com/mcp"],
    ["http://localhost:80", "http://localhost"],
    ["http://localhost:443/mcp", "http://localhost:443/mcp"],
    ["https://mcp.example.com/", "https://mcp.example.com"],
    ["https://mcp.example.com/?a=1", "https://mcp.example.com?a=1"],
    ["https://mcp.example.com/mcp/", "https://mcp.example.com/mcp/"],
    ["https://mcp.example.com/a/../mcp", "https://mcp.example.com/a/../mcp"],
    ["https://mcp.example.com/%6Dcp", "https://mcp.example.com/%6Dcp"],
    ["http://[::1]:8080/mcp", "http://[::1]:8080/mcp"],
  ])("RFC 8707 §2: %s is compared as %s, and nothing else is normalised", (value, canonical) => {
    expect(parseResource(value)).toBe(canonical);
    expect(canonicalResource(value)).toBe(canonical);
  });

  test.each([
    "",
    "/mcp",
    "mcp.example.com",
    "//mcp.example.com/mcp",
    "https:",
    "https:///mcp",
    "https:mcp.example.com",
    "https://mcp.example.com/mcp#top",
    "https://mcp.example.com/mcp#",
    "https://user:password@mcp.example.com/mcp",
    "https://user@mcp.example.com/mcp",
    "https://mcp.example.com/a b",
    "https://mcp.example.com\\mcp",
    "https://mcp.example.com/\r\n",
    "https://mcp.exämple.com/",
    "https://mcp.example.com:0/",
    "https://mcp.example.com:65536/",
    "https://mcp.example.com:*/",
    "https://mcp.example.com/%zz",
    `https://mcp.example.com/${"a".repeat(2048)}`,
  ])("RFC 8707 §2: %j is not an absolute URI without fragment and user", (value) => {
    expect(() => parseResource(value)).toThrow(because("resource_malformed"));
    expect(() => canonicalResource(value)).toThrow(
      expect.objectContaining({ name: "ConfigurationError", option: "resource" }),
    );
  });

  test("the canonical form is its own canonical form", () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, authoritySettings: { withPort: true } }), (url) => {
        fc.pre(!/:0+\d*(?:[/?]|$)/.test(url));
        expect(parseResource(parseResource(url))).toBe(parseResource(url));
      }),
    );
  });
});

describe("selectResources", () => {
  const one = ["https://mcp.example.com/mcp"];
  const two = ["https://mcp.example.com/a", "https://MCP.example.com/b/"];

  test.each(["https://mcp.example.com/mcp", "HTTPS://MCP.EXAMPLE.COM:443/mcp", "https://mcp.example.com/mcp?user=1"])(
    "%s is the configured resource, in its configured spelling",
    (requested) => {
      expect(selectResources([requested], one)).toEqual(one);
    },
  );

  test("a host without a path is meant with and without the final slash", () => {
    expect(selectResources(["https://mcp.example.com/"], ["https://mcp.example.com"])).toEqual([
      "https://mcp.example.com",
    ]);
    expect(selectResources(["https://mcp.example.com"], ["https://mcp.example.com/"])).toEqual([
      "https://mcp.example.com/",
    ]);
  });

  test.each([
    "https://mcp.example.com",
    "https://mcp.example.com/mcp/",
    "https://mcp.example.com/mcp/x",
    "https://mcp.example.com/MCP",
    "https://mcp.example.com/x/../mcp",
    "https://mcp.example.com/%6dcp",
    "http://mcp.example.com/mcp",
    "https://mcp.example.com:8443/mcp",
    "https://evil.test/mcp",
    "https://evil.test/?https://mcp.example.com/mcp",
  ])("RFC 8707 §2: %s is another resource", (requested) => {
    expect(() => selectResources([requested], one)).toThrow(because("resource_unknown"));
  });

  test("RFC 8707 §2: one unknown resource among known ones refuses the request", () => {
    expect(() => selectResources([...one, "https://evil.test/"], one)).toThrow(because("resource_unknown"));
  });

  test("several are answered once each, in the order of the configuration", () => {
    expect(
      selectResources(["https://mcp.example.com/b/", "https://mcp.example.com/a", "https://mcp.example.com/b/"], two),
    ).toEqual(two);
  });

  test("a configured query is not forgiven when it is missing", () => {
    expect(() => selectResources(["https://a.test/mcp"], ["https://a.test/mcp?t=1"])).toThrow(
      because("resource_unknown"),
    );
    expect(selectResources(["https://a.test/mcp?t=1"], ["https://a.test/mcp", "https://a.test/mcp?t=1"])).toEqual([
      "https://a.test/mcp?t=1",
    ]);
  });

  test("a client that names none gets the only one there is, and never a token without audience", () => {
    expect(selectResources([], one)).toEqual(one);
    expect(selectResources([], ["https://a.test/", "HTTPS://A.test"])).toEqual(["https://a.test/"]);
    expect(() => selectResources([], two)).toThrow(because("resource_ambiguous"));
    expect(() => selectResources([], [])).toThrow(because("resource_ambiguous"));
  });
});
