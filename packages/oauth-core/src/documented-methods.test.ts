import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { answerOf, locationOf, pageOf } from "../test/answers.ts";
import { BASE_URL, Browser, formOf, idToken, REDIRECT_URI, RESOURCE, UPSTREAM, World } from "../test/harness.ts";
import { PKCEUtils } from "./pkce-utils.ts";
import { OAuthProxyError } from "./protocol/errors.ts";

const { verifier, challenge } = PKCEUtils.generatePair();
const PARAMS = {
  response_type: "code",
  redirect_uri: REDIRECT_URI,
  code_challenge: challenge,
  code_challenge_method: "S256",
};

/** Code and client, made by the documented methods alone. */
async function authorized(world = new World()) {
  const { auth } = world.server();
  const { client_id } = await auth.registerClient({ client_name: "Test client", redirect_uris: [REDIRECT_URI] });
  const browser = new Browser();
  const page = await auth.authorize({ ...PARAMS, client_id, scope: "read", state: "xyz", resource: RESOURCE });
  browser.keep(page);

  const body = new URLSearchParams({ ...formOf(await page.text()), action: "approve" });
  const consent = new Request(`${BASE_URL}/oauth/consent`, {
    method: "POST",
    body,
    headers: { cookie: browser.header() },
  });
  const upstream = await auth.handleConsent(consent);
  browser.keep(upstream);

  const state = locationOf(upstream).searchParams.get("state");
  const url = `${BASE_URL}/oauth/callback?code=upstream-code&state=${state}`;
  const back = await auth.handleCallback(new Request(url, { headers: { cookie: browser.header() } }));
  return { auth, world, clientId: client_id, upstream, back, code: answerOf(back).code ?? "" };
}

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OAuthProxyError)) throw new Error(`not refused: ${String(error)}`);
  return error.code;
}

test("one after the other they are a whole sign-in", async () => {
  const { auth, clientId, upstream, back, code } = await authorized();
  expect(locationOf(upstream).href).toMatch(/^https:\/\/id\.example\.com\/authorize\?/);
  expect(back.status).toBe(302);
  expect(answerOf(back)).toMatchObject({ state: "xyz", iss: BASE_URL });

  const tokens = await auth.exchangeAuthorizationCode({
    grant_type: "authorization_code",
    client_id: clientId,
    code,
    code_verifier: verifier,
    redirect_uri: REDIRECT_URI,
  });
  expect(tokens).toEqual({
    access_token: expect.any(String),
    token_type: "Bearer",
    expires_in: 3600,
    refresh_token: expect.any(String),
    scope: "read",
  });
  const refreshed = await auth.exchangeRefreshToken({
    grant_type: "refresh_token",
    client_id: clientId,
    refresh_token: tokens.refresh_token ?? "",
  });
  expect(refreshed).toMatchObject({ token_type: "Bearer", expires_in: 3600, scope: "read" });
  expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
});

describe("registerClient", () => {
  test("answers with what was registered", async () => {
    const { auth } = new World().server();
    expect(
      await auth.registerClient({
        redirect_uris: [REDIRECT_URI],
        client_name: "A",
        token_endpoint_auth_method: "client_secret_post",
      }),
    ).toEqual({
      client_id: expect.any(String),
      client_id_issued_at: 1_800_000_000,
      client_secret: expect.any(String),
      client_secret_expires_at: 0,
      client_name: "A",
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "client_secret_post",
      scope: "read",
    });
  });

  test("rejects what may not register, also where registration is off", async () => {
    const { auth } = new World().server();
    expect(await refusalOf(auth.registerClient({ redirect_uris: ["https://evil.example/"] }))).toBe(
      "invalid_redirect_uri",
    );
    const off = new World().server({ registration: false }).auth;
    expect(await refusalOf(off.registerClient({ redirect_uris: [REDIRECT_URI] }))).toBe("access_denied");
  });
});

describe("authorize", () => {
  test("shows the consent page, redirects to the upstream, or says what is wrong", async () => {
    const { auth } = new World().server({ consentRequired: false });
    const { client_id } = await auth.registerClient({ redirect_uris: [REDIRECT_URI] });
    const sent = await auth.authorize({ ...PARAMS, client_id });
    expect([sent.status, locationOf(sent).origin]).toEqual([302, UPSTREAM]);
    expect(await pageOf(await auth.authorize({ ...PARAMS, client_id: "nobody" }))).toBe(
      "400 This application is not known here",
    );
  });

  test("several resources are several", async () => {
    const resource = [RESOURCE, `${BASE_URL}/other`];
    const { auth } = new World().server({ resources: resource });
    const { client_id } = await auth.registerClient({ redirect_uris: [REDIRECT_URI] });
    const page = await (await auth.authorize({ ...PARAMS, client_id, resource })).text();
    for (const each of resource) expect(page).toContain(`<span class="uri">${each}</span>`);
  });
});

