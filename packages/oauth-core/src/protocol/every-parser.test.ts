import { readdirSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkAccessTokenClaims } from "./access-token.ts";
import { parseAuthorizationRequest, parseAuthorizationTarget } from "./authorization-request.ts";
import { parseBearer } from "./bearer.ts";
import { parseClientCredentials } from "./client-authentication.ts";
import { parseClientMetadata } from "./client-metadata.ts";
import { ConfigurationError, OAuthProxyError } from "./errors.ts";
import { parseJsonObject } from "./json-object.ts";
import { parseJwt, readJwtClaims } from "./jwt.ts";
import { type Parameters, parseParameters } from "./parameters.ts";
import { parseCodeChallenge, parseCodeVerifier } from "./pkce.ts";
import { matchesRedirectUri, parseRedirectUri, redirectUriHost } from "./redirect-uri.ts";
import { compileRedirectUriPattern } from "./redirect-uri-pattern.ts";
import { canonicalResource, parseResource, selectResources } from "./resource.ts";
import { parseRevocationRequest } from "./revocation-request.ts";
import { parseScope } from "./scope.ts";
import { parseTokenRequest } from "./token-request.ts";
import { parseUpstreamTokenResponse } from "./upstream-token-response.ts";
import { wellKnownPath } from "./well-known.ts";

const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** Every value the same, and a sound choice where the text would end the reading before it gets anywhere. */
function everywhere(text: string, sound: Readonly<Record<string, string>> = {}): Parameters {
  const get = (name: string) => sound[name] ?? (text === "" ? undefined : text);
  return { get, all: (name) => [get(name)].filter((value) => value !== undefined) };
}

const authorization = {
  response_type: "code",
  response_mode: "query",
  code_challenge: CHALLENGE,
  code_challenge_method: "S256",
};

/** What each parser does with one hostile text, put wherever a text can be put. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  checkAccessTokenClaims: (text) =>
    checkAccessTokenClaims({ typ: text }, { iss: text, aud: text }, { issuer: text, audience: text, now: 0 }),
  parseAuthorizationRequest: (text) =>
    parseAuthorizationRequest(everywhere(text, { ...authorization, request: "", request_uri: "" })),
  parseAuthorizationTarget: (text) => parseAuthorizationTarget(everywhere(text)),
  parseBearer: (text) => [parseBearer(text), parseBearer(`Bearer ${text}`)],
  parseClientCredentials: (text) => parseClientCredentials(text, everywhere("")),
  parseClientMetadata: (text) =>
    parseClientMetadata({ client_name: text, redirect_uris: ["https://a.test/"], scope: text, grant_types: [text] }),
  parseCodeChallenge: (text) => parseCodeChallenge(text, "S256"),
  parseCodeVerifier: (text) => parseCodeVerifier(text),
  parseJsonObject: (text) => [parseJsonObject(text), parseJsonObject(`{"a":${text}}`)],
  parseJwt: (text) => parseJwt(text),
  readJwtClaims: (text) => [readJwtClaims(text), readJwtClaims(`e30.${Buffer.from(text).toString("base64url")}.c2ln`)],
  parseParameters: (text) => parseParameters(text),
  parseRedirectUri: (text) => parseRedirectUri(text),
  matchesRedirectUri: (text) => matchesRedirectUri(`http://localhost:1/${text}`, `http://localhost:2/${text}`),
  redirectUriHost: (text) => redirectUriHost(text),
  compileRedirectUriPattern: (text) => compileRedirectUriPattern(text)(text),
  canonicalResource: (text) => canonicalResource(text),
  parseResource: (text) => parseResource(text),
  selectResources: (text) => selectResources([text, text], ["https://a.test/mcp"]),
  parseRevocationRequest: (text) => parseRevocationRequest(everywhere(text)),
  parseScope: (text) => parseScope(text),
  parseTokenRequest: (text) => parseTokenRequest(everywhere(text)),
  parseUpstreamTokenResponse: (text) => parseUpstreamTokenResponse(200, text, text),
  wellKnownPath: (text) => wellKnownPath("oauth-protected-resource", text),
};

/** The same parsers with the hostile text behind a sound beginning, which is where a regular expression would start to work. */
const BEHIND: Readonly<Record<string, (text: string) => unknown>> = {
  "parseClientCredentials, in Basic": (text) => parseClientCredentials(`Basic ${text}`, everywhere("")),
  "parseClientCredentials, inside of Basic": (text) =>
    parseClientCredentials(`Basic ${Buffer.from(`id:${text}`).toString("base64")}`, everywhere("")),
  "parseClientCredentials, in the form": (text) => parseClientCredentials(undefined, everywhere(text)),
  "parseClientMetadata, in a redirect URI": (text) =>
    parseClientMetadata({ redirect_uris: [`https://a.test/${text}`] }),
  "parseClientMetadata, as a body": (text) => parseClientMetadata(parseJsonObject(text)),
  "parseParameters, as a value": (text) => parseParameters(`state=${text}`),
  "parseRedirectUri, as a host": (text) => parseRedirectUri(`https://${text}.test/`),
  "parseRedirectUri, as a path": (text) => parseRedirectUri(`https://a.test/${text}`),
  "parseRedirectUri, in a private scheme": (text) => parseRedirectUri(`app:${text}`),
  "compileRedirectUriPattern, as a host": (text) =>
    compileRedirectUriPattern(`https://${text}.a.test/`)(`https://${text}.a.test/`),
  "compileRedirectUriPattern, as a path": (text) =>
    compileRedirectUriPattern(`https://a.test/${text}*`)(`https://a.test/${text}`),
  "compileRedirectUriPattern, matched": (text) => [
    compileRedirectUriPattern("https://*a*.b*c.a.test/*/x*y*z/*")(`https://${text}`),
    compileRedirectUriPattern("https://a.test/*/x*y*z/*")(`https://a.test/${text}`),
  ],
  "parseResource, as a host": (text) => parseResource(`https://${text}`),
  "parseResource, as a path": (text) => parseResource(`https://a.test/${text}`),
  "parseTokenRequest, for a code": (text) =>
    parseTokenRequest(everywhere(text, { grant_type: "authorization_code", code_verifier: CHALLENGE })),
  "parseTokenRequest, for a refresh": (text) => parseTokenRequest(everywhere(text, { grant_type: "refresh_token" })),
  "parseUpstreamTokenResponse, as a form": (text) =>
    parseUpstreamTokenResponse(200, null, `access_token=a&scope=${text}`),
  "parseUpstreamTokenResponse, in JSON": (text) =>
    parseUpstreamTokenResponse(200, null, JSON.stringify({ access_token: "a", expires_in: text, scope: text })),
  "parseUpstreamTokenResponse, as an error": (text) =>
    parseUpstreamTokenResponse(400, null, JSON.stringify({ error: text })),
};

