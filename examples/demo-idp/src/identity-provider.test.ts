/** The identity provider as its clients and its people meet it. */
import * as oauth from "oauth4webapi";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type IdentityProvider, startIdentityProvider } from "./identity-provider.ts";
import { type Page, ScriptedBrowser } from "./scripted-browser.ts";

const CALLBACK = "https://app.example.com/callback";
const client: oauth.Client = { client_id: "app" };
const authentication = oauth.ClientSecretBasic("the secret of the app");
const insecure = { [oauth.allowInsecureRequests]: true };

let provider: IdentityProvider;
let server: oauth.AuthorizationServer;
let outage = false;

beforeAll(async () => {
  provider = await startIdentityProvider({
    clients: [
      { clientId: "app", clientSecret: "the secret of the app", redirectUris: [CALLBACK], clientName: "The <app>" },
    ],
    accessTokenTtl: 77,
    intercept: (_req, res) => {
      if (outage) res.writeHead(503).end();
      return outage;
    },
  });
  const issuer = new URL(provider.issuer);
  server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
});
afterAll(() => provider.close());

const newBrowser = () => new ScriptedBrowser({ stopAt: (url) => url.href.startsWith(CALLBACK) });

async function authorizationUrl(parameters: Readonly<Record<string, string>>, verifier: string): Promise<URL> {
  const url = new URL(provider.endpoints.authorization);
  url.search = new URLSearchParams({
    client_id: "app",
    redirect_uri: CALLBACK,
    response_type: "code",
    scope: "openid profile email",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...parameters,
  }).toString();
  return url;
}

interface Visit {
  readonly browser?: ScriptedBrowser;
  readonly parameters?: Readonly<Record<string, string>>;
}

async function signedIn(userName: string, { browser = newBrowser(), parameters = {} }: Visit = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const page = await browser.open(await authorizationUrl(parameters, verifier));
  const end = await browser.submit(page, { username: userName, action: "sign-in" });
  const callback = oauth.validateAuthResponse(server, client, end.url);
  const answer = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    authentication,
    callback,
    CALLBACK,
    verifier,
    insecure,
  );
  return oauth.processAuthorizationCodeResponse(server, client, answer, { requireIdToken: true });
}

const refreshed = async (refreshToken: string) =>
  oauth.processRefreshTokenResponse(
    server,
    client,
    await oauth.refreshTokenGrantRequest(server, client, authentication, refreshToken, insecure),
  );

const userinfo = (accessToken: string) =>
  fetch(provider.endpoints.userinfo, { headers: { authorization: `Bearer ${accessToken}` } });

const offline = { scope: "openid offline_access", prompt: "consent" };

test("OpenID Connect Core §3.1: any user name signs in, and the ID token says who it is", async () => {
  const tokens = await signedIn("zoë@example.org");

  expect(oauth.getValidatedIdTokenClaims(tokens)).toMatchObject({
    sub: "zoë@example.org",
    email: "zoë@example.org",
    roles: ["user"],
    groups: ["everyone"],
  });
  expect(tokens.expires_in).toBe(77);
  expect(tokens.refresh_token).toBeUndefined();
});

test("OpenID Connect Core §5.3: the userinfo endpoint describes the person", async () => {
  const { access_token } = await signedIn("alice");

  expect(await (await userinfo(access_token)).json()).toEqual({
    sub: "alice",
    name: "alice",
    preferred_username: "alice",
    email: "alice@example.com",
    email_verified: true,
    roles: ["user"],
    groups: ["everyone"],
  });
});

test("the person named admin has the role admin", async () => {
  expect(oauth.getValidatedIdTokenClaims(await signedIn("admin"))?.roles).toContain("admin");
});

test("OpenID Connect Core §11: offline_access gives a refresh token, with prompt=consent", async () => {
  expect((await signedIn("alice", { parameters: { scope: "openid offline_access" } })).refresh_token).toBeUndefined();
  expect((await signedIn("alice", { parameters: offline })).refresh_token).toBeTypeOf("string");
});