describe("exchangeAuthorizationCode and exchangeRefreshToken", () => {
  test("reject with the word of the RFC, and burn nothing", async () => {
    const { auth, clientId, code } = await authorized();
    const request = { client_id: clientId, code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    expect(await refusalOf(auth.exchangeAuthorizationCode({ ...request, code_verifier: "v".repeat(64) }))).toBe(
      "invalid_grant",
    );
    expect(await refusalOf(auth.exchangeAuthorizationCode({ ...request, client_id: "nobody" }))).toBe("invalid_client");
    expect(await refusalOf(auth.exchangeAuthorizationCode({ ...request, resource: `${BASE_URL}/x` }))).toBe(
      "invalid_target",
    );
    expect(await auth.exchangeAuthorizationCode(request)).toHaveProperty("access_token");
    expect(await refusalOf(auth.exchangeRefreshToken({ client_id: clientId, refresh_token: "x" }))).toBe(
      "invalid_grant",
    );
  });

  test("each does what it is called, whatever grant_type says", async () => {
    const { auth, clientId, code } = await authorized();
    const request = { grant_type: "refresh_token", client_id: clientId, code, code_verifier: verifier };
    expect(await auth.exchangeAuthorizationCode(request)).toHaveProperty("access_token");
  });
});

describe("loadUpstreamTokens", () => {
  test("gives the upstream's tokens, without its refresh token", async () => {
    const world = new World();
    const server = world.server();
    const id = idToken({ sub: "alice", aud: "our-app", exp: world.now + 60 });
    world.answer = () => world.tokens({ scope: "read", id_token: id });
    const { tokens } = await server.signIn();
    expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toEqual({
      accessToken: "upstream-access-1",
      expiresIn: 3600,
      idToken: id,
      issuedAt: new Date(world.now * 1000),
      scope: ["read"],
      tokenType: "Bearer",
    });
  });

  test("refreshes them first where they have expired, in one go for all who ask", async () => {
    const world = new World();
    const server = world.server({ accessTokenTtl: 7200 });
    const { tokens } = await server.signIn();
    world.now += 3600;
    const loaded = await Promise.all(
      Array.from({ length: 8 }, () => server.auth.loadUpstreamTokens(tokens.access_token)),
    );
    expect(new Set(loaded.map((each) => each?.accessToken))).toEqual(new Set(["upstream-access-2"]));
    expect(world.upstreamRequests).toHaveLength(2);
  });

  test("one read of the storage", async () => {
    const world = new World();
    const server = world.server();
    const { tokens } = await server.signIn();
    world.storage.calls = [];
    await server.auth.loadUpstreamTokens(tokens.access_token);
    expect(world.storage.calls).toEqual(["get grant"]);
  });

  test("null for no token, one that is not ours, one that has expired, and one that was revoked", async () => {
    const world = new World();
    const server = world.server();
    const { client, tokens } = await server.signIn();
    expect(await server.auth.loadUpstreamTokens(undefined)).toBeNull();
    for (const token of ["", "x", "a.b.c", "upstream-access-1", tokens.refresh_token]) {
      expect(await server.auth.loadUpstreamTokens(token)).toBeNull();
    }
    await server.post("/oauth/revoke", { token: tokens.refresh_token, client_id: client.clientId });
    expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toBeNull();
    const other = await server.signIn();
    world.now += 3600;
    expect(await server.auth.loadUpstreamTokens(other.tokens.access_token)).toBeNull();
  });

  test("null where the upstream's own has expired and can not be renewed", async () => {
    const world = new World();
    const server = world.server();
    world.answer = () => ({ body: { access_token: "a", expires_in: 60 } });
    const { tokens } = await server.signIn();
    world.now += 60;
    expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toBeNull();
  });

  test("rejects with temporarily_unavailable while it can not be known, and loses nothing", async () => {
    const world = new World();
    const server = world.server({ accessTokenTtl: 7200 });
    const { tokens } = await server.signIn();
    world.now += 3600;
    const usual = world.answer;
    world.answer = () => ({ status: 503, body: "" });
    expect(await refusalOf(server.auth.loadUpstreamTokens(tokens.access_token))).toBe("temporarily_unavailable");
    world.answer = usual;
    expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toHaveProperty("accessToken");
  });
});

describe("handleCallback and handleConsent", () => {
  test("answer requests of whatever path a program gave them", async () => {
    const { auth } = new World().server();
    const callback = await auth.handleCallback(new Request("http://10.0.0.1:8080/signed-in?state=x"));
    expect(await pageOf(callback)).toBe("400 This sign-in is not open in this browser");
    const consent = await auth.handleConsent(
      new Request("http://10.0.0.1:8080/answer", { method: "POST", body: new URLSearchParams() }),
    );
    expect(await pageOf(consent)).toBe("403 This form can not be accepted");
  });
});

describe("getAuthorizationServerMetadata", () => {
  test("is the document, with its members in camelCase", () => {
    expect(new World().server().auth.getAuthorizationServerMetadata()).toEqual({
      issuer: BASE_URL,
      authorizationEndpoint: `${BASE_URL}/oauth/authorize`,
      tokenEndpoint: `${BASE_URL}/oauth/token`,
      registrationEndpoint: `${BASE_URL}/oauth/register`,
      revocationEndpoint: `${BASE_URL}/oauth/revoke`,
      revocationEndpointAuthMethodsSupported: ["none", "client_secret_basic", "client_secret_post"],
      scopesSupported: ["read"],
      responseTypesSupported: ["code"],
      responseModesSupported: ["query"],
      grantTypesSupported: ["authorization_code", "refresh_token"],
      tokenEndpointAuthMethodsSupported: ["none", "client_secret_basic", "client_secret_post"],
      codeChallengeMethodsSupported: ["S256"],
      authorizationResponseIssParameterSupported: true,
    });
  });
});

describe("destroy", () => {
  test("lets go of what the server made itself, and not of a storage that was passed in", async () => {
    const world = new World();
    const own = world.server({ tokenStorage: undefined });
    const { tokens } = await own.signIn();
    own.auth.destroy();
    own.auth.destroy();
    expect(await own.auth.loadUpstreamTokens(tokens.access_token)).toBeNull();

    const passed = world.server();
    const kept = await passed.signIn();
    passed.auth.destroy();
    expect(await passed.auth.loadUpstreamTokens(kept.tokens.access_token)).toHaveProperty("accessToken");
  });

  test("timers do not keep the process alive, with or without it: the process exits by itself", {
    timeout: 60_000,
  }, async () => {
    const program = `
      import { OAuthProxy } from ${JSON.stringify(new URL("index.ts", import.meta.url).href)};
      const auth = new OAuthProxy({
        baseUrl: "https://mcp.example.com",
        upstreamAuthorizationEndpoint: "https://id.example.com/authorize",
        upstreamTokenEndpoint: "https://id.example.com/token",
        upstreamClientId: "our-app",
        upstreamClientSecret: "upstream-client-secret-0123456789abcdef",
      });
      await auth.registerClient({ redirect_uris: ["http://127.0.0.1/cb"] });
      console.log("done");
    `;
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program]);
    expect(stdout).toBe("done\n");
  });
});

