import { expect, test } from "vitest";
import { formatTokenResponse } from "./token-response.ts";

test("RFC 6749 §5.1: everything that was issued is in the response", () => {
  expect(formatTokenResponse({ accessToken: "a", expiresIn: 3600, refreshToken: "r", scope: ["x", "y"] })).toEqual({
    access_token: "a",
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: "r",
    scope: "x y",
  });
});

test("what is absent is left out: clients refuse null, and read null as an expiry of 0", () => {
  const response = formatTokenResponse({
    accessToken: "a",
    expiresIn: undefined,
    refreshToken: undefined,
    scope: new Set(),
  });

  expect(JSON.stringify(response)).toBe('{"access_token":"a","token_type":"Bearer"}');
  expect(Object.keys(response)).toEqual(["access_token", "token_type"]);
});
