import { describe, expect, test } from "vitest";
import { idToken } from "../../test/harness.ts";
import { DEFAULT_RUNTIME } from "../default-runtime.ts";
import type { UpstreamTokens } from "../domain/identity-provider.ts";
import type { TokenVerificationResult } from "../domain/token-verifier.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { IdentitySources, IdTokenExpectation, UpstreamDescriptor } from "./descriptor.ts";
import { OAuthUpstream } from "./oauth-upstream.ts";

const NOW = 1_800_000_000;
const HOST = "https://id.example.com";
const ENDPOINTS = {
  authorization: `${HOST}/authorize`,
  token: `${HOST}/token`,
  userinfo: `${HOST}/userinfo`,
  revocation: `${HOST}/revoke`,
  jwks: `${HOST}/keys`,
};
const DOCUMENT = {
  issuer: HOST,
  authorization_endpoint: ENDPOINTS.authorization,
  token_endpoint: ENDPOINTS.token,
  userinfo_endpoint: ENDPOINTS.userinfo,
  revocation_endpoint: ENDPOINTS.revocation,
  jwks_uri: ENDPOINTS.jwks,
  id_token_signing_alg_values_supported: ["RS256", "HS256"],
};
const SIGN_IN = {
  state: "s",
  nonce: "n",
  codeChallenge: "c",
  scope: ["openid", "read"],
  formTarget: "https://client.example",
  expiresAt: 2_000_000_000,
};
const ANSWER = { code: "upstream-code", codeVerifier: "v", nonce: "n", scope: ["openid", "read"] };
const TOKENS: UpstreamTokens = {
  accessToken: "old",
  tokenType: "Bearer",
  scope: ["read"],
  issuedAt: NOW - 10,
  refreshToken: "r1",
  idToken: "old.id.token",
};

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly form: URLSearchParams;
  readonly headers: Headers;
}
type Answers = Record<string, unknown>;

/** What a path answers of which nothing else is told. */
const PLAIN: Answers = { "/token": { access_token: "a" }, "/userinfo": { sub: "alice" } };

/** An upstream that deviates; each path answers as it is told, with a status, a text, a `Response` of a function, or JSON. */
function upstream(change: Partial<UpstreamDescriptor>, answers: Answers = {}, requestTimeoutMs = 10_000) {
  const asked: Asked[] = [];
  const warnings: string[] = [];
  const clock = { now: NOW };
  const descriptor: UpstreamDescriptor = {
    id: "acme",
    name: "Acme",
    clientId: "our-app",
    clientSecret: "s3cret",
    scopes: ["openid", "read"],
    ...(change.discovery === undefined ? { endpoints: ENDPOINTS, issuer: HOST } : {}),
    ...change,
  };
  const provider = new OAuthUpstream(descriptor, {
    redirectUri: "https://mcp.example.com/oauth/callback/acme",
    records: () => expect.unreachable("it keeps nothing"),
    keys: [new Uint8Array(32)],
    requestTimeoutMs,
    warn: (message) => warnings.push(message),
    runtime: {
      ...DEFAULT_RUNTIME,
      now: () => clock.now,
      fetch: async (url, { method = "GET", body, headers }) => {
        const { pathname: path } = new URL(url);
        asked.push({ method, path, form: new URLSearchParams(String(body ?? "")), headers: new Headers(headers) });
        const answer = answers[path] ?? PLAIN[path] ?? {};
        if (typeof answer === "function") return answer();
        if (typeof answer === "number") return new Response("", { status: answer });
        return typeof answer === "string" ? new Response(answer) : Response.json(answer);
      },
    },
  });
  const paths = () => asked.map(({ method, path }) => `${method} ${path}`);
  return { provider, asked, paths, warnings, answers, clock };
}

function signed(claims: object = {}): string {
  return idToken({ iss: HOST, aud: "our-app", sub: "alice", exp: NOW + 60, nonce: "n", ...claims });
}

async function reasonOf(promise: Promise<unknown> | unknown): Promise<string> {
  const error = await Promise.resolve(promise).then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  return error instanceof OAuthProxyError ? error.reason : String(error);
}

