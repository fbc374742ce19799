import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseUpstreamTokenResponse } from "./upstream-token-response.ts";

const because = (code: string, reason: string) => expect.objectContaining({ name: "OAuthProxyError", code, reason });
const malformed = because("server_error", "upstream_response_malformed");

const JSON_TYPE = "application/json; charset=utf-8";
const FORM_TYPE = "application/x-www-form-urlencoded";

const readJson = (members: unknown, status = 200) =>
  parseUpstreamTokenResponse(status, JSON_TYPE, JSON.stringify(members));
const tokens = (members: Record<string, unknown>) => readJson({ access_token: "at", ...members });

function refusalOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe("tokens", () => {
  test("RFC 6749 §5.1: everything that is said is read", () => {
    expect(
      readJson({
        access_token: "at",
        token_type: "Bearer",
        expires_in: 3600,
        refresh_token: "rt",
        refresh_expires_in: 7200,
        id_token: "x.y.z",
        scope: "openid email",
        unknown: { a: 1 },
      }),
    ).toEqual({
      accessToken: "at",
      tokenType: "Bearer",
      expiresIn: 3600,
      refreshToken: "rt",
      refreshExpiresIn: 7200,
      idToken: "x.y.z",
      scope: ["openid", "email"],
    });
  });

  test("an access token alone is enough", () => {
    expect(readJson({ access_token: "at" })).toEqual({ accessToken: "at", tokenType: "Bearer" });
  });

  test.each([
    [3600, 3600],
    ["3600", 3600],
    [" 3600 ", 3600],
    [3599.9, 3599],
    ["3599.9", 3599],
    [1e300, 315_360_000],
    ["999999999999999", 315_360_000],
    [0, undefined],
    ["0", undefined],
    [0.5, undefined],
    [-1, undefined],
    ["-1", undefined],
    [null, undefined],
    [undefined, undefined],
    ["", undefined],
    ["soon", undefined],
    ["1e9", undefined],
    ["0x10", undefined],
    [true, undefined],
    [[3600], undefined],
    [{}, undefined],
  ])("expires_in %j means %j seconds", (given, seconds) => {
    expect(tokens({ expires_in: given }).expiresIn).toBe(seconds);
  });

  test("a number beyond all numbers is bounded, too", () => {
    expect(parseUpstreamTokenResponse(200, JSON_TYPE, '{"access_token":"at","expires_in":1e999}').expiresIn).toBe(
      315_360_000,
    );
  });

  test.each([
    [{ refresh_expires_in: 1800 }, 1800],
    [{ refresh_token_expires_in: "15811200" }, 15_811_200],
    [{ refresh_expires_in: 0, refresh_token_expires_in: 5 }, 5],
    [{ refresh_expires_in: 0 }, undefined],
  ])("the refresh token's lifetime is read from %j", (members, seconds) => {
    expect(tokens(members).refreshExpiresIn).toBe(seconds);
  });

  test.each([
    ["a b", ["a", "b"]],
    ["repo,gist", ["repo", "gist"]],
    ["repo, gist  repo", ["repo", "gist"]],
    ["a\tb\nc", ["a", "b", "c"]],
    [
      ["a", "b", "a"],
      ["a", "b"],
    ],
    [["a", 5, null, "b c", 'd"'], ["a"]],
    ['a b" \u0001 é', ["a"]],
    ["", []],
    [[], []],
    [null, undefined],
    [undefined, undefined],
    [5, undefined],
    [{ a: 1 }, undefined],
  ])("scope %j means %j", (given, scope) => {
    expect(tokens({ scope: given }).scope).toEqual(scope);
  });

  test.each([
    [undefined, "Bearer"],
    [null, "Bearer"],
    ["", "Bearer"],
    ["bearer", "Bearer"],
    ["BEARER", "Bearer"],
    ["DPoP", "DPoP"],
  ])("token_type %j means %s", (given, tokenType) => {
    expect(tokens({ token_type: given }).tokenType).toBe(tokenType);
  });

  test.each(["refresh_token", "id_token"])("%s may be null or empty", (name) => {
    expect(tokens({ [name]: null })).toEqual(tokens({}));
    expect(tokens({ [name]: "" })).toEqual(tokens({}));
  });

  test.each([
    {},
    { access_token: null },
    { access_token: "" },
    { access_token: 5 },
    { access_token: ["at"] },
    { access_token: "a b" },
    { access_token: "at\r\nX-Injected: 1" },
    { access_token: "é" },
    { access_token: "a".repeat(65_537) },
    { access_token: "at", refresh_token: 5 },
    { access_token: "at", refresh_token: "r t" },
    { access_token: "at", id_token: {} },
    { access_token: "at", token_type: 5 },
    { access_token: "at", token_type: "a b" },
  ])("an answer without a usable token is refused and not guessed at", (members) => {
    expect(() => readJson(members)).toThrow(malformed);
  });
});

