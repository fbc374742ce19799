/** Any OpenID Connect provider: what is checked, what comes in the wild, and what becomes of a failure. */
import type { Members, UpstreamBehaviour, UpstreamOptions, UpstreamReply } from "@sallyport/contracts/upstream";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CLIENT_SECRET, type Outcome, open, type World } from "../test/world.ts";
import { OIDCProvider, type OIDCProviderConfig } from "./oidc.ts";

const ISSUER = "https://id.example.com";

const openOidc = (upstream: UpstreamOptions = {}, config: Partial<OIDCProviderConfig> = {}) =>
  open({ issuer: ISSUER, ...upstream }, (common) => new OIDCProvider({ ...common, issuer: ISSUER, ...config }));

const SEED = Number(process.env["FUZZ_SEED"] ?? Date.now() % 1_000_000);

describe("a sign-in", () => {
  test("endpoints by discovery, the ID token and UserInfo make a person of the same words everywhere", async () => {
    const world = await openOidc({
      person: {
        sub: "alice",
        name: "Alice",
        email: "a@example.com",
        email_verified: true,
        groups: ["staff"],
        roles: "admin",
      },
    });

    expect((await world.signIn()).claims).toMatchObject({
      sub: "oidc|alice",
      name: "Alice",
      email: "a@example.com",
      email_verified: true,
      groups: ["staff"],
      roles: ["admin"],
    });
  });

  test("OpenID Connect Core §5.4: an ID token with the subject alone is enough, for UserInfo says the rest", async () => {
    const world = await openOidc({
      idToken: (token) => ({
        ...token,
        claims: { ...token.claims, email: undefined, email_verified: undefined, name: undefined },
      }),
    });

    expect((await world.signIn()).claims).toMatchObject({
      email: "alice@example.com",
      email_verified: true,
      name: "Alice Example",
    });
  });

  test("an address counts as verified only by whoever names it", async () => {
    const world = await openOidc({
      idToken: (token) => ({
        ...token,
        claims: { ...token.claims, email: "boss@example.com", email_verified: undefined },
      }),
      userinfo: (answer) => ({ json: { ...answer, email: "mallory@example.com", email_verified: true } }),
    });

    const { claims } = await world.signIn();

    expect(claims).toMatchObject({ email: "boss@example.com" });
    expect(claims).not.toMatchObject({ email_verified: true });
  });

  test("OpenID Connect Core §5.3.2: UserInfo of somebody else signs nobody in", async () => {
    const world = await openOidc({ userinfo: (answer) => ({ json: { ...answer, sub: "bob" } }) });

    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  });

  test("the secret goes as the provider wants it, by discovery", async () => {
    const basic = await openOidc({ authMethod: "client_secret_basic" });
    const posted = await openOidc({ authMethod: "client_secret_post" });

    await basic.signIn();
    await posted.signIn();

    expect(basic.upstream.requestsTo("token")[0]?.headers.get("authorization")).toMatch(/^Basic /);
    expect(posted.upstream.requestsTo("token")[0]?.form.get("client_secret")).toBe(CLIENT_SECRET);
  });

  test.each(["RS256", "ES256", "EdDSA"] as const)(
    "ID tokens may be signed with %s, where discovery says so",
    async (algorithm) => {
      expect((await (await openOidc({ algorithm })).signIn()).claims).toMatchObject({ sub: "oidc|alice" });
    },
  );

  test.each(["none", "HS256"])(
    "an ID token with the algorithm %s is refused, although discovery names it",
    async (alg) => {
      const world = await openOidc({
        discovery: (document) => ({ json: { ...document, id_token_signing_alg_values_supported: ["RS256", alg] } }),
        idToken: (token) => ({ ...token, header: { ...token.header, alg } }),
      });

      expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
    },
  );

  test("a provider that signs with nothing but our secret is refused, and the operator is told", async () => {
    const world = await openOidc({
      discovery: (document) => ({ json: { ...document, id_token_signing_alg_values_supported: ["HS256"] } }),
      idToken: (token) => ({ ...token, header: { ...token.header, alg: "HS256" } }),
    });

    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_metadata" });
  });

  test("a refresh whose ID token is somebody else's ends the grant's session upstream", async () => {
    const world = await openOidc();
    await world.signIn();
    world.upstream.behave({ idToken: (token) => ({ ...token, claims: { ...token.claims, sub: "bob" } }) });
    world.pass(3590);

    expect(await world.refresh()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  });

  test("access and refresh token end with the grant", async () => {
    const world = await openOidc();
    await world.signIn();

    await world.revoke();

    const tokens = world.upstream.requestsTo("revocation").map(({ form }) => form.get("token") ?? "");
    expect(tokens.map((token) => token.split("-", 2).join("-")).sort()).toEqual([
      "upstream-access",
      "upstream-refresh",
    ]);
    expect(tokens.some((token) => world.upstream.isLiving(token))).toBe(false);
  });

  test("nothing of the upstream's secrets reaches client, person or events", async () => {
    const world = await openOidc();
    const signedIn = await world.signIn();
    world.pass(3590);
    const refreshed = await world.refresh();

    const seen = signedIn.shown + refreshed.shown + JSON.stringify(world.events);
    expect([...world.upstream.secrets].filter((secret) => seen.includes(secret))).toEqual([]);
    expect(world.upstream.secrets.size).toBeGreaterThan(4);
  });

  test("openid is always asked for, and nothing that the operator did not configure", async () => {
    const world = await openOidc({}, { scopes: ["email", "calendar"] });

    expect((await world.begin({ scope: "calendar admin" })).url.searchParams.get("scope")).toBe(
      "openid email calendar",
    );
    expect((await world.begin({ scope: "admin" })).url.searchParams.get("scope")).toBe("openid email calendar");
  });
});

describe("discovery", () => {
  const discoveries = (world: World) => world.upstream.requestsTo("discovery").length;

  test("one document serves everybody for an hour", async () => {
    const world = await openOidc();
    expect(discoveries(world)).toBe(0);
    for (let turn = 0; turn < 3; turn += 1) await world.signIn();
    expect(discoveries(world)).toBe(1);

    world.pass(3601);
    await world.signIn();
    expect(discoveries(world)).toBe(2);
  });

  test("while the document can't be had anew, the old one serves", async () => {
    const world = await openOidc();
    await world.signIn();
    world.upstream.behave({ discovery: () => ({ status: 503 }) });
    world.pass(3601);

    expect((await world.signIn()).claims).toMatchObject({ sub: "oidc|alice" });
  });

  test("an issuer with a path and a slash at its end is found, and compared with the slash", async () => {
    const issuer = "https://id.example.com/realms/one/";
    const world = await openOidc({ issuer }, { issuer });

    expect((await world.signIn()).claims).toMatchObject({ sub: "oidc|alice" });
    expect(
      world.upstream.requestsTo("https://id.example.com/realms/one/.well-known/openid-configuration"),
    ).toHaveLength(1);
  });

  test("a document elsewhere is found by discoveryUrl", async () => {
    const discovery = "https://elsewhere.example.com/metadata";
    const world = await openOidc({ endpoints: { discovery } }, { discoveryUrl: discovery });

    expect((await world.signIn()).claims).toMatchObject({ sub: "oidc|alice" });
  });

  test.each<[string, (document: Members) => UpstreamReply]>([
    ["another issuer", (document) => ({ json: { ...document, issuer: "https://evil.example.com" } })],
    ["an issuer with a slash more", (document) => ({ json: { ...document, issuer: `${ISSUER}/` } })],
    ["no token endpoint", (document) => ({ json: { ...document, token_endpoint: undefined } })],
    [
      "a token endpoint without TLS",
      (document) => ({ json: { ...document, token_endpoint: "http://id.example.com/token" } }),
    ],
    [
      "a token endpoint on this machine",
      (document) => ({ json: { ...document, token_endpoint: "http://127.0.0.1:9/token" } }),
    ],
    [
      "a token endpoint that is no address",
      (document) => ({ json: { ...document, token_endpoint: ["https://id.example.com/token"] } }),
    ],
    [
      "credentials in an address",
      (document) => ({ json: { ...document, token_endpoint: "https://a:b@id.example.com/token" } }),
    ],
    ["no keys", (document) => ({ json: { ...document, jwks_uri: undefined } })],
    ["HTML", () => ({ text: "<!doctype html><p>raw text" })],
    ["a list", () => ({ json: [] })],
    ["nothing", () => ({ text: "" })],
    ["a redirect", () => ({ status: 302, headers: { location: "https://evil.example.com/" } })],
    ["404", () => ({ status: 404, text: "raw text" })],
    ["10 MB", () => ({ text: `{"issuer":"${"x".repeat(10_000_000)}"}` })],
    ["deep nesting", () => ({ text: "[".repeat(100_000) })],
  ])("a document with %s signs nobody in, and the client is told without a word of it", async (_, discovery) => {
    const outcome = await (await openOidc({ discovery })).signIn();

    expect(outcome.tokens).toBeUndefined();
    expect(outcome.reason).toMatch(/^upstream_(?:metadata|unavailable|response_malformed)$/);
    expect(outcome.shown).not.toContain("raw text");
  });

  test("a document that can't be had is asked for again after five seconds, and no sooner", async () => {
    const world = await openOidc({ discovery: () => ({ status: 503 }) });
    for (let turn = 0; turn < 3; turn += 1) expect((await world.signIn()).status).toBe(503);
    expect(discoveries(world)).toBe(1);

    world.upstream.behave({ discovery: (document) => ({ json: document }) });
    world.pass(6);
    expect((await world.signIn()).tokens).toBeDefined();
  });
});

describe("token answers in the wild", () => {
  test.each<[string, UpstreamBehaviour["token"], number | undefined]>([
    ["expires_in as text", (answer) => ({ json: { ...answer, expires_in: "1800" } }), 1800],
    ["expires_in null", (answer) => ({ json: { ...answer, expires_in: null } }), undefined],
    ["expires_in 0", (answer) => ({ json: { ...answer, expires_in: 0 } }), undefined],
    ["expires_in absent", (answer) => ({ json: { ...answer, expires_in: undefined } }), undefined],
    ["refresh_token null", (answer) => ({ json: { ...answer, refresh_token: null } }), 3600],
    ["token_type absent", (answer) => ({ json: { ...answer, token_type: undefined } }), 3600],
    ["token_type in lower case", (answer) => ({ json: { ...answer, token_type: "bearer" } }), 3600],
    ["refresh_expires_in", (answer) => ({ json: { ...answer, refresh_expires_in: 1800 } }), 3600],
    ["refresh_token_expires_in", (answer) => ({ json: { ...answer, refresh_token_expires_in: "1800" } }), 3600],
    [
      "a form",
      (answer) => ({ form: Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, String(value)])) }),
      3600,
    ],
    ["JSON that is called HTML", (answer) => ({ text: JSON.stringify(answer) }), 3600],
  ])("%s signs in, and our refresh token works", async (_, token, expiresIn) => {
    const world = await openOidc(token === undefined ? {} : { token });

    expect((await world.signIn()).claims).toMatchObject({ sub: "oidc|alice" });
    expect(await world.upstreamTokens()).toMatchObject({
      tokenType: "Bearer",
      ...(expiresIn === undefined ? {} : { expiresIn }),
    });
    world.pass(60);
    expect((await world.refresh()).tokens).toBeDefined();
  });

  test.each<[unknown, string]>([
    [undefined, "openid profile email"],
    ["openid,email", "openid email"],
    [["openid", "profile"], "openid profile"],
    ["openid", "openid"],
    ["openid admin", "openid"],
  ])("scope %j means %j, and never more than was asked for", async (scope, granted) => {
    const world = await openOidc({ token: (answer) => ({ json: { ...answer, scope } }) });

    expect((await world.signIn()).tokens?.scope).toBe(granted);
  });

  test.each<[string, UpstreamReply, string]>([
    ["an error with status 200", { json: { error: "invalid_scope", error_description: "raw text" } }, "server_error"],
    ["HTML with 502", { status: 502, text: "<html>raw text</html>" }, "temporarily_unavailable"],
    ["HTML with 200", { text: "<html>raw text</html>" }, "server_error"],
    ["an empty body", { text: "" }, "server_error"],
    ["no access token", { json: { token_type: "Bearer", raw: "raw text" } }, "server_error"],
    ["a list", { json: ["raw text"] }, "server_error"],
    ["a redirect", { status: 307, headers: { location: "https://evil.example.com/" } }, "server_error"],
    ["a token with a line break", { json: { access_token: "raw text\n" } }, "server_error"],
    ["2 MB", { text: "raw text".repeat(250_000) }, "server_error"],
  ])("%s signs nobody in, and no text of it is shown", async (_, reply, error) => {
    const outcome = await (await openOidc({ token: () => reply })).signIn();

    expect(outcome).toMatchObject({ tokens: undefined, error });
    expect(outcome.shown).not.toContain("raw text");
  });
});