describe("the authorization request", () => {
  const begun = async (change: Partial<UpstreamDescriptor>) =>
    Object.fromEntries(new URL(await upstream(change).provider.begin(SIGN_IN)).searchParams);

  test("scopeSeparator: commas, where a vendor wants them", async () => {
    expect((await begun({ scopeSeparator: "," })).scope).toBe("openid,read");
    expect((await begun({})).scope).toBe("openid read");
  });

  test("responseMode: asked for, and not to be replaced", async () => {
    expect(await begun({})).not.toHaveProperty("response_mode");
    expect(
      await begun({ responseMode: "form_post", authorizationParams: { response_mode: "fragment" } }),
    ).toMatchObject({
      response_mode: "form_post",
    });
  });

  test("pkce: false, where an upstream does not bear it: neither challenge nor verifier is sent", async () => {
    expect(await begun({ pkce: false })).not.toHaveProperty("code_challenge");
    const { provider, asked } = upstream({ pkce: false });
    await provider.complete(ANSWER);
    expect(asked[0]?.form.has("code_verifier")).toBe(false);
  });
});

describe("the token request", () => {
  test("tokenParams come along, at a sign-in and at a refresh, and displace nothing", async () => {
    const seen: unknown[] = [];
    const tokenParams: UpstreamDescriptor["tokenParams"] = (request) => {
      seen.push(request);
      return {
        scope: "api",
        grant_type: "password",
        code: "x",
        refresh_token: "x",
        redirect_uri: "x",
        code_verifier: "x",
      };
    };
    const { provider, asked } = upstream({ tokenParams, userinfo: "never" });
    await provider.complete(ANSWER);
    await provider.refresh(TOKENS, "alice");
    expect(Object.fromEntries(asked[0]?.form ?? [])).toMatchObject({
      scope: "api",
      grant_type: "authorization_code",
      code: "upstream-code",
      code_verifier: "v",
      redirect_uri: "https://mcp.example.com/oauth/callback/acme",
    });
    expect(Object.fromEntries(asked[1]?.form ?? [])).toMatchObject({
      grant_type: "refresh_token",
      refresh_token: "r1",
    });
    expect(seen).toEqual([
      { grantType: "authorization_code", scope: ["openid", "read"] },
      { grantType: "refresh_token", scope: ["read"] },
    ]);
  });

  test("a secret that is made anew each time is asked for each time, by the server's clock", async () => {
    const clientSecret = async (now: number) => `secret-of-${now}`;
    const { provider, asked, clock } = upstream({ clientSecret, authMethod: "client_secret_post", userinfo: "never" });
    await provider.complete(ANSWER);
    clock.now += 7;
    await provider.refresh(TOKENS, "alice");
    expect(asked.map(({ form }) => form.get("client_secret"))).toEqual([`secret-of-${NOW}`, `secret-of-${NOW + 7}`]);
  });
});