describe("the form of an answer", () => {
  const form = "access_token=a%2Bt&scope=repo%2Cgist&token_type=bearer&expires_in=28800&refresh_token=";

  test.each([FORM_TYPE, `${FORM_TYPE.toUpperCase()}; charset=utf-8`, "text/plain", null, ""])(
    "a form is read as %j",
    (contentType) => {
      expect(parseUpstreamTokenResponse(200, contentType, form)).toEqual({
        accessToken: "a+t",
        tokenType: "Bearer",
        expiresIn: 28_800,
        scope: ["repo", "gist"],
      });
    },
  );

  test.each([JSON_TYPE, "text/json", "text/html", "text/plain", FORM_TYPE, null])(
    "JSON is JSON, also as %j",
    (contentType) => {
      expect(parseUpstreamTokenResponse(200, contentType, ' {"access_token":"at"}\n').accessToken).toBe("at");
    },
  );

  test.each([
    [JSON_TYPE, ""],
    [FORM_TYPE, ""],
    [null, "   "],
    [JSON_TYPE, "null"],
    [JSON_TYPE, "[]"],
    [JSON_TYPE, '"access_token"'],
    [JSON_TYPE, '{"access_token":"at"'],
    [JSON_TYPE, '{"__proto__":{"access_token":"at"}}'],
    [JSON_TYPE, form],
    ["text/html", "<html>access_token=at</html>"],
    ["text/html", form],
    [null, "<!doctype html><p>access_token=at"],
    [FORM_TYPE, "access_token=%zz"],
    [FORM_TYPE, "access_token=a&access_token=b"],
    [JSON_TYPE, `{"access_token":"at","x":"${"a".repeat(1_048_576)}"}`],
  ])("with status 200, %s %j is no answer that can be used", (contentType, body) => {
    expect(() => parseUpstreamTokenResponse(200, contentType, body)).toThrow(malformed);
  });
});

