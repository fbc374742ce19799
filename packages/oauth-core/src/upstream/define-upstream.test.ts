import { describe, expect, test } from "vitest";
import { ConfigurationError } from "../protocol/errors.ts";
import { defineUpstream } from "./define-upstream.ts";
import type { UpstreamDescriptor } from "./descriptor.ts";

const SOUND: UpstreamDescriptor = {
  id: "acme",
  name: "Acme",
  clientId: "our-app",
  clientSecret: "s3cret",
  scopes: ["openid", "email"],
  discovery: { issuer: "https://id.acme.example" },
};
const ENDPOINTS = { authorization: "https://id.acme.example/a", token: "https://id.acme.example/t" };

function optionOf(change: { readonly [K in keyof UpstreamDescriptor]?: unknown }): string {
  try {
    defineUpstream({ ...SOUND, ...change } as UpstreamDescriptor);
    return "none";
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.option;
  }
}

test("what the server has to know of it is there", () => {
  const provider = defineUpstream({ ...SOUND, requiredScopes: ["email"], responseMode: "form_post" });
  expect(provider).toMatchObject({
    id: "acme",
    name: "Acme",
    scopes: ["openid", "email"],
    requiredScopes: ["email"],
    formPost: true,
    clientSecret: "s3cret",
  });
  expect(defineUpstream(SOUND).formPost).toBe(false);
});

test("a secret that is made anew each time is no source of keys", () => {
  expect(defineUpstream({ ...SOUND, clientSecret: () => "s3cret" }).clientSecret).toBeUndefined();
});

describe("refused, by its name", () => {
  test.each([
    ["clientId", { clientId: "" }],
    ["clientId", { clientId: undefined }],
    ["clientSecret", { clientSecret: "" }],
    ["clientSecret", { clientSecret: undefined }],
    ["endpoints.authorization", { discovery: undefined }],
    ["endpoints.token", { discovery: undefined, endpoints: { authorization: ENDPOINTS.authorization } }],
    ["endpoints.token", { endpoints: { token: "http://id.acme.example/t" } }],
    ["endpoints.userinfo", { endpoints: { userinfo: "id.acme.example" } }],
    ["endpoints.jwks", { discovery: undefined, endpoints: ENDPOINTS, idTokenVerifier: () => undefined }],
    ["issuer", { discovery: { issuer: "http://id.acme.example" } }],
    ["issuer", { discovery: { issuer: "id.acme.example" } }],
    ["issuer", { discovery: { issuer: "https://id.acme.example?x=1" } }],
    ["discovery.url", { discovery: { issuer: "https://{tenant}.example", url: "http://id.acme.example/d" } }],
    ["idTokenAlgorithms", { idTokenAlgorithms: ["RS256", "HS256"] }],
    ["idTokenAlgorithms", { idTokenAlgorithms: ["none"] }],
    ["requiredScopes", { requiredScopes: ["profile"] }],
    ["scopes", { scopes: ["two words"] }],
  ])("%s: %j", (option, change) => {
    expect(optionOf(change)).toBe(option);
  });
});

test.each([
  { clientSecret: "", authMethod: "none" },
  { discovery: undefined, endpoints: ENDPOINTS },
  { discovery: { issuer: "https://id.example/{tenantid}/v2.0", url: "https://id.example/common/d" } },
  { discovery: { issuer: "http://127.0.0.1:3000" } },
  { idTokenAlgorithms: ["ES256", "EdDSA"] },
])("fine: %j", (change) => {
  expect(optionOf(change)).toBe("none");
});