describe("failures, as our client sees them", () => {
  const refreshing = async (behaviour: UpstreamBehaviour): Promise<World> => {
    const world = await openOidc({}, { upstreamRequestTimeoutMs: 1000 });
    await world.signIn();
    world.upstream.behave(behaviour);
    world.pass(3590);
    return world;
  };

  test("invalid_grant upstream ends the grant", async () => {
    const world = await refreshing({ token: () => ({ status: 400, json: { error: "invalid_grant" } }) });

    expect(await world.refresh()).toMatchObject({ tokens: undefined, error: "invalid_grant" });
    world.upstream.behave({ token: (answer) => ({ json: answer }) });
    expect(await world.refresh()).toMatchObject({ error: "invalid_grant" });
  });

  test.each<[string, UpstreamReply]>([
    ["a cut connection", "cut"],
    ["no answer in time", "hang"],
    ["503", { status: 503, text: "down" }],
    ["429", { status: 429, json: { error: "slow_down" } }],
  ])("%s is temporarily_unavailable, and nothing is lost", async (_, reply) => {
    const world = await refreshing({ token: () => reply });

    expect(await world.refresh()).toMatchObject({ tokens: undefined, error: "temporarily_unavailable" });

    world.upstream.behave({ token: (answer) => ({ json: answer }) });
    world.pass(60);
    expect((await world.refresh()).tokens).toBeDefined();
    expect(world.upstream.isLiving((await world.upstreamTokens())?.accessToken ?? "")).toBe(true);
  });

  test("our credentials refused is server_error, and the operator hears of it", async () => {
    const world = await refreshing({ token: () => ({ status: 401, json: { error: "invalid_client" } }) });

    expect(await world.refresh()).toMatchObject({
      tokens: undefined,
      error: "server_error",
      reason: "upstream_client_refused",
    });
  });

  test("the person cancelled: back to the client with access_denied", async () => {
    const world = await openOidc({
      authorization: ({ state = "" }) => ({ state, error: "access_denied", error_description: "raw text" }),
    });

    const outcome = await world.signIn();

    expect(outcome).toMatchObject({ tokens: undefined, error: "access_denied" });
    expect(outcome.shown).not.toContain("raw");
  });

  test.each<[UpstreamReply, string]>([
    [{ status: 503 }, "temporarily_unavailable"],
    [{ status: 403, json: { error: "insufficient_scope" } }, "server_error"],
    [{ text: "<html>raw text" }, "server_error"],
    ["cut", "temporarily_unavailable"],
  ])("UserInfo that answers %j signs nobody in, with %s", async (reply, error) => {
    const outcome = await (await openOidc({ userinfo: () => reply })).signIn();

    expect(outcome.tokens).toBeUndefined();
    expect(outcome.shown).not.toContain("raw text");
    expect([error, "access_denied"]).toContain(outcome.error);
  });
});