describe("the token answer", () => {
  test("mapToken: an odd shape is put right before it is read", async () => {
    const mapToken = ({ authed_user, ...others }: Readonly<Record<string, unknown>>) => ({
      ...others,
      ...(authed_user as object),
    });
    const answer = { ok: true, authed_user: { access_token: "user", scope: "a,b", id: "U1" } };
    const identify = ({ tokenAnswer }: IdentitySources) => ({ subject: String(tokenAnswer.id) });
    const { provider } = upstream({ mapToken, identify }, { "/token": answer });
    expect(await provider.complete(ANSWER)).toMatchObject({
      subject: "U1",
      tokens: { accessToken: "user", scope: ["a", "b"] },
    });
  });

  test("mapToken: an error is one before and after it, and what it throws is a malformed answer", async () => {
    const reason = (mapToken: UpstreamDescriptor["mapToken"], answer: object) =>
      reasonOf(upstream({ mapToken }, { "/token": answer }).provider.complete(ANSWER));
    expect(await reason(() => ({ access_token: "x" }), { error: "invalid_grant" })).toBe("upstream_invalid_grant");
    expect(await reason(() => ({ error: "invalid_grant" }), { access_token: "x" })).toBe("upstream_invalid_grant");
    const broken = () => {
      throw new TypeError("undefined is not an object");
    };
    expect(await reason(broken, { access_token: "x" })).toBe("upstream_response_malformed");
  });

  test("endsSession: words by which a refresh is refused for good, and a sign-in is not", async () => {
    const reasons = async (endsSession: readonly string[] | undefined, error: string, status = 400) => {
      const answer = () => Response.json({ error }, { status });
      const { provider } = upstream({ endsSession }, { "/token": answer });
      return [await reasonOf(provider.refresh(TOKENS, "alice")), await reasonOf(provider.complete(ANSWER))];
    };
    const words = ["invalid_request", "unauthorized_client"];
    expect(await reasons(words, "invalid_request")).toEqual(["upstream_invalid_grant", "upstream_refused"]);
    expect(await reasons(words, "unauthorized_client", 403)).toEqual([
      "upstream_invalid_grant",
      "upstream_client_refused",
    ]);
    expect(await reasons(words, "invalid_grant")).toEqual(["upstream_invalid_grant", "upstream_invalid_grant"]);
    expect(await reasons(words, "invalid_scope")).toEqual(["upstream_refused", "upstream_refused"]);
    expect(await reasons(words, "invalid_request", 503)).toEqual(["upstream_unavailable", "upstream_unavailable"]);
    expect(await reasons(undefined, "invalid_request")).toEqual(["upstream_refused", "upstream_refused"]);
  });

  test("endsSession: a word that mapToken brought to light counts as well", async () => {
    const mapToken = ({ ok, reason }: Readonly<Record<string, unknown>>) => (ok === false ? { error: reason } : {});
    const answers = { "/token": { ok: false, reason: "token_expired" } };
    const { provider } = upstream({ mapToken, endsSession: ["token_expired"] }, answers);
    expect(await reasonOf(provider.refresh(TOKENS, "alice"))).toBe("upstream_invalid_grant");
    expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_refused");
  });

  test("scopeAliases: a scope is granted by the name by which it was asked for", async () => {
    const scopeAliases = { "https://www.googleapis.com/auth/userinfo.email": "email" };
    const scope = "openid https://www.googleapis.com/auth/userinfo.email email constructor";
    const { provider } = upstream({ scopeAliases }, { "/token": { access_token: "a", scope } });
    expect((await provider.complete(ANSWER)).tokens?.scope).toEqual(["openid", "email", "constructor"]);
  });
});

describe("UserInfo", () => {
  test("is asked where no ID token came; with `always` in any case, and with `never` in none", async () => {
    const asks = async (userinfo: "fallback" | "always" | "never" | undefined, id_token: string | undefined) => {
      const { provider, paths } = upstream(
        { userinfo },
        { "/token": { access_token: "a", id_token }, "/userinfo": { sub: "alice" } },
      );
      await provider.complete(ANSWER);
      return paths().includes("GET /userinfo");
    };
    expect(await asks(undefined, signed())).toBe(false);
    expect(await asks(undefined, undefined)).toBe(true);
    expect(await asks("always", signed())).toBe(true);
    expect(await asks("never", undefined)).toBe(false);
  });

  test.each([{ sub: "mallory" }, {}, { sub: null }, { id: "alice" }])(
    "OpenID Connect Core §5.3.2: one about somebody else than the ID token is refused: %j",
    async (userinfo) => {
      const answers = { "/token": { access_token: "a", id_token: signed() }, "/userinfo": userinfo };
      expect(await reasonOf(upstream({ userinfo: "always" }, answers).provider.complete(ANSWER))).toBe(
        "upstream_identity",
      );
    },
  );

  test("what the ID token leaves out comes from there, and the ID token wins", async () => {
    const id_token = signed({ name: "Alice", level: 1 });
    const userinfo = { sub: "alice", name: "A", groups: ["staff"], level: 2, more: 3 };
    const { provider } = upstream(
      { userinfo: "always" },
      { "/token": { access_token: "a", id_token }, "/userinfo": userinfo },
    );
    expect(await provider.complete(ANSWER)).toMatchObject({
      subject: "alice",
      name: "Alice",
      groups: ["staff"],
      claims: { level: 1, more: 3 },
    });
  });

  test("userinfoHeaders go along, and never in place of the token", async () => {
    const { provider, asked } = upstream(
      { userinfoHeaders: { "x-api-version": "7", authorization: "Basic x", accept: "application/vnd.acme+json" } },
      { "/userinfo": { sub: "alice" } },
    );
    await provider.complete(ANSWER);
    const headers = asked[1]?.headers;
    expect(headers?.get("x-api-version")).toBe("7");
    expect(headers?.get("accept")).toBe("application/vnd.acme+json");
    expect(headers?.get("authorization")).toBe("Bearer a");
  });
});

