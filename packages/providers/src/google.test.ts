/** Google, against a stand-in that behaves as Google does. */
import type { UpstreamOptions } from "@sallyport/contracts/upstream";
import { expect, test } from "vitest";
import { open } from "../test/world.ts";
import { GoogleProvider, type GoogleProviderConfig } from "./google.ts";

const API = "https://www.googleapis.com/auth/";

/** As `https://accounts.google.com/.well-known/openid-configuration` has it, and as the token endpoint answers. */
const GOOGLE: UpstreamOptions = {
  issuer: "https://accounts.google.com",
  endpoints: {
    authorization: "https://accounts.google.com/o/oauth2/v2/auth",
    token: "https://oauth2.googleapis.com/token",
    userinfo: "https://openidconnect.googleapis.com/v1/userinfo",
    revocation: "https://oauth2.googleapis.com/revoke",
    jwks: "https://www.googleapis.com/oauth2/v3/certs",
  },
  person: {
    sub: "110169484474386276334",
    email: "alice@gmail.com",
    email_verified: true,
    name: "Alice",
    picture: "https://lh3.example.com/alice",
  },
  discovery: (document) => ({ json: { ...document, authorization_response_iss_parameter_supported: true } }),
  authorization: (parameters) => ({ ...parameters, iss: "https://accounts.google.com" }),
  givesRefreshToken: ({ authorization }) =>
    authorization.get("access_type") === "offline" && authorization.get("prompt") === "consent",
  token: (answer, { session }) => {
    const granted = session?.scope.map((word) =>
      ["email", "profile"].includes(word) ? `${API}userinfo.${word}` : word,
    );
    return { json: { ...answer, scope: granted?.join(" ") } };
  },
};

const openGoogle = (config: Partial<GoogleProviderConfig> = {}, upstream: UpstreamOptions = {}) =>
  open({ ...GOOGLE, ...upstream }, (common) => new GoogleProvider({ ...common, ...config }));

const withIdToken = (claims: Readonly<Record<string, unknown>>): UpstreamOptions => ({
  idToken: (token) => ({ ...token, claims: { ...token.claims, ...claims } }),
});

test("a person signs in, and is somebody by the `sub` that stays", async () => {
  const world = await openGoogle();

  const { claims, tokens } = await world.signIn();

  expect(claims).toMatchObject({
    sub: "google|110169484474386276334",
    name: "Alice",
    picture: "https://lh3.example.com/alice",
  });
  expect(tokens?.scope).toBe("openid profile email");
});

test("the default scopes are openid, profile and email", async () => {
  const { url } = await (await openGoogle()).begin();

  expect(url.origin + url.pathname).toBe("https://accounts.google.com/o/oauth2/v2/auth");
  expect(url.searchParams.get("scope")).toBe("openid profile email");
});

test("access_type=offline and prompt=consent bring a refresh token, with which the upstream's tokens are renewed", async () => {
  const world = await openGoogle();
  await world.signIn();
  const first = await world.upstreamTokens();

  world.pass(3590);
  await world.refresh();
  const second = await world.upstreamTokens();

  expect(second?.accessToken).not.toBe(first?.accessToken);
  expect(world.upstream.isLiving(second?.accessToken ?? "")).toBe(true);
});

test("without access_type=offline no refresh token comes, and our own goes on", async () => {
  const world = await openGoogle({ extraAuthorizationParams: { access_type: "online" } });
  await world.signIn();

  world.pass(60);

  expect((await world.refresh()).tokens?.scope).toBe("openid profile email");
  expect(world.upstream.requestsTo("token")).toHaveLength(1);
});

test("a bare scope name stands for its URL, and one that is a URL stays", async () => {
  const world = await openGoogle({ scopes: ["email", "gmail.readonly", "https://mail.google.com/"] });
  const { tokens } = await world.signIn();

  const asked = `openid email ${API}gmail.readonly https://mail.google.com/`;
  expect(world.upstream.requestsTo("authorization")[0]?.url.searchParams.get("scope")).toBe(asked);
  expect(tokens?.scope).toBe(asked);
});

test("a scope that was configured by its long name is granted by it", async () => {
  const world = await openGoogle({ scopes: [`${API}userinfo.email`] });

  expect((await world.signIn({ scope: "openid" })).tokens?.scope).toBe(`openid ${API}userinfo.email`);
});

test("a scope that the person unticked is not granted", async () => {
  const world = await openGoogle(
    { scopes: ["email", "gmail.readonly"] },
    { token: (answer) => ({ json: { ...answer, scope: `openid ${API}userinfo.email` } }) },
  );

  expect((await world.signIn()).tokens?.scope).toBe("openid email");
});

test("offline_access, which Google refuses, is never asked for", async () => {
  const { url } = await (await openGoogle({ scopes: ["email", "offline_access"] })).begin();

  expect(url.searchParams.get("scope")).toBe("openid email");
});