describe(`fuzzed documents (FUZZ_SEED=${SEED})`, () => {
  /** What a sign-in may come to; anything else is an unhandled failure. */
  const isDefined = ({ tokens, status, error, shown }: Outcome) => {
    const isRefused = [500, 503].includes(status) || ["server_error", "temporarily_unavailable"].includes(error ?? "");
    return (tokens !== undefined || isRefused) && !shown.includes("raw-text");
  };
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(undefined, null, 0, "", [], {}, "raw-text", "__proto__"),
  );

  test("a discovery document with any members ends in tokens or in a refusal that is one of ours", async () => {
    const world = await openOidc();
    const names = [
      "issuer",
      "authorization_endpoint",
      "token_endpoint",
      "userinfo_endpoint",
      "jwks_uri",
      "revocation_endpoint",
    ];
    const others = [
      "id_token_signing_alg_values_supported",
      "token_endpoint_auth_methods_supported",
      "authorization_response_iss_parameter_supported",
    ];
    const changes = fc.dictionary(fc.oneof(fc.constantFrom(...names, ...others), fc.string()), odd, {
      minKeys: 1,
      maxKeys: 4,
    });

    await fc.assert(
      fc.asyncProperty(changes, async (changed) => {
        world.upstream.behave({ discovery: (document) => ({ json: { ...document, ...changed } }) });
        world.pass(100_000);
        expect(await world.signIn()).toSatisfy(isDefined);
      }),
      { seed: SEED, numRuns: 60 },
    );
    expect(world.events.filter(({ type }) => type === "error")).toEqual([]);
  });

  test("UserInfo and ID tokens with any claims end in tokens or in a refusal that is one of ours", async () => {
    const world = await openOidc();
    const names = [
      "sub",
      "email",
      "email_verified",
      "name",
      "picture",
      "groups",
      "roles",
      "aud",
      "azp",
      "iss",
      "nonce",
      "exp",
      "iat",
    ];
    const changes = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), odd, { minKeys: 1, maxKeys: 4 });

    await fc.assert(
      fc.asyncProperty(changes, changes, fc.boolean(), async (said, claimed, both) => {
        world.upstream.behave({
          userinfo: (answer) => ({ json: { ...answer, ...said } }),
          idToken: (token) => ({ ...token, claims: { ...token.claims, ...(both ? claimed : {}) } }),
        });
        world.pass(60);
        const outcome = await world.signIn();
        expect(outcome.tokens === undefined || outcome.claims["sub"] === "oidc|alice" || both).toBe(true);
        expect(outcome.tokens !== undefined || isDefined(outcome)).toBe(true);
      }),
      { seed: SEED, numRuns: 60 },
    );
    expect(world.events.filter(({ type }) => type === "error")).toEqual([]);
  });

  test("whatever text the token endpoint, the keys or the document are, the sign-in ends", async () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.constant("{"), fc.constant('{"keys":[{}]}'));

    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("token", "jwks", "discovery", "userinfo"),
        text,
        fc.integer({ min: 200, max: 599 }),
        async (endpoint, body, status) => {
          const world = await openOidc({
            [endpoint]: (): UpstreamReply => ({ status: status === 204 || status === 304 ? 200 : status, text: body }),
          });
          expect(await world.signIn()).toSatisfy(isDefined);
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });
});