describe("who it is", () => {
  test("identify is shown all that was learnt, and its claims win", async () => {
    let shown: IdentitySources | undefined;
    const identify = (sources: IdentitySources) => {
      shown = sources;
      return { subject: "tid|oid", email: "a@x.example", emailVerified: true, tenant: "tid", claims: { level: 9 } };
    };
    const id_token = signed({ oid: "oid", level: 1, email: "unverified@x.example" });
    const access_token = idToken({ scp: "x" });
    const { provider } = upstream(
      { identify, userinfo: "always" },
      { "/token": { access_token, id_token, extra: 1 }, "/userinfo": { sub: "alice", level: 2 } },
    );
    const identity = await provider.complete(ANSWER);
    expect(identity).toMatchObject({ subject: "tid|oid", email: "a@x.example", emailVerified: true, tenant: "tid" });
    expect(identity.claims).toMatchObject({ sub: "alice", oid: "oid", level: 9 });
    expect(shown).toMatchObject({
      idToken: { oid: "oid" },
      userinfo: { level: 2 },
      accessToken: { scp: "x" },
      tokenAnswer: { extra: 1 },
      tokens: { accessToken: access_token },
    });
  });

  test.each<[string, Answers, Partial<UpstreamDescriptor>]>([
    ["UserInfo", { "/userinfo": { ok: false } }, {}],
    ["UserInfo, beside an access token that does", { "/userinfo": {}, "/token": { access_token: signed() } }, {}],
    ["identify", {}, { userinfo: "never", identify: () => ({ subject: undefined }) }],
    [
      "identify, beside an ID token",
      { "/token": { access_token: "a", id_token: signed() } },
      { identify: () => ({ subject: undefined }) },
    ],
  ])("%s that names nobody signs nobody in, not even under a pseudonym", async (_, answers, change) => {
    expect(await reasonOf(upstream(change, answers).provider.complete(ANSWER))).toBe("upstream_identity");
  });

  test("an upstream that tells nobody's name has people without one", async () => {
    const endpoints = { ...ENDPOINTS, userinfo: undefined };
    expect((await upstream({ endpoints }).provider.complete(ANSWER)).subject).toBeUndefined();
    expect((await upstream({ userinfo: "never" }).provider.complete(ANSWER)).subject).toBeUndefined();
  });

  test("identify can warn the operator, who is told which provider it is", async () => {
    const identify = ({ warn }: IdentitySources) => {
      warn("groups are unknown");
      return { subject: "1" };
    };
    const { provider, warnings } = upstream({ identify });
    await provider.complete(ANSWER);
    expect(warnings).toEqual(["acme: groups are unknown"]);
  });

  test("readAccessToken: false leaves the access token alone", async () => {
    const access_token = idToken({ sub: "alice", roles: ["x"] });
    const { provider } = upstream({ readAccessToken: false, userinfo: "never" }, { "/token": { access_token } });
    const identity = await provider.complete(ANSWER);
    expect([identity.subject, identity.accessTokenClaims]).toEqual([undefined, undefined]);
    expect((await provider.refresh(TOKENS, "alice")).accessTokenClaims).toBeUndefined();
  });

  test("getJson of a hook asks with the token, for JSON of whatever shape, and for nothing unsafe", async () => {
    const emails = [{ email: "a@x.example", primary: true, verified: true }];
    const identify = async ({ http }: IdentitySources) => {
      const found = (await http.getJson(`${HOST}/user/emails`, { "x-version": "3" })) as typeof emails;
      return { subject: "1", email: found[0]?.email };
    };
    const { provider, asked } = upstream({ identify, userinfo: "never" }, { "/user/emails": emails });
    expect((await provider.complete(ANSWER)).email).toBe("a@x.example");
    expect(asked[1]?.headers.get("authorization")).toBe("Bearer a");
    expect(asked[1]?.headers.get("x-version")).toBe("3");

    const outcome = (path: string, answer: unknown) => {
      const { provider: other } = upstream(
        { userinfo: "never", identify: async ({ http }) => ({ subject: String(await http.getJson(path)) }) },
        { "/x": answer },
      );
      return reasonOf(other.complete(ANSWER));
    };
    expect(await outcome(`${HOST}/x`, 503)).toBe("upstream_unavailable");
    expect(await outcome(`${HOST}/x`, 429)).toBe("upstream_unavailable");
    expect(await outcome(`${HOST}/x`, 404)).toBe("upstream_identity");
    expect(await outcome(`${HOST}/x`, "<html>")).toBe("upstream_identity");
    expect(await outcome("http://id.example.com/x", {})).toContain("ConfigurationError");
  });
});

