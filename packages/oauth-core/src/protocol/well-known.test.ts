import { describe, expect, test } from "vitest";
import { wellKnownPath, wellKnownUrl } from "./well-known.ts";

describe("well-known locations", () => {
  test.each([
    ["oauth-authorization-server", "https://auth.example.com", "/.well-known/oauth-authorization-server"],
    ["oauth-authorization-server", "https://auth.example.com/", "/.well-known/oauth-authorization-server"],
    ["oauth-authorization-server", "https://auth.example.com/tenant", "/.well-known/oauth-authorization-server/tenant"],
    [
      "oauth-authorization-server",
      "https://auth.example.com/tenant/",
      "/.well-known/oauth-authorization-server/tenant",
    ],
    ["oauth-protected-resource", "https://mcp.example.com/a/mcp", "/.well-known/oauth-protected-resource/a/mcp"],
    ["oauth-protected-resource", "https://mcp.example.com/mcp?t=1", "/.well-known/oauth-protected-resource/mcp?t=1"],
    ["oauth-protected-resource", "https://mcp.example.com/?t=1", "/.well-known/oauth-protected-resource?t=1"],
  ])(
    "RFC 8414 §3.1, RFC 9728 §3.1: the suffix %s of %s is inserted between host and path",
    (suffix, identifier, path) => {
      expect(wellKnownPath(suffix, identifier)).toBe(path);
    },
  );

  test("the URL keeps the origin, port included", () => {
    expect(wellKnownUrl("oauth-protected-resource", "http://localhost:3000/mcp")).toBe(
      "http://localhost:3000/.well-known/oauth-protected-resource/mcp",
    );
  });

  test.each(["", "/mcp", "mcp.example.com", "mailto:a@b", "file:///etc"])(
    "%j has no well-known location",
    (identifier) => {
      const refused = expect.objectContaining({ name: "ConfigurationError" });

      expect(() => wellKnownPath("oauth-protected-resource", identifier)).toThrow(refused);
      expect(() => wellKnownUrl("oauth-protected-resource", identifier)).toThrow(refused);
    },
  );
});