describe("refusals", () => {
  test.each([
    ["invalid_grant", "invalid_grant", "upstream_invalid_grant"],
    ["bad_verification_code", "invalid_grant", "upstream_invalid_grant"],
    ["bad_refresh_token", "invalid_grant", "upstream_invalid_grant"],
    ["invalid_client", "server_error", "upstream_client_refused"],
    ["unauthorized_client", "server_error", "upstream_client_refused"],
    ["incorrect_client_credentials", "server_error", "upstream_client_refused"],
    ["temporarily_unavailable", "temporarily_unavailable", "upstream_unavailable"],
    ["server_error", "temporarily_unavailable", "upstream_unavailable"],
    ["invalid_scope", "server_error", "upstream_refused"],
    ["interaction_required", "server_error", "upstream_refused"],
    ["constructor", "server_error", "upstream_refused"],
    ["<script>", "server_error", "upstream_refused"],
  ])("the error %s is %s for our client, with any status and in any form", (error, code, reason) => {
    for (const status of [200, 400, 401, 403]) {
      expect(() => readJson({ error, error_description: "secret" }, status)).toThrow(because(code, reason));
      expect(() => parseUpstreamTokenResponse(status, FORM_TYPE, `${new URLSearchParams({ error })}`)).toThrow(
        because(code, reason),
      );
    }
  });

  test("an error beside a token is an error", () => {
    expect(() => tokens({ error: "invalid_grant" })).toThrow(because("invalid_grant", "upstream_invalid_grant"));
  });

  test.each([null, "", false])("an error %j beside a token is none", (error) => {
    expect(tokens({ error }).accessToken).toBe("at");
  });

  test.each([{ code: 400, message: "x" }, ["invalid_grant"], 400, true])(
    "an error of another shape ends nothing: %j",
    (error) => {
      expect(() => readJson({ error }, 400)).toThrow(because("server_error", "upstream_refused"));
    },
  );

  test.each([500, 502, 503, 504, 599, 429, 408])(
    "status %i is a disturbance, whatever the body says: nothing is lost",
    (status) => {
      const unavailable = because("temporarily_unavailable", "upstream_unavailable");

      expect(() => parseUpstreamTokenResponse(status, "text/html", "<html>502</html>")).toThrow(unavailable);
      expect(() => parseUpstreamTokenResponse(status, JSON_TYPE, "")).toThrow(unavailable);
      expect(() => readJson({ error: "invalid_grant" }, status)).toThrow(unavailable);
      expect(() => readJson({ access_token: "at" }, status)).toThrow(unavailable);
    },
  );

  test.each([301, 302, 304, 400, 401, 403, 404])(
    "status %i without a known error is a refusal, and not the end of the grant",
    (status) => {
      const refused = because("server_error", "upstream_refused");

      expect(() => parseUpstreamTokenResponse(status, "text/html", "<html></html>")).toThrow(refused);
      expect(() => parseUpstreamTokenResponse(status, JSON_TYPE, "")).toThrow(refused);
      expect(() => readJson({ access_token: "at" }, status)).toThrow(refused);
    },
  );

  test("no text of the upstream gets into the error", () => {
    const answers: [number, string][] = [
      [400, '{"error":"upstream-text","error_description":"upstream-text"}'],
      [200, '{"access_token":"upstream-text\\n"}'],
      [200, "upstream-text"],
      [502, "upstream-text"],
    ];
    for (const [status, body] of answers) {
      const error = refusalOf(() => parseUpstreamTokenResponse(status, JSON_TYPE, body));
      expect(error).toMatchObject({ name: "OAuthProxyError", message: expect.not.stringContaining("upstream-text") });
      expect(error).not.toHaveProperty("cause");
    }
  });

  test("the operator learns the upstream's word from the cause, and our client does not", () => {
    const error = refusalOf(() => readJson({ error: "redirect_uri_mismatch", error_description: "secret" }, 400));

    expect(error).toMatchObject({ cause: { message: "The upstream answered redirect_uri_mismatch." } });
    expect(JSON.stringify(error)).not.toContain("redirect_uri_mismatch");
  });
});

test("any JSON with any status ends in a token or in one of the five refusals", () => {
  const members = fc.record(
    {
      access_token: fc.oneof(fc.string(), fc.jsonValue()),
      token_type: fc.jsonValue(),
      expires_in: fc.jsonValue(),
      refresh_token: fc.oneof(fc.string(), fc.jsonValue()),
      scope: fc.oneof(fc.string(), fc.array(fc.string()), fc.jsonValue()),
      error: fc.oneof(fc.constant("invalid_grant"), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const five = /^upstream_(?:invalid_grant|unavailable|client_refused|refused|response_malformed)$/;

  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(members, fc.jsonValue()), (status, body) => {
      try {
        expect(readJson(body, status).accessToken).toMatch(/^[\x21-\x7e]+$/);
      } catch (error) {
        expect(error).toMatchObject({ name: "OAuthProxyError", reason: expect.stringMatching(five) });
      }
    }),
    { numRuns: 1000 },
  );
});
