import { describe, expect, test } from "vitest";
import { ConfigurationError, OAuthProxyError, REASONS, type Reason } from "./errors.ts";

const reasons = Object.keys(REASONS) as Reason[];

describe("OAuthProxyError", () => {
  test.each(reasons)("RFC 6749 §5.2: the description of %s fits into a header and a page as it is", (reason) => {
    const { description } = new OAuthProxyError(reason);
    expect(description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+\.$/);
    expect(description).not.toMatch(/[<>&]/);
  });

  test("only code and description reach the wire; reason and cause stay here", () => {
    const error = new OAuthProxyError("code_replayed", { cause: new Error("secret") });

    expect(JSON.parse(JSON.stringify(error))).toEqual({
      error: "invalid_grant",
      error_description: "The authorization code is not valid.",
    });
    expect(error.cause).toEqual(new Error("secret"));
    expect(error.reason).toBe("code_replayed");
  });

  test("a refused code looks the same on the wire, whether it was unknown or replayed", () => {
    expect(new OAuthProxyError("code_replayed").toJSON()).toEqual(new OAuthProxyError("code_invalid").toJSON());
    expect(new OAuthProxyError("refresh_token_reused").toJSON()).toEqual(
      new OAuthProxyError("refresh_token_invalid").toJSON(),
    );
  });

  test("another description replaces the one of the table", () => {
    expect(new OAuthProxyError("redirect_uri_refused", { description: "Not this one." }).toJSON()).toEqual({
      error: "invalid_redirect_uri",
      error_description: "Not this one.",
    });
  });
});

test("ConfigurationError names the option", () => {
  const error = new ConfigurationError("baseUrl", "must be https");

  expect(error).toMatchObject({ name: "ConfigurationError", option: "baseUrl", message: "baseUrl: must be https" });
});
