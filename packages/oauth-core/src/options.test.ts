import { decodeJwt, jwtVerify } from "jose";
import { describe, expect, test, vi } from "vitest";
import { answerOf, locationOf, pageOf, refusalOf } from "../test/answers.ts";
import {
  BASE_URL,
  Browser,
  formOf,
  idToken,
  jsonOf,
  providerAt,
  REDIRECT_URI,
  RESOURCE,
  SECRET,
  type Server,
  UPSTREAM,
  World,
} from "../test/harness.ts";
import { RecordingStorage } from "../test/recording-storage.ts";
import type { CustomClaimsPassthroughConfig } from "./claims-options.ts";
import { HmacSigner, type SigningSource } from "./domain/signer.ts";
import { OAuthProxy } from "./oauth-proxy.ts";
import type { OAuthProxyConfig } from "./options.ts";
import { PKCEUtils } from "./pkce-utils.ts";
import { ConfigurationError } from "./protocol/errors.ts";

const { verifier, challenge } = PKCEUtils.generatePair();
const KEY = "a-key-of-at-least-32-bytes-0123456789";
const OTHER_KEY = "another-key-of-at-least-32-bytes-0123";

/** Where the upstream is asked to sign somebody in. */
async function upstreamUrl(config: Partial<OAuthProxyConfig>, parameters: Record<string, string> = {}): Promise<URL> {
  const server = new World().server(config);
  const url = server.authorizationUrl(await server.register(), challenge, parameters);
  return locationOf(await server.consent(url, new Browser()));
}

/** The consent page. */
async function pageWith(config: Partial<OAuthProxyConfig>): Promise<string> {
  const server = new World().server(config);
  return (await server.get(server.authorizationUrl(await server.register(), challenge))).text();
}

async function metadataOf(config: Partial<OAuthProxyConfig>): Promise<Record<string, unknown>> {
  return jsonOf(await new World().server(config).get("/.well-known/oauth-authorization-server"));
}

/** The claims of an access token that is made from the upstream's tokens. */
async function claimsWith(
  customClaimsPassthrough: boolean | CustomClaimsPassthroughConfig,
  access: Readonly<Record<string, unknown>> = { from: "access", roles: ["user"] },
): Promise<Record<string, unknown>> {
  const world = new World();
  const id = {
    sub: "alice",
    aud: "our-app",
    exp: world.now + 60,
    from: "id",
    email: "alice@example.com",
    deep: [{ a: 1 }],
  };
  world.answer = () => world.tokens({ access_token: idToken(access), id_token: idToken(id) });
  const { tokens } = await world.server({ customClaimsPassthrough }).signIn();
  return decodeJwt(tokens.access_token);
}

/** A page that one server shows, posted to another. */
async function postedTo(server: Server, other: Server): Promise<Response> {
  const page = await server.get(server.authorizationUrl(await server.register(), challenge));
  const browser = new Browser();
  browser.keep(page);
  const form = { ...formOf(await page.text()), action: "approve" };
  return other.post("/oauth/consent", form, { cookie: browser.header() });
}

/** Signing keys as an operator passes them in; what they do is a matter of the package that has them. */
function signingWith(key: string): SigningSource {
  const inner = new HmacSigner([Buffer.from(key)]);
  return {
    signer: () => ({
      ready: () => inner.ready(),
      sign: (typ, claims) => inner.sign(typ, claims),
      open: (token) => inner.open(token),
      recognises: () => inner.recognises(),
      jwks: async () => ({ keys: [{ kid: "one" }] }),
    }),
  };
}

type Effect = readonly [behaviour: string, proof: () => Promise<void>];

