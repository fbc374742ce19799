import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { UpstreamDescriptor } from "./descriptor.ts";
import { factsOf, parseServerDocument } from "./server-facts.ts";

const ISSUER = "https://id.example.com";
const DOCUMENT = {
  issuer: ISSUER,
  authorization_endpoint: `${ISSUER}/authorize`,
  token_endpoint: `${ISSUER}/token`,
  userinfo_endpoint: `${ISSUER}/userinfo`,
  revocation_endpoint: `${ISSUER}/revoke`,
  jwks_uri: `${ISSUER}/keys`,
  authorization_response_iss_parameter_supported: true,
  id_token_signing_alg_values_supported: ["RS256", "ES256"],
  token_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
};
const DESCRIPTOR: UpstreamDescriptor = {
  id: "id",
  name: "Id",
  clientId: "our-app",
  clientSecret: "s3cret",
  scopes: ["openid"],
  discovery: { issuer: ISSUER },
};
const parse = (change: object, issuer = ISSUER) =>
  parseServerDocument(JSON.stringify({ ...DOCUMENT, ...change }), issuer);

/** Which part of a document was refused. */
function problemOf(text: string, issuer = ISSUER): string {
  try {
    parseServerDocument(text, issuer);
    return "none";
  } catch (error) {
    if (!(error instanceof OAuthProxyError) || !(error.cause instanceof Error)) throw error;
    return `${error.reason}: ${error.cause.message}`;
  }
}

test("OpenID Connect Discovery 1.0 §3: what a document says is what is used", () => {
  expect(factsOf(DESCRIPTOR, parse({}))).toEqual({
    authorization: `${ISSUER}/authorize`,
    token: `${ISSUER}/token`,
    userinfo: `${ISSUER}/userinfo`,
    revocation: `${ISSUER}/revoke`,
    jwks: `${ISSUER}/keys`,
    issuer: ISSUER,
    issuerParameter: true,
    algorithms: ["RS256", "ES256"],
    authMethod: "client_secret_basic",
  });
});

test("what the description says wins", () => {
  const described = {
    ...DESCRIPTOR,
    endpoints: { token: "https://other.example/token" },
    issuer: "https://other.example",
    issuerParameter: false,
    authMethod: "none",
  } as const;
  expect(factsOf(described, parse({}))).toMatchObject({
    authorization: `${ISSUER}/authorize`,
    token: "https://other.example/token",
    issuer: "https://other.example",
    issuerParameter: false,
    authMethod: "none",
  });
});

test("what neither says has its default", () => {
  const { issuer, authorization_endpoint, token_endpoint } = DOCUMENT;
  const document = parseServerDocument(JSON.stringify({ issuer, authorization_endpoint, token_endpoint }), ISSUER);
  expect(factsOf(DESCRIPTOR, document)).toMatchObject({
    issuerParameter: false,
    algorithms: ["RS256"],
    authMethod: "client_secret_basic",
    userinfo: undefined,
    revocation: undefined,
    jwks: undefined,
  });
});

test("RFC 8725 §3.1: of its algorithms only those with a public key are believed", () => {
  const listed = ["none", "HS256", "HS512", "RS256", "PS384", "EdDSA", "rs256", 5, null, "RSA-OAEP"];
  expect(parse({ id_token_signing_alg_values_supported: listed }).algorithms).toEqual(["RS256", "PS384", "EdDSA"]);
  expect(parse({ id_token_signing_alg_values_supported: ["HS256"] }).algorithms).toEqual([]);
});

test("the way to authenticate is one that it takes", () => {
  const methodOf = (methods: unknown) =>
    factsOf(DESCRIPTOR, parse({ token_endpoint_auth_methods_supported: methods })).authMethod;
  expect(methodOf(["client_secret_post"])).toBe("client_secret_post");
  expect(methodOf(["private_key_jwt"])).toBe("client_secret_basic");
  expect(methodOf("client_secret_post")).toBe("client_secret_basic");
});

describe("refused", () => {
  test.each([
    ["another issuer", { issuer: "https://evil.example" }],
    ["another issuer", { issuer: `${ISSUER}/` }],
    ["another issuer", { issuer: undefined }],
    ["another issuer", { issuer: [ISSUER] }],
    ["authorization_endpoint", { authorization_endpoint: undefined }],
    ["authorization_endpoint", { authorization_endpoint: "/authorize" }],
    ["authorization_endpoint", { authorization_endpoint: "javascript:alert(1)" }],
    ["token_endpoint", { token_endpoint: "http://id.example.com/token" }],
    ["token_endpoint", { token_endpoint: "http://127.0.0.1/token" }],
    ["token_endpoint", { token_endpoint: "https://user:pass@id.example.com/token" }],
    ["token_endpoint", { token_endpoint: "https://id.example.com/token#x" }],
    ["token_endpoint", { token_endpoint: 7 }],
    ["userinfo_endpoint", { userinfo_endpoint: "ftp://id.example.com/" }],
    ["revocation_endpoint", { revocation_endpoint: "" }],
    ["jwks_uri", { jwks_uri: "data:application/json,{}" }],
    ["jwks_uri", { jwks_uri: null }],
  ])("for its %s: %j", (part, change) => {
    expect(problemOf(JSON.stringify({ ...DOCUMENT, ...change }))).toBe(
      `upstream_metadata: discovery document: ${part}`,
    );
  });

  test.each(["", "<html>", "[]", "null", '"x"', `{"__proto__":{"issuer":"${ISSUER}"}}`, "[".repeat(100_000)])(
    "what is no JSON object: %.20s",
    (text) => {
      expect(problemOf(text)).toBe("upstream_metadata: discovery document: no JSON object");
    },
  );

  test("whatever it is, it is refused or read, and nothing else happens", () => {
    const anything = fc.oneof(fc.json(), fc.string());
    const member = fc.constantFrom(...Object.keys(DOCUMENT));
    const outcome = /^(?:none|upstream_metadata: .+)$/;
    fc.assert(fc.property(anything, (text) => outcome.test(problemOf(text))));
    fc.assert(
      fc.property(member, fc.jsonValue({ maxDepth: 3 }), (name, value) =>
        outcome.test(problemOf(JSON.stringify({ ...DOCUMENT, [name]: value }))),
      ),
    );
  });
});

test("on one machine everything may be plain http, and only there", () => {
  const issuer = "http://127.0.0.1:3000";
  const local = { issuer, authorization_endpoint: `${issuer}/a`, token_endpoint: `${issuer}/t` };
  expect(problemOf(JSON.stringify(local), issuer)).toBe("none");
  expect(problemOf(JSON.stringify({ ...local, token_endpoint: "http://id.example.com/t" }), issuer)).toBe(
    "upstream_metadata: discovery document: token_endpoint",
  );
});