test("RFC 9700 §4.14: a refresh token is rotated, and its second use ends the grant", async () => {
  const { refresh_token: first = "" } = await signedIn("alice", { parameters: offline });
  const { refresh_token: second = "", access_token } = await refreshed(first);

  expect(second).not.toBe(first);
  await expect(refreshed(first)).rejects.toMatchObject({ error: "invalid_grant" });
  await expect(refreshed(second)).rejects.toMatchObject({ error: "invalid_grant" });
  expect((await userinfo(access_token)).status).toBe(401);
});

test("RFC 7009 §2: a revoked refresh token takes its access tokens along", async () => {
  const { refresh_token = "", access_token } = await signedIn("alice", { parameters: offline });
  await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, authentication, refresh_token, insecure),
  );

  expect((await userinfo(access_token)).status).toBe(401);
});

test("RFC 7636 §4.4.1: an authorization request without code challenge is refused", async () => {
  const end = await newBrowser().open(
    await authorizationUrl({ code_challenge: "" }, oauth.generateRandomCodeVerifier()),
  );

  expect(end.url.searchParams.get("error")).toBe("invalid_request");
});

test("RFC 6749 §4.1.2.1: whoever cancels goes back to the client with access_denied", async () => {
  const browser = newBrowser();
  const page = await browser.open(await authorizationUrl({ state: "s" }, oauth.generateRandomCodeVerifier()));
  const end = await browser.submit(page, { action: "cancel" });

  expect(Object.fromEntries(end.url.searchParams)).toMatchObject({
    error: "access_denied",
    state: "s",
    iss: provider.issuer,
  });
});

test("the next person in the same browser is asked again, and may be another one", async () => {
  const browser = newBrowser();
  const names = [];
  for (const name of ["alice", "alice", "bob"])
    names.push(oauth.getValidatedIdTokenClaims(await signedIn(name, { browser }))?.sub);

  expect(names).toEqual(["alice", "alice", "bob"]);
});

test("what can't be a name is asked for again, and the sign-in goes on", async () => {
  const browser = newBrowser();
  const page = await browser.open(await authorizationUrl({}, oauth.generateRandomCodeVerifier()));
  const again = await browser.submit(page, { username: "<script>", action: "sign-in" });

  expect(again.status).toBe(400);
  expect(again.text).toContain("A name begins with a letter or digit");
  expect((await browser.submit(again, { username: "alice", action: "sign-in" })).url.searchParams.has("code")).toBe(
    true,
  );
});

test("the sign-in page names the client, loads nothing and may not be framed", async () => {
  const page: Page = await newBrowser().open(await authorizationUrl({}, oauth.generateRandomCodeVerifier()));

  expect(page.text).toContain("The <app>");
  expect(page.html).not.toMatch(/<script|<link|<img|url\(|https?:/);
  expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
});

test("a sign-in page without its cookie says what to do, and signs nobody in", async () => {
  const page = await newBrowser().open(await authorizationUrl({}, oauth.generateRandomCodeVerifier()));
  const elsewhere = await newBrowser().submit(page, { username: "alice", action: "sign-in" });

  expect(elsewhere.status).toBe(400);
  expect(elsewhere.text).toContain("begin again");
});

test("a client that is added after the start may send people here", async () => {
  await provider.addClient({ clientId: "late", clientSecret: "another secret", redirectUris: [`${CALLBACK}/late`] });
  const url = await authorizationUrl(
    { client_id: "late", redirect_uri: `${CALLBACK}/late` },
    oauth.generateRandomCodeVerifier(),
  );

  expect((await newBrowser().open(url)).text).toContain("to continue to late");
});

test("a request that is intercepted is answered by the interceptor", async () => {
  outage = true;
  try {
    expect((await fetch(provider.endpoints.discovery)).status).toBe(503);
  } finally {
    outage = false;
  }
  expect((await fetch(provider.endpoints.discovery)).status).toBe(200);
});