/** One for each option: it does not compile with one missing. */
const EFFECTS: Readonly<Record<keyof OAuthProxyConfig, Effect>> = {
  upstreamAuthorizationEndpoint: [
    "is where the person is sent",
    async () => {
      const url = await upstreamUrl({ upstreamAuthorizationEndpoint: "https://login.example.com/o/auth" });
      expect(url.origin + url.pathname).toBe("https://login.example.com/o/auth");
    },
  ],
  upstreamTokenEndpoint: [
    "is where codes are redeemed",
    async () => {
      const world = new World();
      await world.server({ upstreamTokenEndpoint: "https://login.example.com/o/token" }).signIn();
      expect(world.upstreamRequests.map(({ url }) => url)).toEqual(["https://login.example.com/o/token"]);
    },
  ],
  upstreamClientId: [
    "is who we are upstream",
    async () => {
      expect((await upstreamUrl({ upstreamClientId: "another-app" })).searchParams.get("client_id")).toBe(
        "another-app",
      );
    },
  ],
  upstreamClientSecret: [
    "is shown at the upstream's token endpoint, and the source of all keys where there is no secret",
    async () => {
      const world = new World();
      const one = { secret: undefined, upstreamClientSecret: KEY };
      const { tokens } = await world.server(one).signIn();
      const sent = world.upstreamRequests[0]?.headers.get("authorization")?.split(" ")[1] ?? "";
      expect(Buffer.from(sent, "base64").toString()).toBe(`our-app:${KEY}`);
      expect(await world.server(one).call(tokens.access_token)).toBe(200);
      expect(await world.server({ ...one, upstreamClientSecret: OTHER_KEY }).call(tokens.access_token)).toBe(401);
    },
  ],
  baseUrl: [
    "is the issuer, without its slash, and the beginning of every URL",
    async () => {
      const { auth } = new World().server({ baseUrl: "https://other.example.com/base/" });
      expect(auth.issuer).toBe("https://other.example.com/base");
      expect(auth.resources).toEqual(["https://other.example.com/base/mcp"]);
      const { authorizationEndpoint, tokenEndpoint } = auth.getAuthorizationServerMetadata();
      expect(authorizationEndpoint).toBe("https://other.example.com/base/oauth/authorize");
      expect(tokenEndpoint).toBe("https://other.example.com/base/oauth/token");
    },
  ],
  upstreamTokenEndpointAuthMethod: [
    "is how we authenticate upstream: by header, by form, or not at all",
    async () => {
      const sent = async (upstreamTokenEndpointAuthMethod?: "client_secret_basic" | "client_secret_post" | "none") => {
        const world = new World();
        await world.server(upstreamTokenEndpointAuthMethod ? { upstreamTokenEndpointAuthMethod } : {}).signIn();
        const [request] = world.upstreamRequests;
        return [
          request?.headers.has("authorization"),
          request?.form.has("client_id"),
          request?.form.has("client_secret"),
        ];
      };
      expect(await sent()).toEqual([true, false, false]);
      expect(await sent("client_secret_basic")).toEqual([true, false, false]);
      expect(await sent("client_secret_post")).toEqual([false, true, true]);
      expect(await sent("none")).toEqual([false, true, false]);
    },
  ],
  upstreamIssuer: [
    "is what iss of callbacks has to be",
    async () => {
      const answer = async (config: Partial<OAuthProxyConfig>) => {
        const server = new World().server(config);
        const browser = new Browser();
        const upstream = await server.consent(server.authorizationUrl(await server.register(), challenge), browser);
        return answerOf(
          await server.callback(locationOf(upstream).href, browser, { code: "c", iss: "https://other.example" }),
        );
      };
      expect(await answer({})).toHaveProperty("code");
      expect(await answer({ upstreamIssuer: UPSTREAM })).toMatchObject({ error: "server_error" });
    },
  ],
  upstreamUserinfoEndpoint: [
    "tells who signed in",
    async () => {
      const world = new World();
      world.answer = ({ url }) => (url.endsWith("/user") ? { body: { id: 42 } } : world.tokens());
      const { tokens } = await world.server({ upstreamUserinfoEndpoint: `${UPSTREAM}/user` }).signIn();
      const access = await world
        .server()
        .auth.protect(new Request(RESOURCE, { headers: { authorization: `Bearer ${tokens.access_token}` } }));
      expect(access).toMatchObject({ subject: "42" });
    },
  ],
  upstreamRevocationEndpoint: [
    "is told when a grant ends",
    async () => {
      const world = new World();
      const server = world.server({ upstreamRevocationEndpoint: `${UPSTREAM}/gone` });
      const { client, tokens } = await server.signIn();
      await server.post("/oauth/revoke", { token: tokens.refresh_token, client_id: client.clientId });
      expect(world.upstreamRequests.map(({ url }) => url)).toContain(`${UPSTREAM}/gone`);
    },
  ],
  extraAuthorizationParams: [
    "go along upstream, and replace none of ours",
    async () => {
      const { searchParams } = await upstreamUrl({
        extraAuthorizationParams: { access_type: "offline", state: "fixed" },
      });
      expect(searchParams.get("access_type")).toBe("offline");
      expect(searchParams.get("state")).not.toBe("fixed");
    },
  ],
  upstreamRequestTimeoutMs: [
    "ends a request that the upstream does not answer",
    async () => {
      const server = new World().server({
        upstreamRequestTimeoutMs: 1,
        runtime: {
          fetch: (_, { signal }) =>
            new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
        },
      });
      const browser = new Browser();
      const upstream = await server.consent(server.authorizationUrl(await server.register(), challenge), browser);
      const answer = await server.callback(locationOf(upstream).href, browser);
      expect(answerOf(answer)).toMatchObject({ error: "temporarily_unavailable" });
    },
  ],
  scopes: [
    "are asked of the upstream, and none by default",
    async () => {
      expect((await upstreamUrl({ scopes: ["openid", "mail"] })).searchParams.get("scope")).toBe("openid mail");
      expect((await upstreamUrl({ scopes: [] })).searchParams.has("scope")).toBe(false);
    },
  ],
  forwardPkce: [
    "sends the client's challenge upstream, and redeems the upstream's code with the client's verifier, at our token endpoint",
    async () => {
      const world = new World();
      const server = world.server({ forwardPkce: true });
      const client = await server.register();
      const browser = new Browser();
      const upstream = locationOf(await server.consent(server.authorizationUrl(client, challenge), browser));
      expect(upstream.searchParams.get("code_challenge")).toBe(challenge);

      const { code = "" } = answerOf(await server.callback(upstream.href, browser));
      expect(world.upstreamRequests).toEqual([]);
      expect(await refusalOf(await server.redeem({ client, code, verifier: "v".repeat(64) }))).toBe(
        "400 invalid_grant",
      );
      expect(world.upstreamRequests).toEqual([]);
      expect((await server.redeem({ client, code, verifier })).status).toBe(200);
      expect(world.upstreamRequests[0]?.form.get("code_verifier")).toBe(verifier);
    },
  ],
  provider: [
    "is where people sign in, instead of the upstream… options, and what their subjects begin with",
    async () => {
      const world = new World();
      world.answer = () =>
        world.tokens({
          id_token: idToken({ iss: "https://one.example", aud: "our-app-at-one", sub: "alice", exp: world.now + 60 }),
        });
      const server = world.server({ provider: providerAt("one") });
      const { tokens } = await server.signIn();
      expect(world.upstreamRequests.map(({ url }) => url)).toEqual(["https://one.example/token"]);
      expect(world.upstreamRequests[0]?.form.get("redirect_uri")).toBe(`${BASE_URL}/oauth/callback`);
      expect(decodeJwt(tokens.access_token).sub).toBe("one|alice");
    },
  ],
  providers: [
    "are offered for choice, each with a callback of its own",
    async () => {
      const config = { providers: [providerAt("one"), providerAt("two")] };
      expect(await pageWith(config)).toContain("Continue with TWO");
      const server = new World().server(config);
      const url = server.authorizationUrl(await server.register(), challenge);
      const { searchParams } = locationOf(await server.consent(url, new Browser(), { provider: "two" }));
      expect(searchParams.get("redirect_uri")).toBe(`${BASE_URL}/oauth/callback/two`);
    },
  ],
  allow: [
    "says who may sign in",
    async () => {
      const answer = async (allow: OAuthProxyConfig["allow"]) => {
        const world = new World();
        const claims = { sub: "alice", email: "alice@example.com", email_verified: true, groups: ["staff"] };
        world.answer = () => world.tokens({ id_token: idToken({ aud: "our-app", exp: world.now + 60, ...claims }) });
        const server = world.server({ allow });
        const browser = new Browser();
        const upstream = await server.consent(server.authorizationUrl(await server.register(), challenge), browser);
        return (await server.callback(locationOf(upstream).href, browser)).status;
      };
      expect(await answer(undefined)).toBe(302);
      expect(await answer({ emailDomains: ["example.com"], groups: ["staff"] })).toBe(302);
      expect(await answer({ emailDomains: ["example.com"], groups: ["owners"] })).toBe(403);
      expect(await answer([{ groups: ["owners"] }, { emails: ["alice@example.com"] }])).toBe(302);
      expect(await answer(({ subject }) => subject === "alice")).toBe(302);
      expect(await answer(() => false)).toBe(403);
    },
  ],
  linkSubject: [
    "names people as the operator knows them",
    async () => {
      const server = new World().server({ linkSubject: ({ provider }) => `person-of-${provider}` });
      expect(decodeJwt((await server.signIn()).tokens.access_token).sub).toBe("person-of-upstream");
    },
  ],
  tokenVerifier: [
    "vets the upstream's tokens at sign-in: the access token, or where that can't be, the ID token",
    async () => {
      const answer = async (accepted: string) => {
        const world = new World();
        world.answer = () =>
          world.tokens({
            access_token: "opaque",
            id_token: idToken({ sub: "alice", aud: "our-app", exp: world.now + 60 }),
          });
        const verify = async (token: string) => ({
          valid: token.length > 20 ? accepted === "id" : accepted === "access",
        });
        const server = world.server({ tokenVerifier: { verify } });
        const browser = new Browser();
        const upstream = await server.consent(server.authorizationUrl(await server.register(), challenge), browser);
        return answerOf(await server.callback(locationOf(upstream).href, browser));
      };
      expect(await answer("access")).toHaveProperty("code");
      expect(await answer("id")).toHaveProperty("code");
      expect(await answer("neither")).toMatchObject({ error: "server_error" });
    },
  ],
  basePath: [
    "is where the endpoints are, the callback among them",
    async () => {
      const server = new World().server({ basePath: "/auth/v1" });
      expect((await server.post("/auth/v1/token", {})).status).toBe(401);
      expect((await server.get("/auth/v1/callback")).status).toBe(400);
      expect((await server.post("/oauth/token", {})).status).toBe(404);
    },
  ],
  redirectPath: [
    "is where the upstream sends people back, and nothing else moves",
    async () => {
      const server = new World().server({ redirectPath: "/signed-in" });
      expect((await server.get("/signed-in")).status).toBe(400);
      expect((await server.get("/oauth/callback")).status).toBe(404);
      const url = server.authorizationUrl(await server.register(), challenge);
      const upstream = locationOf(await server.consent(url, new Browser()));
      expect(upstream.searchParams.get("redirect_uri")).toBe(`${BASE_URL}/signed-in`);
    },
  ],
  resources: [
    "are what tokens are for, spelt in one way",
    async () => {
      const { auth } = new World().server({
        resources: ["HTTPS://API.example.com:443/v1", "https://api.example.com/"],
      });
      expect(auth.resources).toEqual(["https://api.example.com/v1", "https://api.example.com"]);
    },
  ],
  resourceScopes: [
    "are granted here and never sent upstream",
    async () => {
      const config = { scopes: ["read"], resourceScopes: ["mcp:tools"] };
      expect((await upstreamUrl(config, { scope: "read mcp:tools" })).searchParams.get("scope")).toBe("read");
      expect((await new World().server(config).signIn()).tokens.scope).toBe("read mcp:tools");
    },
  ],
  defaultScopes: [
    "are those of ours that a client gets when it names none",
    async () => {
      const config = { resourceScopes: ["mcp:tools", "mcp:admin"], defaultScopes: ["mcp:tools"] };
      expect((await new World().server(config).signIn()).tokens.scope).toBe("read mcp:tools");
      const asked = await new World().server(config).signIn({ parameters: { scope: "mcp:admin" } });
      expect(asked.tokens.scope).toBe("read mcp:admin");
    },
  ],
  scopeDescriptions: [
    "are the words on the consent page",
    async () => {
      expect(await pageWith({ scopeDescriptions: { read: "Read your notes" } })).toContain("Read your notes");
      expect(await pageWith({})).toContain("<code>read</code>");
    },
  ],
  scopeHierarchy: [
    "lets a broad scope stand for narrow ones",
    async () => {
      const call = async (config: Partial<OAuthProxyConfig>) => {
        const server = new World().server(config);
        return server.call((await server.signIn()).tokens.access_token, ["read:notes"]);
      };
      expect(await call({})).toBe(403);
      expect(await call({ scopeHierarchy: { read: ["read:notes"] } })).toBe(200);
    },
  ],
  serverName: [
    "is what people know this server as",
    async () => {
      expect(await pageWith({ serverName: "Notes" })).toContain("Allow Test client to use Notes?");
      expect(await pageWith({})).toContain("to use mcp.example.com?");
      const metadata = await new World().server({ serverName: "Notes" }).get("/.well-known/oauth-protected-resource");
      expect(await jsonOf(metadata)).toMatchObject({ resource_name: "Notes" });
    },
  ],
  allowedOrigins: [
    "are whose pages may call the resource, extensions included",
    async () => {
      const origin = "chrome-extension://abcdefghijklmnop";
      const status = async (config: Partial<OAuthProxyConfig>) => {
        const access = await new World().server(config).auth.protect(new Request(RESOURCE, { headers: { origin } }));
        return access instanceof Response ? access.status : 200;
      };
      expect(await status({})).toBe(403);
      expect(await status({ allowedOrigins: [origin, "https://app.example.com:8443"] })).toBe(401);
    },
  ],
  clients: [
    "sign in without registering, by their own secret and name, which counts as verified",
    async () => {
      const client = { clientId: "editor", clientSecret: "s3cret", clientName: "Editor", redirectUris: [REDIRECT_URI] };
      const server = new World().server({ clients: [client] });
      const authorized = await server.authorize({ client });
      expect(await refusalOf(await server.redeem(authorized))).toBe("401 invalid_client");
      expect((await server.redeem(authorized, { client_secret: "s3cret" })).status).toBe(200);
      const page = await (await server.get(server.authorizationUrl(client, challenge))).text();
      expect(page).toContain("Allow Editor");
      expect(page).toContain(">verified<");
    },
  ],
  registration: [
    "can be off, kept in the storage, or without the well-known clients",
    async () => {
      const off = new World().server({ registration: false });
      expect((await off.post("/oauth/register", {})).status).toBe(404);
      expect(await metadataOf({ registration: false })).not.toHaveProperty("registration_endpoint");

      const world = new World();
      const stored = world.server({ registration: { store: true } });
      const client = await stored.register();
      expect(client.clientId).toMatch(/^sp_cs_[A-Za-z0-9_-]{22}$/);
      await stored.signIn({ client });
      world.now += 89 * 86_400;
      expect((await stored.signIn({ client })).tokens).toHaveProperty("access_token");
      const unused = await stored.register();
      world.now += 86_401;
      expect(await pageOf(await stored.get(stored.authorizationUrl(unused, challenge)))).toContain(
        "400 This application",
      );

      const claude = { redirect_uris: ["https://claude.ai/api/mcp/auth_callback"] };
      expect((await new World().server().register(claude)).clientId).toMatch(/^sp_c1_/);
      const strict = new World().server({ registration: { knownClients: false } });
      await expect(strict.register(claude)).rejects.toThrow("claude.ai is not admitted");
    },
  ],
  allowedRedirectUriPatterns: [
    "admit redirect URIs of hosted clients",
    async () => {
      const hosted = { redirect_uris: ["https://chat.example.org/mcp/cb"] };
      await expect(new World().server().register(hosted)).rejects.toThrow("not admitted");
      const server = new World().server({ allowedRedirectUriPatterns: ["https://chat.example.org/*"] });
      expect((await server.register(hosted)).response.redirect_uris).toEqual(hosted.redirect_uris);
    },
  ],
  consentRequired: [
    "asks the person, unless it is off, which is warned of",
    async () => {
      expect(await pageWith({})).toContain("<form");
      const world = new World();
      const server = world.server({ consentRequired: false });
      const answer = await server.get(server.authorizationUrl(await server.register(), challenge));
      expect([answer.status, locationOf(answer).origin]).toEqual([302, UPSTREAM]);
      expect(
        world
          .eventsOf("warning")
          .map(({ message }) => message)
          .join(),
      ).toContain("consentRequired is false");
    },
  ],
  rememberConsent: [
    "lets an approval stand for the next, for so many seconds",
    async () => {
      const world = new World();
      const client = { clientId: "app", redirectUris: ["https://app.example.com/cb"] };
      const server = world.server({ rememberConsent: 60, clients: [client] });
      const browser = new Browser();
      const url = server.authorizationUrl(client, challenge, { redirect_uri: "https://app.example.com/cb" });
      await server.consent(url, browser);
      const again = async () => (await server.get(url, { cookie: browser.header(), "sec-fetch-site": "none" })).status;
      expect(await again()).toBe(302);
      world.now += 60;
      expect(await again()).toBe(200);
    },
  ],
  transactionTtl: [
    "is how long a sign-in may take",
    async () => {
      const back = async (seconds: number) => {
        const world = new World();
        const server = world.server({ transactionTtl: 30 });
        const browser = new Browser();
        const page = await server.get(server.authorizationUrl(await server.register(), challenge));
        expect(page.headers.getSetCookie()[0]).toContain("Max-Age=30;");
        const upstream = await server.consent(server.authorizationUrl(await server.register(), challenge), browser);
        world.now += seconds;
        return (await server.callback(locationOf(upstream).href, browser)).status;
      };
      expect(await back(29)).toBe(302);
      expect(await back(32)).toBe(400);
    },
  ],
  authorizationCodeTtl: [
    "is how long a code can be redeemed",
    async () => {
      const redeem = async (seconds: number) => {
        const world = new World();
        const server = world.server({ authorizationCodeTtl: 30 });
        const authorized = await server.authorize();
        world.now += seconds;
        return (await server.redeem(authorized)).status;
      };
      expect(await redeem(29)).toBe(200);
      expect(await redeem(32)).toBe(400);
    },
  ],
  advertiseIssuerParameter: [
    "takes iss out of the metadata's promises, and out of nothing else",
    async () => {
      const name = "authorization_response_iss_parameter_supported";
      expect(await metadataOf({})).toHaveProperty(name, true);
      expect(await metadataOf({ advertiseIssuerParameter: false })).not.toHaveProperty(name);
      const { location } = await new World().server({ advertiseIssuerParameter: false }).authorize();
      expect(location.searchParams.get("iss")).toBe(BASE_URL);
    },
  ],
  enableTokenSwap: [
    "keeps the upstream's tokens here, unless it is off",
    async () => {
      const waived = { enableTokenSwap: false, passThroughAudienceCheck: false } as const;
      expect((await new World().server().signIn()).tokens.access_token).toMatch(/^ey/);
      expect((await new World().server(waived).signIn()).tokens.access_token).toBe("upstream-access-1");
    },
  ],
  passThroughAudienceCheck: [
    "has to be waived by name where nothing else checks for whom the upstream's tokens were issued",
    async () => {
      expect(() => new World().server({ enableTokenSwap: false })).toThrow(ConfigurationError);
      expect(() => new World().server({ enableTokenSwap: false, passThroughAudienceCheck: false })).not.toThrow();
      const tokenVerifier = { verify: async () => ({ valid: true }) };
      expect(() => new World().server({ enableTokenSwap: false, tokenVerifier })).not.toThrow();
    },
  ],
  accessTokenTtl: [
    "is how long an access token opens the resource",
    async () => {
      const world = new World();
      const server = world.server({ accessTokenTtl: 900 });
      const { tokens } = await server.signIn();
      expect(tokens.expires_in).toBe(900);
      world.now += 899;
      expect(await server.call(tokens.access_token)).toBe(200);
      world.now += 1;
      expect(await server.call(tokens.access_token)).toBe(401);
    },
  ],
  refreshTokenTtl: [
    "is how long a grant lives without being refreshed",
    async () => {
      const world = new World();
      const server = world.server({ refreshTokenTtl: 7200 });
      const { client, tokens } = await server.signIn();
      world.now += 7000;
      const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));
      world.now += 7000;
      const again = await jsonOf(await server.refresh(client, String(refreshed.refresh_token)));
      expect(again).toHaveProperty("access_token");
      world.now += 7202;
      expect(await refusalOf(await server.refresh(client, String(again.refresh_token)))).toBe("400 invalid_grant");
    },
  ],
  refreshTokenGracePeriod: [
    "is how long after its first use a refresh token gives the same next one, and nothing else",
    async () => {
      const reuse = async (seconds: number) => {
        const world = new World();
        const server = world.server({ refreshTokenGracePeriod: 20 });
        const { client, tokens } = await server.signIn();
        const first = await jsonOf(await server.refresh(client, tokens.refresh_token));
        world.now += seconds;
        const { refresh_token, error } = await jsonOf(await server.refresh(client, tokens.refresh_token));
        return error ?? (refresh_token === first.refresh_token ? "the same" : "another");
      };
      expect(await reuse(20)).toBe("the same");
      expect(await reuse(21)).toBe("invalid_grant");
    },
  ],
  revocationCheckTtl: [
    "is how long another process may not have heard of a revocation",
    async () => {
      const after = async (revocationCheckTtl: number, seconds: number) => {
        const world = new World();
        const [one, other] = [world.server(), world.server({ revocationCheckTtl })];
        const { client, tokens } = await one.signIn();
        expect(await other.call(tokens.access_token)).toBe(200);
        await one.post("/oauth/revoke", { token: tokens.refresh_token, client_id: client.clientId });
        expect(await one.call(tokens.access_token)).toBe(401);
        world.now += seconds;
        return other.call(tokens.access_token);
      };
      expect(await after(0, 0)).toBe(401);
      expect(await after(10, 9)).toBe(200);
      expect(await after(10, 10)).toBe(401);
    },
  ],
  customClaimsPassthrough: [
    "carries claims of the upstream into our tokens, unless it is off",
    async () => {
      expect(await claimsWith(true)).toMatchObject({ from: "access", roles: ["user"], email: "alice@example.com" });
      const without = await claimsWith(false);
      for (const name of ["from", "roles", "email"]) expect(without).not.toHaveProperty(name);
    },
  ],
  tokenStorage: [
    "is where state lives: what one server began, another goes on with",
    async () => {
      const world = new World();
      const { client, tokens } = await world.server().signIn();
      expect((await world.server().refresh(client, tokens.refresh_token)).status).toBe(200);
      const elsewhere = world.server({ tokenStorage: undefined });
      expect(await refusalOf(await elsewhere.refresh(client, tokens.refresh_token))).toBe("400 invalid_grant");
    },
  ],
  secret: [
    "is where all keys come from, and can be rotated",
    async () => {
      const world = new World();
      const { tokens } = await world.server({ secret: KEY }).signIn();
      expect(await world.server({ secret: [OTHER_KEY, KEY] }).call(tokens.access_token)).toBe(200);
      expect(await world.server({ secret: OTHER_KEY }).call(tokens.access_token)).toBe(401);
    },
  ],
  jwtSigningKey: [
    "signs access tokens as it stands, so that any JOSE library verifies them",
    async () => {
      const world = new World();
      const { tokens } = await world.server({ jwtSigningKey: [KEY, OTHER_KEY] }).signIn();
      const currentDate = new Date(world.now * 1000);
      const options = { issuer: BASE_URL, audience: RESOURCE, typ: "at+jwt", currentDate };
      expect((await jwtVerify(tokens.access_token, Buffer.from(KEY), options)).payload.scope).toBe("read");
      expect(await world.server({ jwtSigningKey: [OTHER_KEY, KEY] }).call(tokens.access_token)).toBe(200);
      expect(await world.server({ jwtSigningKey: OTHER_KEY }).call(tokens.access_token)).toBe(401);
    },
  ],
  signing: [
    "signs access tokens, and its key set is published",
    async () => {
      const server = new World().server({ signing: signingWith(OTHER_KEY) });
      const { tokens } = await server.signIn();
      expect((await jwtVerify(tokens.access_token, Buffer.from(OTHER_KEY))).payload.iss).toBe(BASE_URL);
      expect(await server.call(tokens.access_token)).toBe(200);
      expect(await jsonOf(await server.get("/oauth/jwks"))).toEqual({ keys: [{ kid: "one" }] });
    },
  ],
  encryptionKey: [
    "seals everything at rest, unless it is false, which is warned of",
    async () => {
      const world = new World();
      const dumpWith = async (encryptionKey: OAuthProxyConfig["encryptionKey"]) => {
        const tokenStorage = new RecordingStorage({ now: () => world.now });
        await world.server({ tokenStorage, encryptionKey }).signIn();
        return tokenStorage.dump;
      };
      expect(await dumpWith(undefined)).not.toContain("upstream-access");
      expect(await dumpWith(KEY)).not.toContain("upstream-access");
      expect(await dumpWith(Buffer.from(KEY))).not.toContain("upstream-access");
      expect(world.eventsOf("warning")).toEqual([]);
      expect(await dumpWith(false)).toContain("upstream-access");
      expect(
        world
          .eventsOf("warning")
          .map(({ message }) => message)
          .join(),
      ).toContain("plaintext");

      const { tokens } = await world.server({ encryptionKey: KEY }).signIn();
      const [rotated, stranger] = [
        world.server({ encryptionKey: [OTHER_KEY, KEY] }),
        world.server({ encryptionKey: OTHER_KEY }),
      ];
      expect(await rotated.auth.loadUpstreamTokens(tokens.access_token)).toHaveProperty("accessToken");
      expect(await stranger.auth.loadUpstreamTokens(tokens.access_token)).toBeNull();
    },
  ],
  consentSigningKey: [
    "signs the cookies of the sign-in",
    async () => {
      const world = new World();
      const server = world.server({ consentSigningKey: KEY });
      expect((await postedTo(server, world.server({ consentSigningKey: [OTHER_KEY, KEY] }))).status).toBe(303);
      expect((await postedTo(server, world.server({ consentSigningKey: OTHER_KEY }))).status).toBe(403);
    },
  ],
  onEvent: [
    "is told what happens; without it warnings go to the console, one line each",
    async () => {
      const world = new World();
      await world.server().signIn();
      expect(world.events.map(({ type }) => type)).toEqual([
        "client.registered",
        "consent.shown",
        "consent.granted",
        "sign_in.completed",
        "code.issued",
        "code.redeemed",
      ]);
      const printed = vi.spyOn(console, "warn").mockReturnValue();
      new OAuthProxy({ ...REQUIRED, encryptionKey: false });
      expect(printed.mock.calls).toEqual([[expect.stringMatching(/^\[sallyport\] encryptionKey is false: [^\n]+$/)]]);
      printed.mockRestore();
    },
  ],
  runtime: [
    "replaces clock, randomness and outgoing requests, each by itself",
    async () => {
      const fetched: string[] = [];
      const runtime = {
        now: () => 1_700_000_000,
        randomBytes: (size: number) => Buffer.alloc(size, fetched.length),
        fetch: async (url: string) => {
          fetched.push(url);
          return Response.json({ access_token: "a" });
        },
      };
      const { tokens } = await new World().server({ runtime, tokenStorage: undefined }).signIn();
      expect(fetched).toEqual([`${UPSTREAM}/token`]);
      expect(decodeJwt(tokens.access_token).iat).toBe(1_700_000_000);
    },
  ],
};

