/** Microsoft Entra ID, against a stand-in that behaves as Entra does. */
import type { UpstreamOptions, UpstreamReply } from "@sallyport/contracts/upstream";
import { requireRole } from "@sallyport/oauth-core";
import { describe, expect, test } from "vitest";
import { open } from "../test/world.ts";
import { AzureProvider, EntraProvider, type EntraProviderConfig } from "./entra.ts";

const TENANT = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const OTHER_TENANT = "bbbbcccc-1111-dddd-2222-eeee3333ffff";
const CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad";
const OID = "00aa00aa-bb11-cc22-dd33-44ee44ee44ee";
const API = "api://our-app/access_as_user";

const OPENID = ["openid", "profile", "email", "offline_access"];
const apiOf = (word: string) =>
  word.includes("://") ? word.slice(0, word.lastIndexOf("/")) : "https://graph.microsoft.com";

interface Shape {
  readonly tenant?: string;
  readonly authority?: string;
  /** The directory of whoever signs in. */
  readonly home?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** Entra refuses `resource`, wants a scope for every token, of one API only, and answers with what the token is for. */
function entraLike({
  tenant = "common",
  authority = "https://login.microsoftonline.com",
  home = TENANT,
  claims = {},
}: Shape): UpstreamOptions {
  return {
    issuer: `${authority}/${home}/v2.0`,
    endpoints: {
      authorization: `${authority}/${tenant}/oauth2/v2.0/authorize`,
      token: `${authority}/${tenant}/oauth2/v2.0/token`,
      jwks: `${authority}/${tenant}/discovery/v2.0/keys`,
      userinfo: "https://graph.microsoft.com/oidc/userinfo",
      // What a shared tenant publishes: a template for an issuer, and not a word of S256.
      discovery: `${authority}/${tenant}/v2.0/.well-known/openid-configuration`,
      revocation: false,
    },
    discovery: ({ code_challenge_methods_supported: _, ...document }) => ({
      json: { ...document, issuer: `${authority}/{tenantid}/v2.0` },
    }),
    authMethod: "client_secret_post",
    person: { sub: "pairwise", oid: OID, tid: home, name: "Alice", preferred_username: "alice@example.com", ...claims },
    givesRefreshToken: ({ scope }) => scope.includes("offline_access"),
    token: (answer, { form, session }): UpstreamReply => {
      const refused = (code: string): UpstreamReply => ({
        status: 400,
        json: { error: "invalid_request", error_description: `AADSTS${code}: raw text` },
      });
      if (form.has("resource") || session?.authorization.has("resource")) return refused("901002");
      const scope = (form.get("scope") ?? "").split(" ").filter((word) => word !== "");
      const words = scope.filter((word) => !OPENID.includes(word));
      if (scope.length === 0) return refused("28003");
      if (new Set(words.map(apiOf)).size > 1) return refused("28000");
      const isGraph = words.every((word) => apiOf(word) === "https://graph.microsoft.com");
      const granted = isGraph
        ? [...words, ...scope.filter((word) => OPENID.includes(word) && word !== "offline_access")]
        : words;
      const { refresh_token: refreshToken, ...others } = answer;
      const keeps = scope.includes("offline_access") ? { refresh_token: refreshToken } : {};
      return { json: { ...others, ...keeps, scope: granted.join(" "), ext_expires_in: 3600 } };
    },
  };
}

const openEntra = (config: Partial<EntraProviderConfig> = {}, shape: Shape = {}, upstream: UpstreamOptions = {}) =>
  open({ ...entraLike(shape), ...upstream }, (common) => new EntraProvider({ ...common, ...config }));

const signedIn = async (claims: Readonly<Record<string, unknown>>, config: Partial<EntraProviderConfig> = {}) =>
  (await openEntra(config, { claims })).signIn();

describe("who it is", () => {
  test("the subject is `oid` with `tid`, and not `sub`", async () => {
    expect((await signedIn({})).claims).toMatchObject({ sub: `entra|${OID}.${TENANT}`, name: "Alice" });
  });

  test.each([{ oid: undefined }, { oid: "alice" }, { oid: ["a"] }])(
    "an ID token with %j signs nobody in",
    async (claims) => {
      expect(await signedIn(claims)).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
    },
  );

  test.each([
    [{ email: "boss@example.com" }, false],
    // "nOAuth": the administrator of a directory writes what they like, and this is no claim of Entra's.
    [{ email: "boss@example.com", email_verified: true }, false],
    [{ email: "boss@example.com", xms_edov: false }, false],
    [{ email: "boss@example.com", xms_edov: "0" }, false],
    [{ email: "boss@example.com", xms_edov: true }, true],
    [{ email: "boss@example.com", xms_edov: "1" }, true],
    [{ email: "other@example.com", verified_primary_email: ["boss@example.com"] }, true],
    [{ email: "boss@example.com", verified_primary_email: [] }, false],
  ])("the address of %j is verified: %s", async (claims, verified) => {
    expect((await signedIn(claims)).claims).toMatchObject({ email: "boss@example.com", email_verified: verified });
  });

  test("an address that nobody verified opens no door", async () => {
    const allow = { emailDomains: ["example.com"] };

    expect((await signedIn({ email: "boss@example.com", email_verified: true }, { allow })).tokens).toBeUndefined();
    expect((await signedIn({ email: "boss@example.com", xms_edov: true }, { allow })).tokens).toBeDefined();
  });

  test("a user name that looks like an address is none", async () => {
    expect((await signedIn({})).claims).not.toHaveProperty("email");
  });

  test("app roles are roles, and requireRole knows them", async () => {
    const world = await openEntra(
      {},
      { claims: { roles: ["admin"], groups: ["0760b6cf-170e-4a14-91b3-4b78e0739963"] } },
    );
    const { tokens, claims } = await world.signIn();
    const access = await world.auth.protect(
      new Request("https://mcp.example.com/mcp", { headers: { authorization: `Bearer ${tokens?.access_token}` } }),
    );

    expect(claims).toMatchObject({ roles: ["admin"], groups: ["0760b6cf-170e-4a14-91b3-4b78e0739963"] });
    expect(requireRole("admin")(access)).toBe(true);
    expect(requireRole("owner")(access)).toBe(false);
  });

  test.each([
    {
      _claim_names: { groups: "src1" },
      _claim_sources: { src1: { endpoint: "https://graph.microsoft.com/v1.0/users/x/getMemberObjects" } },
    },
    { hasgroups: true },
    { hasgroups: true, groups: ["0760b6cf-170e-4a14-91b3-4b78e0739963"] },
  ])(
    "with more groups than a token holds, groups are unknown, and no rule about them lets anybody in",
    async (overage) => {
      const groups = ["0760b6cf-170e-4a14-91b3-4b78e0739963"];

      expect((await signedIn(overage)).tokens).toBeDefined();
      expect((await signedIn(overage, { allow: { groups } })).tokens).toBeUndefined();
      expect((await signedIn({ groups }, { allow: { groups } })).tokens).toBeDefined();
    },
  );
});

test("the operator is told once that groups are unknown, and not whose", async () => {
  const world = await openEntra({}, { claims: { hasgroups: true } });
  await world.signIn();
  await world.signIn();
  const warnings = world.events.filter(({ type }) => type === "warning");

  expect(warnings).toMatchObject([{ message: expect.stringMatching(/^entra: somebody is in more groups/) }]);
  expect(JSON.stringify(warnings)).not.toContain(OID);
});

describe("tenants", () => {
  test.each([
    ["common", TENANT, true],
    ["common", CONSUMERS, true],
    ["organizations", TENANT, true],
    ["organizations", CONSUMERS, false],
    ["consumers", CONSUMERS, true],
    ["consumers", TENANT, false],
    [TENANT, TENANT, true],
    [TENANT.toUpperCase(), TENANT, true],
    [TENANT, OTHER_TENANT, false],
  ])("at %s, an account of %s may sign in: %s", async (tenantId, home, admitted) => {
    const world = await openEntra({ tenantId }, { tenant: tenantId.toLowerCase(), home });

    const outcome = await world.signIn();

    expect(outcome.tokens !== undefined).toBe(admitted);
    expect(outcome.reason).toBe(admitted ? undefined : "upstream_identity");
  });

  test.each([
    `https://login.microsoftonline.com/${OTHER_TENANT}/v2.0`,
    "https://login.microsoftonline.com/{tenantid}/v2.0",
    "https://login.microsoftonline.com/common/v2.0",
    `https://login.microsoftonline.com/${TENANT}/v2.0/`,
    `https://login.microsoftonline.com/${TENANT}`,
    `https://login.microsoftonline.us/${TENANT}/v2.0`,
    `https://sts.windows.net/${TENANT}/`,
    `https://login.microsoftonline.com.evil.example/${TENANT}/v2.0`,
  ])("at common, the issuer %s does not belong to a token of another tenant", async (iss) => {
    const world = await openEntra({}, {}, { idToken: (token) => ({ ...token, claims: { ...token.claims, iss } }) });

    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  });

  test("allow by tenant keeps out every other directory of the world", async () => {
    const allow = { tenants: [TENANT] };

    expect((await (await openEntra({ allow })).signIn()).tokens).toBeDefined();
    expect((await (await openEntra({ allow }, { home: OTHER_TENANT })).signIn()).tokens).toBeUndefined();
  });

  test.each(["contoso.onmicrosoft.com", "", "common/../x", `${TENANT}/x`])(
    "the tenant %j is refused at the start",
    (tenantId) => {
      const config = {
        baseUrl: "https://mcp.example.com",
        clientId: "a",
        clientSecret: "a secret that is long enough 0123456789",
        tenantId,
      };

      expect(() => new EntraProvider(config)).toThrow(expect.objectContaining({ name: "ConfigurationError" }));
    },
  );

  test.each(["https://login.microsoftonline.us", "https://login.partner.microsoftonline.cn"])(
    "the national cloud %s is an authority of its own",
    async (authority) => {
      const world = await openEntra({ authority, tenantId: TENANT }, { authority, tenant: TENANT });

      expect((await world.signIn()).claims).toMatchObject({ sub: `entra|${OID}.${TENANT}` });
      expect(world.upstream.requestsTo("authorization")[0]?.url.origin).toBe(authority);
    },
  );

  test("an iss in the callback has to be one of the tenant", async () => {
    const answering = (iss: string): UpstreamOptions => ({ authorization: (parameters) => ({ ...parameters, iss }) });
    const own = await openEntra(
      { tenantId: TENANT },
      { tenant: TENANT },
      answering(`https://login.microsoftonline.com/${TENANT}/v2.0`),
    );
    const foreign = await openEntra(
      { tenantId: TENANT },
      { tenant: TENANT },
      answering(`https://login.microsoftonline.com/${OTHER_TENANT}/v2.0`),
    );

    const shared = await openEntra({}, {}, answering("https://login.microsoftonline.com/common/v2.0"));

    expect((await own.signIn()).tokens).toBeDefined();
    for (const world of [foreign, shared])
      expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_issuer" });
  });
});

describe("scopes", () => {
  test("openid, profile and offline_access are always asked for, and no client can leave them out", async () => {
    const plain = await (await openEntra()).begin();
    const narrow = await (await openEntra({ scopes: ["User.Read", "Mail.Read"] })).begin({ scope: "User.Read" });

    expect(plain.url.searchParams.get("scope")).toBe("openid profile offline_access email");
    expect(narrow.url.searchParams.get("scope")).toBe("openid profile offline_access User.Read");
  });

  test("S256 is used, although no discovery document of Entra names it", async () => {
    const { url } = await (await openEntra()).begin();

    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
  });

  test("a resource that the client names is never forwarded, and one that the operator names is refused", async () => {
    const world = await openEntra();
    const outcome = await world.signIn({ resource: "https://mcp.example.com/mcp" });

    expect(outcome.tokens).toBeDefined();
    for (const { url, form } of world.upstream.requests)
      expect(url.searchParams.has("resource") || form.has("resource")).toBe(false);
    await expect(openEntra({ extraAuthorizationParams: { resource: "https://graph.microsoft.com" } })).rejects.toThrow(
      "resource",
    );
  });

  test("exchange and refresh name a scope, of one API, with offline_access", async () => {
    const scopes = ["openid", "User.Read", "Mail.Read", "https://vault.azure.net/user_impersonation"];
    const world = await openEntra({ scopes });
    const { tokens } = await world.signIn();
    world.pass(3590);
    const refreshed = await world.refresh();

    const [authorization] = world.upstream.requestsTo("authorization");
    expect(authorization?.url.searchParams.get("scope")).toContain("https://vault.azure.net/user_impersonation");
    const forms = world.upstream.requestsTo("token").map(({ form }) => form.get("scope"));
    expect(forms).toEqual(Array.from({ length: 2 }, () => "openid profile offline_access User.Read Mail.Read"));
    expect(tokens?.scope).toBe("openid profile offline_access User.Read Mail.Read");
    expect(refreshed.tokens?.scope).toBe(tokens?.scope);
  });

  test("a bare name is the API's of identifierUri, and those of OpenID Connect never take a prefix", async () => {
    const world = await openEntra({
      scopes: ["email", "access_as_user", "https://graph.microsoft.com/User.Read"],
      identifierUri: "api://our-app",
    });
    const { tokens } = await world.signIn();
    world.pass(3590);
    const refreshed = await world.refresh();

    const asked = `openid profile offline_access email ${API} https://graph.microsoft.com/User.Read`;
    expect(world.upstream.requestsTo("authorization")[0]?.url.searchParams.get("scope")).toBe(asked);
    expect(world.upstream.requestsTo("token").map(({ form }) => form.get("scope"))).toEqual(
      Array.from({ length: 2 }, () => `openid profile offline_access email ${API}`),
    );
    // Entra names only the API's scope in its answer, and gives what the others ask for.
    expect(tokens?.scope).toBe(`openid profile offline_access email ${API}`);
    expect(refreshed.tokens?.scope).toBe(tokens?.scope);
  });

  test("scopes of Graph come back in another spelling, and are known by their own", async () => {
    const world = await openEntra(
      { scopes: ["User.Read", "https://graph.microsoft.com/Mail.Read", "Files.Read"] },
      {},
      {
        token: (answer) => ({
          json: { ...answer, scope: "openid profile https://graph.microsoft.com/user.read Mail.Read Calendars.Read" },
        }),
      },
    );

    expect((await world.signIn()).tokens?.scope).toBe(
      "openid profile offline_access User.Read https://graph.microsoft.com/Mail.Read",
    );
  });

  test("what was granted by .default is still asked for at a refresh", async () => {
    const granted: UpstreamOptions = {
      token: (answer) => ({ json: { ...answer, scope: "api://our-app/read api://our-app/write" } }),
    };
    const world = await openEntra({ scopes: ["api://our-app/.default"] }, {}, granted);
    const { tokens } = await world.signIn();
    world.pass(3590);
    await world.refresh();

    expect(tokens?.scope).toBe("openid profile offline_access api://our-app/.default");
    expect(world.upstream.requestsTo("token")[1]?.form.get("scope")).toBe(tokens?.scope);
  });

  test("Graph is one API, by whatever name and in whatever cloud", async () => {
    const world = await openEntra(
      { scopes: ["User.Read", "https://graph.microsoft.us/Mail.Read"] },
      {},
      { token: (answer) => ({ json: { ...answer, scope: "Mail.Read User.Read" } }) },
    );

    expect((await world.signIn()).tokens?.scope).toBe(
      "openid profile offline_access User.Read https://graph.microsoft.us/Mail.Read",
    );
  });

  test("Entra's access token is not ours to read", async () => {
    const world = await openEntra({}, {}, { accessToken: () => ({ sub: "x", roles: ["owner"], scp: "User.Read" }) });

    expect((await world.signIn()).claims).not.toHaveProperty("roles");
  });
});

test("AzureProvider is EntraProvider by its former name", () => {
  expect(AzureProvider).toBe(EntraProvider);
});

test("a refresh that wants the person back ends the grant, because no refresh ever has one", async () => {
  const world = await openEntra({ scopes: ["User.Read"] });
  await world.signIn();
  world.upstream.behave({
    token: () => ({
      status: 400,
      json: { error: "interaction_required", error_description: "AADSTS50076: raw text", suberror: "basic_action" },
    }),
  });
  world.pass(3590);
  const outcome = await world.refresh();

  expect(outcome).toMatchObject({ error: "invalid_grant", reason: "upstream_invalid_grant" });
  expect(outcome.shown).not.toContain("AADSTS");
  expect(await world.upstreamTokens()).toBeNull();
});

test("an error of Entra ends in one of our words, and its text goes nowhere", async () => {
  const world = await openEntra(
    {},
    {},
    {
      token: () => ({
        status: 400,
        json: { error: "interaction_required", error_description: "AADSTS50076: raw text", suberror: "basic_action" },
      }),
    },
  );

  const outcome = await world.signIn();

  expect(outcome).toMatchObject({ tokens: undefined, error: "server_error", reason: "upstream_refused" });
  expect(outcome.shown).not.toContain("AADSTS");
});
