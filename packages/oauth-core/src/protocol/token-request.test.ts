import { describe, expect, test } from "vitest";
import { parseParameters } from "./parameters.ts";
import { parseTokenRequest } from "./token-request.ts";

const because = (code: string, reason: string) => expect.objectContaining({ name: "OAuthProxyError", code, reason });

const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const redeem = { grant_type: "authorization_code", code: "abc", code_verifier: verifier };
const refresh = { grant_type: "refresh_token", refresh_token: "abc" };

const read = (members: Record<string, string>) =>
  parseTokenRequest(parseParameters(new URLSearchParams(members).toString()));

describe("grant_type=authorization_code", () => {
  test("reads code, verifier, redirect URI and resources", () => {
    expect(read({ ...redeem, redirect_uri: "http://localhost:1/cb", resource: "HTTPS://A.test/" })).toEqual({
      grantType: "authorization_code",
      code: "abc",
      codeVerifier: verifier,
      redirectUri: "http://localhost:1/cb",
      resources: ["https://a.test"],
    });
  });

  test("redirect URI and resource may be missing", () => {
    expect(read(redeem)).toMatchObject({ redirectUri: undefined, resources: [] });
  });

  test.each([
    [{ code: "" }, "invalid_request", "code_missing"],
    [{ code_verifier: "" }, "invalid_grant", "code_verifier_missing"],
    [{ code_verifier: "short" }, "invalid_grant", "code_verifier_malformed"],
    [{ code: "a".repeat(4097) }, "invalid_request", "value_too_long"],
    [{ redirect_uri: "a".repeat(4097) }, "invalid_request", "value_too_long"],
    [{ resource: "relative" }, "invalid_target", "resource_malformed"],
  ])(
    "RFC 6749 §4.1.3: a request that can not be paid is refused before anything is looked up",
    (members, code, reason) => {
      expect(() => read({ ...redeem, ...members })).toThrow(because(code, reason));
    },
  );
});

describe("grant_type=refresh_token", () => {
  test("reads token, scope and resources", () => {
    expect(read({ ...refresh, scope: "a b", resource: "https://a.test/mcp" })).toEqual({
      grantType: "refresh_token",
      refreshToken: "abc",
      scope: new Set(["a", "b"]),
      resources: ["https://a.test/mcp"],
    });
  });

  test("no scope means what the client has, and is told apart from an empty one", () => {
    expect(read(refresh)).toMatchObject({ scope: undefined });
    expect(read({ ...refresh, scope: "" })).toMatchObject({ scope: undefined });
    expect(read({ ...refresh, scope: " " })).toMatchObject({ scope: new Set() });
  });

  test.each([
    [{ refresh_token: "" }, "invalid_request", "refresh_token_missing"],
    [{ refresh_token: "a".repeat(4097) }, "invalid_request", "value_too_long"],
    [{ scope: "a\\b" }, "invalid_scope", "malformed_scope"],
    [{ resource: "https://a.test/#x" }, "invalid_target", "resource_malformed"],
  ])("RFC 6749 §6: %j is refused as %s (%s)", (members, code, reason) => {
    expect(() => read({ ...refresh, ...members })).toThrow(because(code, reason));
  });
});

test("RFC 6749 §5.2: a request without grant_type is refused", () => {
  expect(() => read({ code: "abc" })).toThrow(because("invalid_request", "grant_type_missing"));
});

test.each(["password", "client_credentials", "implicit", "Authorization_Code", "authorization_code ", "constructor"])(
  "RFC 6749 §5.2: the grant type %j is not supported",
  (grantType) => {
    expect(() => read({ ...redeem, grant_type: grantType })).toThrow(
      because("unsupported_grant_type", "grant_type_unsupported"),
    );
  },
);