const REQUIRED: OAuthProxyConfig = {
  baseUrl: BASE_URL,
  upstreamAuthorizationEndpoint: `${UPSTREAM}/authorize`,
  upstreamTokenEndpoint: `${UPSTREAM}/token`,
  upstreamClientId: "our-app",
  upstreamClientSecret: "upstream-client-secret-0123456789abcdef",
};

describe("every option is read", () => {
  test.each(Object.entries(EFFECTS).map(([option, [behaviour, proof]]) => ({ option, behaviour, proof })))(
    "$option $behaviour",
    async ({ proof }) => {
      expect.hasAssertions();
      await proof();
    },
  );
});

describe("customClaimsPassthrough", () => {
  /** As above, one for each. */
  const CLAIMS: Readonly<Record<keyof CustomClaimsPassthroughConfig, Effect>> = {
    fromAccessToken: [
      "false leaves out the access token's",
      async () => {
        const claims = await claimsWith({ fromAccessToken: false });
        expect(claims).toMatchObject({ from: "id" });
        expect(claims).not.toHaveProperty("roles");
      },
    ],
    fromIdToken: [
      "false leaves out the ID token's",
      async () => expect(await claimsWith({ fromIdToken: false })).not.toHaveProperty("email"),
    ],
    claimPrefix: [
      "stands before every name, and can not make a protected one",
      async () => {
        const claims = await claimsWith({ claimPrefix: "client_" }, { id: "evil", role: "user" });
        expect(claims).toMatchObject({ client_role: "user", client_email: "alice@example.com" });
        expect(claims.client_id).not.toBe("evil");
        expect(claims).not.toHaveProperty("role");
      },
    ],
    allowedClaims: [
      "are the only ones, and can not name a protected one",
      async () => {
        const claims = await claimsWith(
          { allowedClaims: ["roles", "scope", "aud"] },
          { roles: ["user"], scope: "root", aud: "x" },
        );
        expect(claims).toMatchObject({ roles: ["user"], scope: "read", aud: RESOURCE });
        expect(claims).not.toHaveProperty("email");
      },
    ],
    blockedClaims: [
      "never are",
      async () => expect(await claimsWith({ blockedClaims: ["email"] })).not.toHaveProperty("email"),
    ],
    maxClaimValueSize: [
      "leaves out longer values",
      async () => {
        expect(await claimsWith({ maxClaimValueSize: 17 })).toHaveProperty("email");
        expect(await claimsWith({ maxClaimValueSize: 16 })).not.toHaveProperty("email");
      },
    ],
    allowComplexClaims: [
      "lets objects in",
      async () => {
        expect(await claimsWith({})).not.toHaveProperty("deep");
        expect(await claimsWith({ allowComplexClaims: true })).toHaveProperty("deep", [{ a: 1 }]);
      },
    ],
  };

  test.each(Object.entries(CLAIMS).map(([option, [behaviour, proof]]) => ({ option, behaviour, proof })))(
    "$option $behaviour",
    async ({ proof }) => {
      expect.hasAssertions();
      await proof();
    },
  );
});

