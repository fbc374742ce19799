import { describe, expect, test } from "vitest";
import { OAuthProxyError, REASONS, type Reason } from "../protocol/errors.ts";
import { errorReply, statusOf, toRefusal } from "./error-reply.ts";

const STATUSES: Readonly<Record<string, number>> = {
  invalid_client: 401,
  invalid_token: 401,
  access_denied: 403,
  insufficient_scope: 403,
  server_error: 500,
  temporarily_unavailable: 503,
};

test.each(Object.keys(REASONS) as Reason[])("RFC 6749 §5.2, RFC 6750 §3.1: %s has the status of its code", (reason) => {
  const error = new OAuthProxyError(reason);
  expect(statusOf(error)).toBe(reason === "body_too_large" ? 413 : (STATUSES[error.code] ?? 400));
});

describe("errorReply", () => {
  test("only code and fixed description reach the wire, and nobody keeps them", () => {
    const error = new OAuthProxyError("code_invalid", { cause: new Error("secret") });
    expect(errorReply(error, false)).toEqual({
      status: 400,
      headers: [
        ["content-type", "application/json"],
        ["cache-control", "no-store"],
      ],
      body: '{"error":"invalid_grant","error_description":"The authorization code is not valid."}',
    });
  });

  test("RFC 6749 §5.2: a client that tried Basic is told Basic, and no other", () => {
    const challenges = (reason: Reason, basic: boolean) =>
      errorReply(new OAuthProxyError(reason), basic).headers.filter(([name]) => name === "www-authenticate");
    expect(challenges("client_unknown", true)).toEqual([["www-authenticate", 'Basic realm="sallyport"']]);
    expect(challenges("client_unknown", false)).toEqual([]);
    expect(challenges("code_invalid", true)).toEqual([]);
  });

  test("RFC 9110 §10.2.3: what may work later says when", () => {
    expect(errorReply(new OAuthProxyError("upstream_unavailable"), false).headers).toContainEqual(["retry-after", "5"]);
    expect(errorReply(new OAuthProxyError("internal"), false).headers).not.toContainEqual(["retry-after", "5"]);
  });
});

test.each([new TypeError("secret"), "secret", undefined, null, { code: "invalid_grant" }])(
  "whatever else is thrown is server_error without a word of detail: %s",
  (thrown) => {
    const refusal = toRefusal(thrown);
    expect(refusal.toJSON()).toEqual({ error: "server_error", error_description: "The server failed." });
    expect(refusal.cause).toBe(thrown);
  },
);
