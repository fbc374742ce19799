import { expect, test } from "vitest";
import { parseParameters } from "./parameters.ts";
import { parseRevocationRequest } from "./revocation-request.ts";

const because = (reason: string) =>
  expect.objectContaining({ name: "OAuthProxyError", code: "invalid_request", reason });

test("RFC 7009 §2.1: token and hint are read, and a hint is any word", () => {
  expect(parseRevocationRequest(parseParameters("token=abc&token_type_hint=nonsense"))).toEqual({
    token: "abc",
    tokenTypeHint: "nonsense",
  });
  expect(parseRevocationRequest(parseParameters("token=abc"))).toEqual({ token: "abc", tokenTypeHint: undefined });
});

test.each(["", "token=", "token_type_hint=access_token"])(
  "RFC 7009 §2.1: without a token there is nothing to revoke: %j",
  (form) => {
    expect(() => parseRevocationRequest(parseParameters(form))).toThrow(because("token_missing"));
  },
);

test("a token longer than any that is issued is not looked up", () => {
  expect(parseRevocationRequest(parseParameters(`token=${"a".repeat(16_384)}`)).token).toHaveLength(16_384);
  expect(() => parseRevocationRequest(parseParameters(`token=${"a".repeat(16_385)}`))).toThrow(
    because("value_too_long"),
  );
});