describe("the signature of an ID token", () => {
  function verified(change: Partial<UpstreamDescriptor> = {}, answers: Answers = {}) {
    const made: IdTokenExpectation[] = [];
    const seen: string[] = [];
    const verifier = { answer: (): TokenVerificationResult | Promise<TokenVerificationResult> => ({ valid: true }) };
    const idTokenVerifier = (expected: IdTokenExpectation) => {
      made.push(expected);
      return {
        verify: async (token: string) => {
          seen.push(token);
          return verifier.answer();
        },
      };
    };
    const token = signed();
    const set = { access_token: "a", refresh_token: "r", id_token: token };
    return { made, seen, verifier, token, ...upstream({ idTokenVerifier, ...change }, { "/token": set, ...answers }) };
  }

  test("is checked by the description's verifier, made for the keys and algorithms that are known", async () => {
    const { provider, made, seen, token } = verified();
    expect((await provider.complete(ANSWER)).subject).toBe("alice");
    expect(seen).toEqual([token]);
    expect(made).toMatchObject([
      { issuer: HOST, clientId: "our-app", jwksUri: ENDPOINTS.jwks, algorithms: ["RS256"], requestTimeoutMs: 10_000 },
    ]);
    await provider.complete(ANSWER);
    expect(made).toHaveLength(1);
  });

  test("is pinned to what discovery says, less what needs a secret, and the verifier outlives a document that says the same", async () => {
    const answers: Answers = { "/.well-known/openid-configuration": DOCUMENT };
    const { provider, made, clock, answers: current } = verified({ discovery: { issuer: HOST } }, answers);
    await provider.complete(ANSWER);
    clock.now += 3600;
    current["/token"] = { access_token: "a", id_token: signed({ exp: clock.now + 60 }) };
    await provider.complete(ANSWER);
    expect(made.map(({ algorithms }) => algorithms)).toEqual([["RS256"]]);
    clock.now += 3600;
    current["/token"] = { access_token: "a", id_token: signed({ exp: clock.now + 60 }) };
    current["/.well-known/openid-configuration"] = { ...DOCUMENT, jwks_uri: `${HOST}/keys2` };
    await provider.complete(ANSWER);
    expect(made.map(({ jwksUri }) => jwksUri)).toEqual([ENDPOINTS.jwks, `${HOST}/keys2`]);
  });

  test("refused is refused, and keys that can't be had are no refusal", async () => {
    const { provider, verifier } = verified();
    verifier.answer = () => ({ valid: false, error: "token_signature" });
    expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_identity");
    verifier.answer = () => ({ valid: false, error: "keys_unavailable", temporary: true });
    expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_unavailable");
  });

  test("a token that is wrong without its signature costs no verification", async () => {
    const { provider, seen, answers } = verified();
    answers["/token"] = { access_token: "a", id_token: signed({ aud: "other" }) };
    expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_identity");
    expect(seen).toEqual([]);
  });

  test.each([
    ["names no keys", { jwks_uri: undefined }],
    ["signs with secrets only", { id_token_signing_alg_values_supported: ["HS256", "none"] }],
  ])("of a server that %s can't be verified, and is not believed", async (_, change) => {
    const document = { ...DOCUMENT, ...change };
    const { provider, seen } = verified(
      { discovery: { issuer: HOST } },
      { "/.well-known/openid-configuration": document },
    );
    expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_metadata");
    expect(seen).toEqual([]);
  });

  test("issuer: a check of the description's own, with the claims for a token and without for a callback", async () => {
    const seen: unknown[] = [];
    const issuer = (iss: string, claims: unknown) => {
      seen.push([iss, claims === undefined]);
      return iss === `${HOST}/t1`;
    };
    const { provider, answers } = verified({ issuer });
    answers["/token"] = { access_token: "a", id_token: signed({ iss: `${HOST}/t1` }) };
    expect((await provider.complete(ANSWER)).subject).toBe("alice");
    answers["/token"] = { access_token: "a", id_token: signed({ iss: `${HOST}/t2` }) };
    expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_identity");
    answers["/token"] = { access_token: "a", id_token: signed({ iss: undefined }) };
    expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_identity");
    expect(() => provider.checkIssuer(`${HOST}/t2`)).toThrow(OAuthProxyError);
    expect(() => provider.checkIssuer(`${HOST}/t1`)).not.toThrow();
    expect(seen).toEqual([
      [`${HOST}/t1`, false],
      [`${HOST}/t2`, false],
      [`${HOST}/t2`, true],
      [`${HOST}/t1`, true],
    ]);
  });
});