test("RFC 9207 §2.4: the authorization response's iss is checked, and has to be there where Google says that it is", async () => {
  const foreign = await openGoogle({}, { authorization: (answer) => ({ ...answer, iss: "https://evil.example.com" }) });
  const without = await openGoogle({}, { authorization: (answer) => answer });

  expect(await foreign.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_issuer" });
  expect(await without.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_issuer" });
  expect(foreign.upstream.requestsTo("token")).toHaveLength(0);
});

test("an ID token of old, whose issuer has no scheme, is Google's as well", async () => {
  const world = await openGoogle({}, withIdToken({ iss: "accounts.google.com" }));

  expect((await world.signIn()).claims).toMatchObject({ sub: "google|110169484474386276334" });
});

test.each([
  { aud: "another-app" },
  { aud: ["our-app", "another-app"] },
  { aud: ["our-app", "another-app"], azp: "another-app" },
  { iss: "https://accounts.google.com.evil.example" },
  { iss: "http://accounts.google.com" },
  { nonce: "of another sign-in" },
  { nonce: undefined },
  { exp: 1_799_999_000 },
  { sub: undefined },
])("OpenID Connect Core §3.1.3.7: an ID token with %j signs nobody in", async (claims) => {
  const world = await openGoogle({}, withIdToken(claims));

  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});

test.each([{ alg: "none" }, { alg: "HS256" }, { alg: "ES256" }])(
  "RFC 8725 §3.1: an ID token with the header %j signs nobody in",
  async (header) => {
    const world = await openGoogle({}, { idToken: (token) => ({ ...token, header: { ...token.header, ...header } }) });

    expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
  },
);

test("an answer without an ID token signs nobody in", async () => {
  const world = await openGoogle({}, { idToken: () => undefined });

  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});

test("an ID token that another key signed signs nobody in", async () => {
  const world = await openGoogle({}, { idToken: (token) => ({ ...token, key: "unpublished" }) });

  expect(await world.signIn()).toMatchObject({ tokens: undefined, reason: "upstream_identity" });
});

test("Google's keys rotate, and nobody notices", async () => {
  const world = await openGoogle();
  await world.signIn();

  world.upstream.rotateKey();
  world.pass(60);

  expect((await world.signIn()).claims).toMatchObject({ sub: "google|110169484474386276334" });
});

test("while Google's keys can't be had, the client is told to come again", async () => {
  const world = await openGoogle({}, { jwks: () => ({ status: 503 }) });

  expect(await world.signIn()).toMatchObject({ error: "temporarily_unavailable" });
});

test("hostedDomain is a hint for Google, and who may sign in is decided by the ID token's hd", async () => {
  const config = { hostedDomain: "example.com", allow: { organizations: ["example.com"] } };
  const member = await openGoogle(config, withIdToken({ email: "alice@example.com", hd: "example.com" }));
  const stranger = await openGoogle(config, withIdToken({ email: "alice@example.com" }));

  expect((await member.begin()).url.searchParams.get("hd")).toBe("example.com");
  expect((await member.signIn()).claims).toMatchObject({ email: "alice@example.com" });
  expect((await stranger.signIn()).tokens).toBeUndefined();
});

test.each([
  ["alice@gmail.com", undefined, true, true],
  ["alice@googlemail.com", undefined, true, true],
  ["alice@example.com", "example.com", true, true],
  ["alice@example.org", "example.com", true, true],
  // Made with an address of somebody's company, and no account of that company.
  ["alice@example.com", undefined, true, false],
  ["alice@notgmail.com", undefined, true, false],
  ["alice@gmail.com.evil.example", undefined, true, false],
  ["alice@gmail.com", undefined, false, false],
  ["alice@example.com", "example.com", false, false],
])(
  "of %s in the Workspace domain %s, with email_verified %s, it is %s that Google vouches for the address",
  async (email, hd, claimed, vouched) => {
    const world = await openGoogle({}, withIdToken({ email, hd, email_verified: claimed }));

    expect((await world.signIn()).claims).toMatchObject({ email, email_verified: vouched });
  },
);

test("Google's tokens end with the grant, by one request", async () => {
  const world = await openGoogle();
  await world.signIn();

  await world.revoke();

  expect(world.upstream.requestsTo("revocation").map(({ form }) => form.get("token_type_hint"))).toEqual([
    "refresh_token",
  ]);
});

test("a client can't add a scope, and can't leave out those that say who it is", async () => {
  const { url } = await (await openGoogle({ scopes: ["email", "gmail.readonly", "drive"] })).begin({
    scope: `${API}drive ${API}calendar`,
  });

  expect(url.searchParams.get("scope")).toBe(`openid email ${API}drive`);
});