describe("clients", () => {
  const redirectUris = [REDIRECT_URI];

  test("tokenEndpointAuthMethod limits a confidential client to one method", async () => {
    const client = {
      clientId: "app",
      clientSecret: "s3cret",
      redirectUris,
      tokenEndpointAuthMethod: "client_secret_basic",
    } as const;
    const server = new World().server({ clients: [client] });
    const authorized = await server.authorize({ client });
    expect(await refusalOf(await server.redeem(authorized, { client_secret: "s3cret" }))).toBe("401 invalid_client");
  });

  test("grantTypes without refresh_token gives none", async () => {
    const client = { clientId: "app", redirectUris, grantTypes: ["authorization_code"] } as const;
    const { tokens } = await new World().server({ clients: [client] }).signIn({ client });
    expect(tokens).not.toHaveProperty("refresh_token");
  });

  test("a private scheme is allowed by the operator's word", async () => {
    const client = { clientId: "app", redirectUris: ["com.example.app:/cb"] };
    const server = new World().server({ clients: [client] });
    const url = server.authorizationUrl(client, challenge, { redirect_uri: "com.example.app:/cb" });
    expect(await (await server.get(url)).text()).toContain('<span class="host">com.example.app:</span>');
  });
});

describe("what can not work is said at start", () => {
  const client = { clientId: "app", redirectUris: [REDIRECT_URI] };
  /** Distinctive, so that it would be seen in a message. */
  const V = "v4lue";

  /** A configuration as a program without types would pass it. */
  const untyped = (config: Readonly<Record<string, unknown>>) => config as Partial<OAuthProxyConfig>;

  const WRONG: readonly (readonly [option: string, config: Partial<OAuthProxyConfig>])[] = [
    ["baseUrl", { baseUrl: V }],
    ["baseUrl", { baseUrl: `http://${V}.example.com` }],
    ["baseUrl", { baseUrl: `ftp://${V}.example.com` }],
    ["baseUrl", { baseUrl: `https://${V}@example.com` }],
    ["baseUrl", { baseUrl: `https://example.com/?${V}` }],
    ["baseUrl", { baseUrl: `https://example.com/#${V}` }],
    ["baseUrl", untyped({ baseUrl: undefined })],
    ["upstreamAuthorizationEndpoint", { upstreamAuthorizationEndpoint: `/${V}` }],
    ["upstreamAuthorizationEndpoint", { upstreamAuthorizationEndpoint: `http://${V}.example.com` }],
    ["upstreamTokenEndpoint", { upstreamTokenEndpoint: `http://10.0.0.1/${V}` }],
    ["upstreamUserinfoEndpoint", { upstreamUserinfoEndpoint: V }],
    ["upstreamRevocationEndpoint", { upstreamRevocationEndpoint: V }],
    ["upstreamClientId", { upstreamClientId: "" }],
    ["upstreamClientId", untyped({ upstreamClientId: undefined })],
    ["upstreamClientSecret", { upstreamClientSecret: "" }],
    ["upstreamClientSecret", untyped({ upstreamClientSecret: undefined })],
    ["upstreamTokenEndpointAuthMethod", untyped({ upstreamTokenEndpointAuthMethod: V })],
    ["upstreamRequestTimeoutMs", { upstreamRequestTimeoutMs: 0 }],
    ["upstreamRequestTimeoutMs", untyped({ upstreamRequestTimeoutMs: V })],
    ["scopes", { scopes: [`${V} ${V}`] }],
    ["scopes", { scopes: [`"${V}"`] }],
    ["resourceScopes", { resourceScopes: [""] }],
    ["defaultScopes", { defaultScopes: [V] }],
    ["defaultScopes", { resourceScopes: ["a"], defaultScopes: ["a", V] }],
    ["basePath", { basePath: V }],
    ["basePath", { basePath: `/${V}/../x` }],
    ["basePath", { basePath: `/${V}?x` }],
    ["redirectPath", { redirectPath: `https://${V}.example.com/cb` }],
    ["redirectPath", { redirectPath: `//${V}` }],
    ["redirectPath", { redirectPath: "/oauth/token" }],
    ["resources", { resources: [] }],
    ["resources[0]", { resources: [V] }],
    ["resources[0]", { resources: [`https://example.com/mcp?${V}`] }],
    ["resources[0]", { resources: [`https://example.com/mcp#${V}`] }],
    ["resources[1]", { resources: [RESOURCE, `http://${V}.example.com/mcp`] }],
    ["resources[1]", { resources: [RESOURCE, `https://${V}.example.com/mcp`] }],
    ["resources[1]", { resources: [RESOURCE, `${RESOURCE}/`] }],
    ["allowedOrigins[0]", { allowedOrigins: [`https://${V}.example.com/`] }],
    ["allowedOrigins[1]", { allowedOrigins: ["https://example.com", `${V}.example.com`] }],
    ["allowedOrigins[0]", { allowedOrigins: [`https://*.${V}.com`] }],
    ["allowedOrigins[0]", { allowedOrigins: ["*"] }],
    ["allowedOrigins[0]", { allowedOrigins: ["null"] }],
    ["allowedOrigins[0]", { allowedOrigins: [`https://${V}.example.com:443`] }],
    ["clients[0].clientId", { clients: [{ ...client, clientId: "" }] }],
    ["clients[0].clientId", { clients: [{ ...client, clientId: `${V}\n` }] }],
    ["clients[1].clientId", { clients: [client, client] }],
    ["clients[0].redirectUris", { clients: [{ ...client, redirectUris: [] }] }],
    ["clients[0].redirectUris[1]", { clients: [{ ...client, redirectUris: [REDIRECT_URI, `javascript:${V}`] }] }],
    ["clients[0].clientSecret", { clients: [{ ...client, clientSecret: "" }] }],
    ["clients[0].tokenEndpointAuthMethod", { clients: [{ ...client, tokenEndpointAuthMethod: "client_secret_post" }] }],
    [
      "clients[0].tokenEndpointAuthMethod",
      { clients: [{ ...client, clientSecret: V, tokenEndpointAuthMethod: "none" }] },
    ],
    ["upstreamAuthorizationEndpoint", { upstreamAuthorizationEndpoint: undefined }],
    ["provider", untyped({ provider: V })],
    ["provider.id", { provider: { ...providerAt("one"), id: `${V} ` } }],
    ["provider.id", { provider: { ...providerAt("one"), id: "One" } }],
    ["provider.id", { provider: { ...providerAt("one"), id: "a".repeat(33) } }],
    ["provider.id", { provider: { ...providerAt("one"), id: "upstream" } }],
    ["provider.id", { provider: { ...providerAt("one"), id: "anonymous" } }],
    ["provider.name", { provider: { ...providerAt("one"), name: " " } }],
    ["provider.scopes", { provider: { ...providerAt("one"), scopes: [`${V} ${V}`] } }],
    ["providers", { providers: [] }],
    ["providers", { provider: providerAt("one"), providers: [providerAt("two")] }],
    ["providers[1]", { providers: [providerAt("one"), providerAt("one")] }],
    ["providers[1]", untyped({ providers: [providerAt("one"), V] })],
    ["secret", { providers: [providerAt("one")], secret: undefined }],
    ["secret", { provider: providerAt("one", { clientSecret: () => V }), secret: undefined }],
    ["scopes", { provider: providerAt("one"), scopes: [V] }],
    ["upstreamClientId", { providers: [providerAt("one")], upstreamClientId: V }],
    ["extraAuthorizationParams", { provider: providerAt("one"), extraAuthorizationParams: { a: V } }],
    ["redirectPath", { providers: [providerAt("token")], redirectPath: "/oauth" }],
    ["allow", { allow: {} }],
    ["allow", { allow: [] }],
    ["allow", untyped({ allow: V })],
    ["allow", untyped({ allow: null })],
    ["allow", untyped({ allow: { emails: undefined } })],
    ["allow[1]", untyped({ allow: [{ emails: [`a@${V}.example`] }, { groups: undefined }] })],
    ["allow.domains", untyped({ allow: { domains: [V] } })],
    ["allow.emails", { allow: { emails: [] } }],
    ["allow.emails", untyped({ allow: { emails: `a@${V}.example` } })],
    ["allow.emails", { allow: { emails: [V] } }],
    ["allow.groups", { allow: { groups: [""] } }],
    ["allow.emailDomains", { allow: { emailDomains: [`@${V}.example`] } }],
    ["allow.emailDomains", { allow: { emailDomains: [`*.${V}.example`] } }],
    ["allow.providers", { allow: { providers: [V] } }],
    ["allow.providers", { providers: [providerAt("one"), providerAt("two")], allow: { groups: [V] } }],
    ["allow[0].providers", { providers: [providerAt("one"), providerAt("two")], allow: [{ tenants: [V] }] }],
    ["allowedRedirectUriPatterns", { allowedRedirectUriPatterns: ["https://*"] }],
    ["allowedRedirectUriPatterns", { allowedRedirectUriPatterns: [`${V}`] }],
    ["enableTokenSwap", { enableTokenSwap: false }],
    ["customClaimsPassthrough.maxClaimValueSize", { customClaimsPassthrough: { maxClaimValueSize: -1 } }],
    ["tokenStorage", untyped({ tokenStorage: V })],
    ["tokenStorage", untyped({ tokenStorage: { get: async () => V, save: async () => undefined } })],
    ["secret", { secret: V }],
    ["secret", { secret: [] }],
    ["secret", { secret: V.repeat(20) }],
    ["secret[1]", { secret: [SECRET, V] }],
    ["secret[1]", { secret: [SECRET, SECRET] }],
    ["secret", { secret: undefined, upstreamClientSecret: V }],
    ["jwtSigningKey", { jwtSigningKey: V }],
    ["signing", untyped({ signing: V })],
    ["signing", { signing: signingWith(KEY), enableTokenSwap: false, passThroughAudienceCheck: false }],
    ["jwtSigningKey", { signing: signingWith(KEY), jwtSigningKey: `${V}-${KEY}` }],
    ["encryptionKey", { encryptionKey: Buffer.from(V) }],
    ["encryptionKey", { encryptionKey: "" }],
    ["consentSigningKey", { consentSigningKey: V }],
    ...(
      [
        ["transactionTtl", 0],
        ["authorizationCodeTtl", -1],
        ["accessTokenTtl", 0.5],
        ["refreshTokenTtl", Number.POSITIVE_INFINITY],
        ["refreshTokenGracePeriod", -1],
        ["revocationCheckTtl", Number.NaN],
        ["rememberConsent", 1e12],
      ] as const
    ).flatMap(([option, value]): [string, Partial<OAuthProxyConfig>][] => [
      [option, { [option]: value }],
      [option, untyped({ [option]: V })],
    ]),
  ];

  test.each(WRONG)("%s: %j", (option, config) => {
    const make = () => new World().server(config);
    expect(make).toThrow(expect.objectContaining({ name: "ConfigurationError", option }));
    // It names the option and never the value.
    expect(make).toThrow(new RegExp(`^${option.replace(/[[\].]/g, "\\$&")}: `));
    expect(make).not.toThrow(V);
  });

  test("http is for loopback, and chosen by writing it", () => {
    for (const host of ["localhost:3000", "127.0.0.1", "[::1]:1"]) {
      expect(() => new World().server({ baseUrl: `http://${host}` })).not.toThrow();
    }
  });

  test("the documented defaults hold where nothing is set", async () => {
    const printed = vi.spyOn(console, "warn").mockReturnValue();
    const auth = new OAuthProxy(REQUIRED);
    expect(auth.getAuthorizationServerMetadata()).toMatchObject({
      issuer: BASE_URL,
      registrationEndpoint: `${BASE_URL}/oauth/register`,
    });
    expect(auth.getAuthorizationServerMetadata()).not.toHaveProperty("scopesSupported");
    const { tokens } = await new World().server().signIn();
    expect(tokens.expires_in).toBe(3600);
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
  });

  test("a storage with only the documented verbs works, and is warned about once", async () => {
    const world = new World();
    const inner = new RecordingStorage({ now: () => world.now });
    const tokenStorage = {
      get: (key: string) => inner.get(key),
      save: (key: string, value: unknown, ttl?: number) => inner.save(key, value, ttl),
      delete: (key: string) => inner.delete(key),
      cleanup: () => inner.cleanup(),
    };
    const server = world.server({ tokenStorage });
    const { client, tokens } = await server.signIn();
    expect((await server.refresh(client, tokens.refresh_token)).status).toBe(200);
    expect(world.eventsOf("warning")).toHaveLength(1);
    expect(world.eventsOf("warning")[0]?.message).toContain("Several processes must not share it");
  });

  test("a short upstream secret is stretched, and warned about", () => {
    const world = new World();
    world.server({ secret: undefined, upstreamClientSecret: "0123456789" });
    expect(world.eventsOf("warning")[0]?.message).toContain("Set the option secret");
  });
});