describe("discovery", () => {
  const WELL_KNOWN = "/.well-known/openid-configuration";
  const discovered = (change: Partial<UpstreamDescriptor> = {}, document: object = DOCUMENT) =>
    upstream({ discovery: { issuer: HOST }, ...change }, { [WELL_KNOWN]: document });

  test("says where to, by whom and how; what is described wins", async () => {
    const { provider, asked, answers } = discovered(
      { endpoints: { userinfo: `${HOST}/me` } },
      {
        ...DOCUMENT,
        token_endpoint_auth_methods_supported: ["client_secret_post"],
      },
    );
    expect(provider.origin).toBeUndefined();
    expect(new URL(await provider.begin(SIGN_IN)).pathname).toBe("/authorize");
    expect(provider.origin).toBe(HOST);
    answers["/me"] = { sub: "alice" };
    expect((await provider.complete(ANSWER)).subject).toBe("alice");
    await provider.revoke(TOKENS);
    expect(asked.map(({ path }) => path)).toEqual([WELL_KNOWN, "/token", "/me", "/revoke", "/revoke"]);
    expect(asked[1]?.form.get("client_secret")).toBe("s3cret");
    expect(asked[3]?.form.get("client_secret")).toBe("s3cret");
  });

  test("RFC 9207 §2.4: iss of a callback is the discovered issuer's, and has to be there where that announces it", async () => {
    const { provider } = discovered();
    expect(await reasonOf(provider.checkIssuer("https://evil.example"))).toBe("upstream_issuer");
    expect(await reasonOf(provider.checkIssuer(HOST))).toBe("no error");
    expect(await reasonOf(provider.checkIssuer(undefined))).toBe("no error");
    const announced = discovered({}, { ...DOCUMENT, authorization_response_iss_parameter_supported: true }).provider;
    expect(await reasonOf(announced.checkIssuer(undefined))).toBe("upstream_issuer");
    expect(await reasonOf(announced.checkIssuer(HOST))).toBe("no error");
  });

  test("an ID token has to be of the discovered issuer", async () => {
    const { provider, answers } = discovered();
    answers["/token"] = { access_token: "a", id_token: signed({ iss: "https://evil.example" }) };
    expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_identity");
  });

  test("nobody is sent anywhere while it can't be had", async () => {
    const { provider, answers, clock } = discovered();
    answers[WELL_KNOWN] = 503;
    for (const work of [
      () => provider.begin(SIGN_IN),
      () => provider.checkIssuer(HOST),
      () => provider.complete(ANSWER),
      () => provider.refresh(TOKENS, "alice"),
      () => provider.revoke(TOKENS),
    ])
      expect(await reasonOf(work())).toBe("upstream_unavailable");
    answers[WELL_KNOWN] = DOCUMENT;
    clock.now += 5;
    expect(new URL(await provider.begin(SIGN_IN)).pathname).toBe("/authorize");
  });
});

