import { describe, expect, test } from "vitest";
import { parseAuthorizationRequest, parseAuthorizationTarget } from "./authorization-request.ts";
import { parseParameters } from "./parameters.ts";

const because = (code: string, reason: string) => expect.objectContaining({ name: "OAuthProxyError", code, reason });

const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const sound = { response_type: "code", code_challenge: challenge, code_challenge_method: "S256" };

const query = (members: Record<string, string>) => parseParameters(new URLSearchParams(members).toString());

describe("parseAuthorizationTarget", () => {
  test("reads who asks, and leaves everything else alone", () => {
    const parameters = query({
      client_id: "id",
      redirect_uri: "http://localhost:1/cb",
      state: "a b",
      response_type: "nonsense",
    });

    expect(parseAuthorizationTarget(parameters)).toEqual({
      clientId: "id",
      redirectUri: "http://localhost:1/cb",
      state: "a b",
    });
  });

  test("a state that was not sent is absent, and an empty one as well", () => {
    expect(parseAuthorizationTarget(query({ client_id: "id" })).state).toBeUndefined();
    expect(parseAuthorizationTarget(query({ client_id: "id", state: "" })).state).toBeUndefined();
  });

  test("RFC 6749 §4.1.1: a request without client_id is refused", () => {
    expect(() => parseAuthorizationTarget(query({ state: "x" }))).toThrow(
      because("invalid_request", "client_id_missing"),
    );
  });

  test.each(["client_id", "redirect_uri", "state"])("%s has at most 4096 characters", (name) => {
    const asked = (length: number) => query({ client_id: "id", [name]: "a".repeat(length) });

    expect(parseAuthorizationTarget(asked(4096)).clientId).toBeTruthy();
    expect(() => parseAuthorizationTarget(asked(4097))).toThrow(because("invalid_request", "value_too_long"));
  });
});

describe("parseAuthorizationRequest", () => {
  test("reads what is asked for", () => {
    const parameters = parseParameters(
      `${new URLSearchParams({ ...sound, scope: "openid mcp:tools" })}&resource=HTTPS%3A%2F%2FA.test%2F&resource=https%3A%2F%2Fb.test%2Fmcp`,
    );

    expect(parseAuthorizationRequest(parameters)).toEqual({
      codeChallenge: challenge,
      scope: new Set(["openid", "mcp:tools"]),
      resources: ["https://a.test", "https://b.test/mcp"],
    });
  });

  test("scope and resource may be missing, as old clients have it", () => {
    expect(parseAuthorizationRequest(query(sound))).toEqual({
      codeChallenge: challenge,
      scope: new Set(),
      resources: [],
    });
  });

  test.each([
    { prompt: "consent" },
    { prompt: "none" },
    { scope: "openid offline_access" },
    { nonce: "x", login_hint: "y", max_age: "1", audience: "z", unknown: "1" },
    { response_mode: "query" },
    { dpop_jkt: "x" },
  ])("prompt, offline_access and unknown parameters are accepted: %j", (members) => {
    expect(parseAuthorizationRequest(query({ ...sound, ...members })).codeChallenge).toBe(challenge);
  });

  test.each([
    [{ response_type: "" }, "invalid_request", "response_type_missing"],
    [{ response_type: "token" }, "unsupported_response_type", "response_type_unsupported"],
    [{ response_type: "code token" }, "unsupported_response_type", "response_type_unsupported"],
    [{ response_type: "Code" }, "unsupported_response_type", "response_type_unsupported"],
    [{ response_mode: "fragment" }, "invalid_request", "response_mode_unsupported"],
    [{ response_mode: "form_post" }, "invalid_request", "response_mode_unsupported"],
    [{ request: "x.y.z" }, "request_not_supported", "request_not_supported"],
    [{ request_uri: "https://evil.test/r" }, "request_uri_not_supported", "request_uri_not_supported"],
    [{ code_challenge: "" }, "invalid_request", "code_challenge_missing"],
    [{ code_challenge_method: "" }, "invalid_request", "code_challenge_method"],
    [{ code_challenge_method: "plain" }, "invalid_request", "code_challenge_method"],
    [{ code_challenge: "a" }, "invalid_request", "code_challenge_malformed"],
    [{ scope: 'a"b' }, "invalid_scope", "malformed_scope"],
    [{ resource: "https://a.test/#x" }, "invalid_target", "resource_malformed"],
    [{ resource: "mcp" }, "invalid_target", "resource_malformed"],
  ])("RFC 6749 §4.1.2.1: %j is refused as %s (%s)", (members, code, reason) => {
    expect(() => parseAuthorizationRequest(query({ ...sound, ...members }))).toThrow(because(code, reason));
  });

  test("a request object is refused before anything beside it is looked at", () => {
    expect(() => parseAuthorizationRequest(query({ request: "x" }))).toThrow(
      because("request_not_supported", "request_not_supported"),
    );
  });
});
