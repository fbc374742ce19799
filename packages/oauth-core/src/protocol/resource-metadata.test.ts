import { describe, expect, test } from "vitest";
import { formatResourceMetadata } from "./resource-metadata.ts";

describe("formatResourceMetadata", () => {
  test("RFC 9728 §2: the document names the MCP URL and not its origin, the issuer and not its metadata", () => {
    expect(
      formatResourceMetadata({
        resource: "https://mcp.example.com/mcp",
        issuer: "https://auth.example.com",
        scopes: ["mcp:tools", "mcp:tools"],
        resourceName: "Tools",
      }),
    ).toEqual({
      resource: "https://mcp.example.com/mcp",
      authorization_servers: ["https://auth.example.com"],
      scopes_supported: ["mcp:tools"],
      bearer_methods_supported: ["header"],
      resource_name: "Tools",
    });
  });

  test("offline_access is no right at a resource, and is never listed", () => {
    const description = { resource: "https://mcp.example.com", issuer: "https://auth.example.com" };

    expect(formatResourceMetadata({ ...description, scopes: ["a", "offline_access"] }).scopes_supported).toEqual(["a"]);
    expect(formatResourceMetadata({ ...description, scopes: ["offline_access"] })).not.toHaveProperty(
      "scopes_supported",
    );
  });

  test("RFC 9728 §3.2: what is empty is left out", () => {
    const document = formatResourceMetadata({
      resource: "https://a.test",
      issuer: "https://b.test",
      scopes: [],
      resourceName: "",
    });

    expect(Object.keys(document)).toEqual(["resource", "authorization_servers", "bearer_methods_supported"]);
  });
});