const ALL = Object.entries({ ...PARSERS, ...BEHIND });

/** Runs a parser, and passes on everything that no parser may throw. */
function attempt(parse: (text: string) => unknown, text: string): void {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof OAuthProxyError || error instanceof ConfigurationError)) throw error;
  }
}

/** Texts that are nearly right for one parser or another. */
const fragment = fc.constantFrom(
  ..."%&=+*?#@:/\\.;,\"'<>{}[]() \0\r\n\t",
  "%2e",
  "%00",
  "%C3",
  "%ED%A0%80",
  "\ud800",
  "\udc00",
  "é",
  "\u202e",
  "\u0301",
  "😀",
  "https://",
  "http://localhost",
  "[::1]",
  "a.test",
  ":443",
  "..;/",
  "javascript:",
  "Bearer ",
  "Basic ",
  "aWQ6cw==",
  "e30",
  "e30.e30.c2ln",
  '{"a":',
  '"__proto__":',
  "null",
  "1e999",
  "resource=",
  "access_token=",
  "constructor",
);
const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "binary-ascii" }),
  fc.array(fragment, { maxLength: 24 }).map((fragments) => fragments.join("")),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.json(),
);

describe.each(ALL)("%s", (_, parse) => {
  test("no input throws anything but a refusal", () => {
    fc.assert(fc.property(hostile, (text) => attempt(parse, text)));
  });
});

/**
 * Contents that make a backtracking expression, a recursion or a repeated copy explode: at these sizes quadratic work is minutes
 * and exponential work has no end, so a run that finishes is the assertion.
 */
const PATHOLOGICAL = [
  ...' %&=+*?#@:/\\.;,[{"a\0\u0315',
  "%25",
  "%41",
  "%zz",
  "a.",
  ".*",
  "a*",
  "/..",
  "/*",
  "..;/",
  "@a:",
  "x=&",
  "a b ",
  '\\"',
  "[[",
  '{"a":',
  "[{",
  "e30.",
  "\u0315\u0301\u0327",
  "\u200b",
  "\ud800",
  "==",
  "*a",
  "::",
  "1",
  "localhost:",
];

/** Not a measurement: far beyond what a slow machine needs. */
const FINISHES = { timeout: 120_000 };

describe.each(ALL)("%s", (_, parse) => {
  test.each([1000, 65_536, 131_072])("takes linear time for hostile contents of %i characters", FINISHES, (length) => {
    for (const unit of PATHOLOGICAL) {
      const text = unit.repeat(Math.ceil(length / unit.length));
      attempt(parse, text);
      attempt(parse, `${text}!`);
    }
  });
});

test("no parser of this folder is missing above", async () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
  const modules = await Promise.all(files.map((name) => import(new URL(name, import.meta.url).href)));
  const parsers = modules
    .flatMap((module) => Object.keys(module))
    .filter((name) => /^(?:parse|read|compile)[A-Z]/.test(name));

  expect(parsers.length).toBeGreaterThan(15);
  expect(Object.keys(PARSERS)).toEqual(expect.arrayContaining(parsers));
});

test("any JSON body is registered or refused", () => {
  const member = fc.constantFrom(
    "client_name",
    "redirect_uris",
    "grant_types",
    "response_types",
    "scope",
    "token_endpoint_auth_method",
    "application_type",
  );

  fc.assert(
    fc.property(fc.dictionary(member, fc.jsonValue()), (body) => {
      const attemptBody = () => parseClientMetadata({ redirect_uris: ["https://a.test/"], ...body });
      attempt(attemptBody, "");
    }),
    { numRuns: 500 },
  );
});

test("any header and claims are accepted or refused", () => {
  const claims = fc.dictionary(
    fc.constantFrom("iss", "sub", "aud", "client_id", "jti", "exp", "iat", "nbf", "scope"),
    fc.jsonValue(),
  );

  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom("typ", "alg"), fc.jsonValue()), claims, (header, members) => {
      const expected = { issuer: "i", audience: undefined, now: 0 };
      attempt(() => checkAccessTokenClaims(header, members, expected), "");
      attempt(() => checkAccessTokenClaims({ typ: "at+jwt" }, members, expected), "");
    }),
    { numRuns: 500 },
  );
});
