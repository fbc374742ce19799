/** `OIDCProvider` in front of a real OpenID Connect provider, over HTTP, with a browser that fills in its page. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type IdentityProvider, startIdentityProvider } from "@sallyport/example-demo-idp";
import { ScriptedBrowser } from "@sallyport/example-demo-idp/scripted-browser";
import { oauth } from "@sallyport/node-http";
import { PKCEUtils } from "@sallyport/oauth-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OIDCProvider } from "./oidc.ts";

const CALLBACK = "http://127.0.0.1:49152/callback";
const SECRET = "the client secret of this test, which is long enough";

let provider: IdentityProvider;
let server: Server;
let auth: OIDCProvider;
let endpoints: ReturnType<typeof oauth>;
let baseUrl: string;
/** Seconds by which the server's clock is ahead of the provider's. */
let ahead = 0;
/** What the server asked of the provider, by path. */
const asked: string[] = [];

beforeAll(async () => {
  server = createServer((req, res) => endpoints(req, res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  provider = await startIdentityProvider({
    clients: [{ clientId: "our-app", clientSecret: SECRET, redirectUris: [`${baseUrl}/oauth/callback`] }],
    accessTokenTtl: 300,
  });
  auth = new OIDCProvider({
    baseUrl,
    issuer: provider.issuer,
    clientId: "our-app",
    clientSecret: SECRET,
    scopes: ["openid", "profile", "email", "offline_access"],
    extraAuthorizationParams: { prompt: "consent" },
    runtime: {
      now: () => Math.floor(Date.now() / 1000) + ahead,
      fetch: (url, init) => {
        asked.push(new URL(url).pathname);
        return fetch(url, init);
      },
    },
  });
  endpoints = oauth(auth);
});

afterAll(async () => {
  await provider.close();
  await new Promise((resolve) => server.close(resolve));
});

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
}

async function register(): Promise<string> {
  const answer = await fetch(`${baseUrl}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ redirect_uris: [CALLBACK], client_name: "Test client" }),
  });
  return String(((await answer.json()) as { client_id: unknown }).client_id);
}

const token = (form: Readonly<Record<string, string>>) =>
  fetch(`${baseUrl}/oauth/token`, { method: "POST", body: new URLSearchParams(form) });

async function signIn(username: string, press: "sign-in" | "cancel" = "sign-in") {
  const clientId = await register();
  const { verifier, challenge } = PKCEUtils.generatePair();
  const browser = new ScriptedBrowser({ stopAt: (url) => url.href.startsWith(CALLBACK) });
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: CALLBACK,
    code_challenge: challenge,
    code_challenge_method: "S256",
    resource: `${baseUrl}/mcp`,
    state: "s",
  });
  const consent = await browser.open(`${baseUrl}/oauth/authorize?${query}`);
  const page = await browser.submit(consent, { action: "approve" });
  const { url } = await browser.submit(page, { username, action: press });
  const code = url.searchParams.get("code") ?? "";
  const answer = await token({
    grant_type: "authorization_code",
    client_id: clientId,
    code,
    code_verifier: verifier,
    redirect_uri: CALLBACK,
  });
  return { clientId, url, tokens: (await answer.json()) as Tokens };
}

async function accessWith({ access_token }: Tokens) {
  const access = await auth.protect(
    new Request(`${baseUrl}/mcp`, { headers: { authorization: `Bearer ${access_token}` } }),
  );
  if (access instanceof Response) throw new Error(`refused: ${access.status}`);
  return access;
}

test("a person signs in, by an ID token whose signature, nonce and issuer hold, and UserInfo", async () => {
  const { tokens } = await signIn("zoë@example.org");

  expect(await accessWith(tokens)).toMatchObject({
    subject: "oidc|zoë@example.org",
    claims: { email: "zoë@example.org", email_verified: true, roles: ["user"], groups: ["everyone"] },
  });
  expect(asked).toEqual(expect.arrayContaining(["/.well-known/openid-configuration", "/token", "/jwks", "/userinfo"]));
});

test("the provider's tokens are renewed with its rotating refresh token, and UserInfo takes the new one", async () => {
  const { clientId, tokens } = await signIn("alice");
  const first = await auth.loadUpstreamTokens(tokens.access_token);

  ahead = 280;
  const answer = await token({ grant_type: "refresh_token", client_id: clientId, refresh_token: tokens.refresh_token });
  const refreshed = (await answer.json()) as Tokens;
  const second = await auth.loadUpstreamTokens(refreshed.access_token);
  const userinfo = await fetch(provider.endpoints.userinfo, {
    headers: { authorization: `Bearer ${second?.accessToken}` },
  });

  expect(second?.accessToken).not.toBe(first?.accessToken);
  expect(await userinfo.json()).toMatchObject({ sub: "alice" });
  expect((await accessWith(refreshed)).subject).toBe("oidc|alice");
});

test("RFC 7009 §2: whoever signs out is signed out at the provider", async () => {
  const { clientId, tokens } = await signIn("alice");
  const upstream = await auth.loadUpstreamTokens(tokens.access_token);

  await fetch(`${baseUrl}/oauth/revoke`, {
    method: "POST",
    body: new URLSearchParams({ client_id: clientId, token: tokens.refresh_token }),
  });
  const userinfo = await fetch(provider.endpoints.userinfo, {
    headers: { authorization: `Bearer ${upstream?.accessToken}` },
  });

  expect(userinfo.status).toBe(401);
});

test("whoever cancels at the provider goes back to the client with access_denied", async () => {
  const { url } = await signIn("alice", "cancel");

  expect(Object.fromEntries(url.searchParams)).toMatchObject({ error: "access_denied", state: "s" });
});
