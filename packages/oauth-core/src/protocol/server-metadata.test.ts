import { describe, expect, test } from "vitest";
import { formatServerMetadata } from "./server-metadata.ts";

const endpoints = {
  authorization: "https://auth.example.com/oauth/authorize",
  token: "https://auth.example.com/oauth/token",
  registration: "https://auth.example.com/oauth/register",
  revocation: "https://auth.example.com/oauth/revoke",
  jwks: "https://auth.example.com/oauth/jwks",
};

describe("formatServerMetadata", () => {
  test("RFC 8414 §2: the document says what works", () => {
    const document = formatServerMetadata({
      issuer: "https://auth.example.com",
      endpoints,
      scopes: ["openid", "mcp:tools", "openid"],
      issParameter: true,
    });

    expect(document).toEqual({
      issuer: "https://auth.example.com",
      authorization_endpoint: endpoints.authorization,
      token_endpoint: endpoints.token,
      registration_endpoint: endpoints.registration,
      revocation_endpoint: endpoints.revocation,
      revocation_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
      jwks_uri: endpoints.jwks,
      scopes_supported: ["openid", "mcp:tools"],
      response_types_supported: ["code"],
      response_modes_supported: ["query"],
      grant_types_supported: ["authorization_code", "refresh_token"],
      token_endpoint_auth_methods_supported: ["none", "client_secret_basic", "client_secret_post"],
      code_challenge_methods_supported: ["S256"],
      authorization_response_iss_parameter_supported: true,
    });
  });

  test("RFC 8414 §3.2: what is turned off is left out, never null and never empty", () => {
    const document = formatServerMetadata({
      issuer: "https://auth.example.com",
      endpoints: { authorization: endpoints.authorization, token: endpoints.token, registration: undefined },
      scopes: [],
      issParameter: false,
    });

    expect(Object.keys(document)).toEqual([
      "issuer",
      "authorization_endpoint",
      "token_endpoint",
      "response_types_supported",
      "response_modes_supported",
      "grant_types_supported",
      "token_endpoint_auth_methods_supported",
      "code_challenge_methods_supported",
    ]);
  });

  test.each(["https://auth.example.com", "https://auth.example.com/", "https://auth.example.com/tenant"])(
    "RFC 8414 §3.3: the issuer %s is written as it is, without a slash more or less",
    (issuer) => {
      expect(formatServerMetadata({ issuer, endpoints, scopes: [], issParameter: true }).issuer).toBe(issuer);
    },
  );
});
