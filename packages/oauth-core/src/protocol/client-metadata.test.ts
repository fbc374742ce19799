import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatRegistrationResponse, parseClientMetadata } from "./client-metadata.ts";
import { formatScope, scopeOf } from "./scope.ts";

const because = (code: string, reason: string) => expect.objectContaining({ name: "OAuthProxyError", code, reason });
const malformed = because("invalid_client_metadata", "client_metadata_malformed");

const redirect_uris = ["https://client.example.com/cb"];

describe("what a registration may leave out", () => {
  test("RFC 7591 §2: redirect URIs are enough; the rest is decided here", () => {
    expect(parseClientMetadata({ redirect_uris })).toEqual({
      clientName: undefined,
      redirectUris: redirect_uris,
      tokenEndpointAuthMethod: "none",
      grantTypes: ["authorization_code", "refresh_token"],
      applicationType: undefined,
      scope: undefined,
    });
  });

  test("RFC 7591 §2: unknown members are ignored, whatever they are", () => {
    const body: unknown = JSON.parse(
      `{"redirect_uris":["${redirect_uris}"],"software_statement":5,"jwks":[[]],"client_uri":null,"__proto__":{"scope":"x"}}`,
    );

    expect(parseClientMetadata(body)).toEqual(parseClientMetadata({ redirect_uris }));
  });

  test.each([
    "client_name",
    "token_endpoint_auth_method",
    "grant_types",
    "response_types",
    "scope",
    "application_type",
  ])("null in %s is read as absent", (member) => {
    expect(parseClientMetadata({ redirect_uris, [member]: null })).toEqual(parseClientMetadata({ redirect_uris }));
  });

  test.each(["", " "])("the scope %j that some clients send is no scope", (scope) => {
    expect(parseClientMetadata({ redirect_uris, scope }).scope).toBeUndefined();
  });

  test.each(["desktop", "", 5, ["web"]])(
    "application_type %j is ignored, since only web and native mean something",
    (type) => {
      expect(parseClientMetadata({ redirect_uris, application_type: type }).applicationType).toBeUndefined();
      expect(parseClientMetadata({ redirect_uris, application_type: "native" }).applicationType).toBe("native");
    },
  );
});

describe("what a registration is granted", () => {
  test("RFC 7591 §2: unknown grant types, response types and methods are not echoed as granted", () => {
    const metadata = parseClientMetadata({
      redirect_uris,
      grant_types: ["implicit", "refresh_token", "password", "authorization_code"],
      response_types: ["token", "code"],
      token_endpoint_auth_method: "private_key_jwt",
    });

    expect(metadata.grantTypes).toEqual(["authorization_code", "refresh_token"]);
    expect(metadata.tokenEndpointAuthMethod).toBe("none");
  });

  test("a client that asks for no refresh token gets none", () => {
    expect(parseClientMetadata({ redirect_uris, grant_types: ["authorization_code"] }).grantTypes).toEqual([
      "authorization_code",
    ]);
  });

  test.each(["none", "client_secret_basic", "client_secret_post"])("the method %s is registered as asked", (method) => {
    const metadata = parseClientMetadata({ redirect_uris, token_endpoint_auth_method: method });
    expect(metadata.tokenEndpointAuthMethod).toBe(method);
  });

  test.each([
    { grant_types: [] },
    { grant_types: ["refresh_token"] },
    { grant_types: ["client_credentials", "implicit"] },
    { response_types: [] },
    { response_types: ["token"] },
    { response_types: ["code token"] },
  ])("RFC 7591 §2.1: a client without the code flow can do nothing here: %j", (members) => {
    expect(() => parseClientMetadata({ redirect_uris, ...members })).toThrow(
      because("invalid_client_metadata", "client_grant_types"),
    );
  });
});

describe("what a registration is refused for", () => {
  test.each([undefined, null, 5, "x", [], [{}], true])("a body that is no object: %j", (body) => {
    expect(() => parseClientMetadata(body)).toThrow(malformed);
  });

  test.each([
    { client_name: 5 },
    { client_name: ["x"] },
    { client_name: { toString: "x" } },
    { token_endpoint_auth_method: ["none"] },
    { grant_types: "authorization_code" },
    { grant_types: [["authorization_code"]] },
    { grant_types: ["authorization_code", 5] },
    { grant_types: { 0: "authorization_code" } },
    { grant_types: Array.from({ length: 65 }, () => "authorization_code") },
    { response_types: "code" },
    { response_types: [null] },
    { scope: ["a"] },
    { scope: 'a"b' },
    { scope: "a\nb" },
  ])("a known member of the wrong type or form", (members) => {
    expect(() => parseClientMetadata({ redirect_uris, ...members })).toThrow(malformed);
  });

  test.each([
    undefined,
    null,
    [],
    "https://client.example.com/cb",
    {},
    { length: 1 },
    [["https://client.example.com/cb"]],
    [null],
    [5],
  ])("redirect_uris that are no list of strings: %j", (value) => {
    expect(() => parseClientMetadata({ redirect_uris: value })).toThrow(
      because("invalid_redirect_uri", "redirect_uri_malformed"),
    );
  });

  test.each([
    ["https://client.example.com/#x", "redirect_uri_malformed"],
    ["https://*.example.com/", "redirect_uri_malformed"],
    ["JavaScript:alert(1)", "redirect_uri_scheme"],
    ["http://client.example.com/cb", "redirect_uri_scheme"],
    [`https://client.example.com/${"a".repeat(1024)}`, "redirect_uri_too_long"],
  ])("one redirect URI among good ones that can not register: %s", (uri, reason) => {
    expect(() => parseClientMetadata({ redirect_uris: [...redirect_uris, uri] })).toThrow(
      because("invalid_redirect_uri", reason),
    );
  });

  test("RFC 7591 §5: 32 redirect URIs register, 33 and 20,000 do not", () => {
    const uris = (count: number) => Array.from({ length: count }, (_, index) => `https://client.example.com/${index}`);

    expect(parseClientMetadata({ redirect_uris: uris(32) }).redirectUris).toHaveLength(32);
    for (const count of [33, 20_000]) {
      expect(() => parseClientMetadata({ redirect_uris: uris(count) })).toThrow(
        because("invalid_redirect_uri", "redirect_uri_too_long"),
      );
    }
  });

  test("a redirect URI that is named twice is registered once", () => {
    expect(parseClientMetadata({ redirect_uris: [...redirect_uris, ...redirect_uris] }).redirectUris).toEqual(
      redirect_uris,
    );
  });
});