describe("a refresh", () => {
  test("with a new ID token says anew who it is, from the same sources", async () => {
    const id_token = signed({ nonce: undefined, groups: ["new"] });
    const answers = { "/token": { access_token: "b", id_token }, "/userinfo": { sub: "alice", level: 3 } };
    const identity = await upstream({ userinfo: "always" }, answers).provider.refresh(TOKENS, "alice");
    expect(identity).toMatchObject({
      subject: "alice",
      groups: ["new"],
      claims: { level: 3 },
      tokens: { idToken: id_token },
    });
    expect(identity.partial).toBeUndefined();
  });

  test("OpenID Connect Core §12.2: of another person is refused, by the name that the description gives", async () => {
    const identify = ({ idToken }: IdentitySources) => ({ subject: `t|${String(idToken?.oid)}` });
    const answers = { "/token": { access_token: "b", id_token: signed({ nonce: undefined, oid: "2" }) } };
    const { provider } = upstream({ identify }, answers);
    expect(await reasonOf(provider.refresh(TOKENS, "t|1"))).toBe("upstream_identity");
    expect((await provider.refresh(TOKENS, "t|2")).subject).toBe("t|2");
  });

  test.each<[string, string, unknown]>([
    ["while UserInfo does not answer", "mallory", 503],
    ["while UserInfo can't be used", "mallory", 401],
    ["though UserInfo is of the same person", "mallory", { sub: "alice" }],
    ["in UserInfo", "alice", { sub: "mallory" }],
  ])("OpenID Connect Core §12.2: another person ends it, %s", async (_, sub, userinfo) => {
    const set = { access_token: "b", id_token: signed({ nonce: undefined, sub }) };
    const { provider } = upstream({ userinfo: "always" }, { "/token": set, "/userinfo": userinfo });
    expect(await reasonOf(provider.refresh({ ...TOKENS, idToken: signed() }, "alice"))).toBe("upstream_identity");
  });

  test.each<[string, Answers, Partial<UpstreamDescriptor>]>([
    ["UserInfo does not answer", { "/userinfo": 503 }, { userinfo: "always" }],
    ["UserInfo refuses the token", { "/userinfo": 401 }, { userinfo: "always" }],
    ["UserInfo is forbidden", { "/userinfo": 403 }, { userinfo: "always" }],
    ["UserInfo has gone", { "/userinfo": 404 }, { userinfo: "always" }],
    ["UserInfo is a page", { "/userinfo": "<html>" }, { userinfo: "always" }],
    ["UserInfo is a list", { "/userinfo": [] }, { userinfo: "always" }],
    ["UserInfo names nobody", { "/userinfo": { ok: false } }, { userinfo: "always" }],
    [
      "a hook is forbidden to ask",
      { "/x": 403 },
      { identify: async ({ http }) => ({ subject: String(await http.getJson(`${HOST}/x`)) }) },
    ],
    ["a hook names nobody", {}, { identify: () => ({ subject: undefined }) }],
    [
      "the keys can't be had",
      {},
      { idTokenVerifier: () => ({ verify: async () => ({ valid: false, temporary: true }) }) },
    ],
    ["a hook is broken", {}, { identify: () => Promise.reject(new TypeError("x")) }],
  ])("keeps the new tokens while %s, and believes no new ID token", async (_, answers, change) => {
    const set = { access_token: "b", refresh_token: "r2", id_token: signed({ nonce: undefined }) };
    const { provider, warnings } = upstream(change, { "/token": set, ...answers });
    expect(await provider.refresh(TOKENS, "alice")).toMatchObject({
      subject: "alice",
      claims: {},
      partial: true,
      tokens: { accessToken: "b", refreshToken: "r2", idToken: "old.id.token" },
    });
    expect(warnings).toHaveLength(1);
  });

  test("takes no longer than one request may, whatever belongs to it", async () => {
    const never = () => new Promise<never>(() => undefined);
    const set = { access_token: "b", refresh_token: "r2", id_token: signed({ nonce: undefined }) };
    for (const [change, answers] of [
      [{ userinfo: "always" }, { "/userinfo": never }],
      [{ idTokenVerifier: () => ({ verify: never }) }, {}],
      [{ identify: never }, {}],
    ] as const) {
      const { provider } = upstream(change, { "/token": set, ...answers }, 30);
      expect(await provider.refresh(TOKENS, "alice")).toMatchObject({ partial: true, tokens: { refreshToken: "r2" } });
    }
    const { provider } = upstream({ discovery: { issuer: HOST } }, { "/.well-known/openid-configuration": never }, 30);
    expect(await reasonOf(provider.refresh(TOKENS, "alice"))).toBe("upstream_unavailable");
  });
});

describe("ending tokens", () => {
  test("revokes: one, where it stands for both: the refresh token, or else the access token", async () => {
    const { provider, asked } = upstream({ revokes: "one" });
    await provider.revoke(TOKENS);
    await provider.revoke({ ...TOKENS, refreshToken: undefined });
    expect(asked.map(({ form }) => form.get("token"))).toEqual(["r1", "old"]);
  });

  test("revoke: a way of the vendor's own", async () => {
    const { provider, asked } = upstream({
      revoke: async ({ accessToken }, http) => {
        await http.send(`${HOST}/grant`, { method: "DELETE", body: accessToken, headers: { "x-a": "1" } });
      },
    });
    await provider.revoke(TOKENS);
    expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual(["DELETE /grant"]);
    expect(asked[0]?.headers.get("authorization")).toBeNull();
    expect(asked[0]?.headers.get("x-a")).toBe("1");
  });
});