describe("handle and fetch", () => {
  test("undefined and 404 for what is none of ours; fetch needs no this", async () => {
    const { auth } = new World().server();
    const { fetch } = auth;
    expect(await auth.handle(new Request(`${BASE_URL}/elsewhere`))).toBeUndefined();
    expect((await fetch(new Request(`${BASE_URL}/elsewhere`))).status).toBe(404);
    expect((await fetch(new Request(`${BASE_URL}/oauth/token`))).status).toBe(405);
  });

  test("a runtime may bring its own Response, for the guard as well", async () => {
    class Light extends Response {}
    const { auth } = new World().server();
    expect(await auth.handle(new Request(`${BASE_URL}/oauth/token`), { Response: Light })).toBeInstanceOf(Light);
    expect(await auth.protect(new Request(RESOURCE), {}, { Response: Light })).toBeInstanceOf(Light);
  });

  test("the storage is cleaned up beside requests, at most once a minute, and never in their way", async () => {
    const world = new World();
    const server = world.server();
    let cleanups = 0;
    world.storage.cleanup = () => {
      cleanups++;
      return Promise.reject(new Error("busy"));
    };
    await server.get("/oauth/token");
    expect(cleanups).toBe(0);
    world.now += 60;
    expect((await server.get("/oauth/token")).status).toBe(405);
    await server.get("/oauth/token");
    expect(cleanups).toBe(1);
    expect(world.eventsOf("error")).toMatchObject([{ endpoint: "cleanup" }]);
  });
});