describe("client_name", () => {
  const nameOf = (client_name: string) => parseClientMetadata({ redirect_uris, client_name }).clientName;

  test.each([
    ["a bidi override", "\u202eedualC", "edualC"],
    ["bidi isolates and marks", "\u2066Claude\u2069\u200f\u061c", "Claude"],
    ["zero-width characters", "Cl\u200ba\u200cu\u200dd\u2060e\ufeff", "Claude"],
    ["control characters", "Cla\u0000u\u0007d\u009be\u007f", "Claude"],
    ["soft hyphens and invisible letters", "C\u00adl\u034fa\u3164ude\u{e0041}", "Claude"],
    ["half a surrogate pair", "Claude\ud83d", "Claude"],
    ["line breaks", "Claude\r\nverified\u2028by us", "Claude verified by us"],
    ["runs of blanks", `  Claude${" ".repeat(60)}\u00a0\u3000(verified) `, "Claude (verified)"],
    ["a decomposed letter", "Cafe\u0301", "Café"],
    ["nothing to mind", "VS Code – プロジェクト 🚀", "VS Code – プロジェクト 🚀"],
  ])("RFC 7591 §5: a name cannot hide or reorder what is shown beside it: %s", (_, raw, shown) => {
    expect(nameOf(raw)).toBe(shown);
  });

  test.each(["", "   ", "\u200b\u202e", "\u0000"])("%j is no name", (raw) => {
    expect(nameOf(raw)).toBeUndefined();
  });

  test("120 characters are a name, 121 are not, and what is stripped does not count", () => {
    expect(nameOf("a".repeat(120))).toHaveLength(120);
    expect(nameOf("\u200ba".repeat(120))).toHaveLength(120);
    expect(() => nameOf("a".repeat(121))).toThrow(malformed);
    expect(() => nameOf("\u200b".repeat(1025))).toThrow(malformed);
  });

  test("markup stays text: the page escapes it, and nothing else is done to it twice", () => {
    expect(nameOf("<b>&amp;</b>")).toBe("<b>&amp;</b>");
  });

  test("a name that was cleaned is clean", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 100 }), (raw) => {
        const name = nameOf(raw);
        if (name === undefined) return;
        expect(nameOf(name)).toBe(name);
        expect(name).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });
});

describe("formatRegistrationResponse", () => {
  const metadata = parseClientMetadata({
    redirect_uris,
    client_name: "Client",
    application_type: "web",
    token_endpoint_auth_method: "client_secret_post",
    scope: "a b",
  });

  test("RFC 7591 §3.2.1: the whole of what was registered is echoed, with the secret's expiry", () => {
    const response = formatRegistrationResponse({
      metadata,
      clientId: "id",
      clientSecret: "secret",
      issuedAt: 1_700_000_000,
      scope: scopeOf(["a"]),
    });

    expect(response).toEqual({
      client_id: "id",
      client_id_issued_at: 1_700_000_000,
      client_secret: "secret",
      client_secret_expires_at: 0,
      client_name: "Client",
      redirect_uris,
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post",
      application_type: "web",
      scope: "a",
    });
  });

  test("a public client is handed no secret, and no expiry of one", () => {
    const response = formatRegistrationResponse({
      metadata: parseClientMetadata({ redirect_uris }),
      clientId: "id",
      issuedAt: 0,
      scope: scopeOf([]),
    });

    expect(Object.keys(response).sort()).toEqual([
      "client_id",
      "client_id_issued_at",
      "grant_types",
      "redirect_uris",
      "response_types",
      "token_endpoint_auth_method",
    ]);
  });

  test("what is answered can be registered again, and comes out the same", () => {
    const scopes = fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 }).map(scopeOf);
    const request = fc.record(
      {
        redirect_uris: fc.constant(redirect_uris),
        client_name: fc.string({ unit: "grapheme", maxLength: 60 }),
        grant_types: fc.constantFrom(["authorization_code"], ["implicit", "authorization_code", "refresh_token"]),
        token_endpoint_auth_method: fc.constantFrom("none", "client_secret_basic", "tls_client_auth"),
        application_type: fc.constantFrom("web", "native", "other"),
      },
      { requiredKeys: ["redirect_uris"] },
    );

    fc.assert(
      fc.property(request, scopes, (body, scope) => {
        const registered = parseClientMetadata({ ...body, scope: formatScope(scope) });
        const response = formatRegistrationResponse({ metadata: registered, clientId: "id", issuedAt: 1, scope });

        expect(parseClientMetadata(JSON.parse(JSON.stringify(response)))).toEqual(registered);
        expect(Object.values(response)).not.toContain(null);
        expect(Object.values(response)).not.toContain("");
        expect(Object.values(response)).not.toContain(undefined);
      }),
    );
  });
});
