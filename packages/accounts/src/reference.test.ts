/** The features that a complete OAuth 2.1 server is expected to have, one by one, with the client and the person of the reference. */
import { describe, expect, test } from "vitest";
import {
  accessOf,
  ask,
  BASE_URL,
  CALLBACK,
  CLIENT,
  post,
  redeem,
  signIn,
  toSignIn,
  type World,
  world,
} from "../test/world.ts";

const PERSON = { username: "demo_user", password: "a demo that nobody guesses" };

async function demo(): Promise<World> {
  const on = world();
  await on.accounts.createUser(PERSON);
  return on;
}

/** The whole of it, in one browser. */
async function coded(on: World, asked = ask()) {
  const browser = on.browser();
  const page = await toSignIn(browser, asked);
  return { asked, back: await browser.submit(page, { login: PERSON.username, password: PERSON.password }) };
}

describe("Full OAuth 2.1 implementation", () => {
  test("RFC 8414: the metadata names every endpoint, and what each of them takes", async () => {
    const on = await demo();
    const response = await on.auth.fetch(new Request(`${BASE_URL}/.well-known/oauth-authorization-server`));
    expect(await response.json()).toMatchObject({
      issuer: BASE_URL,
      authorization_endpoint: `${BASE_URL}/oauth/authorize`,
      token_endpoint: `${BASE_URL}/oauth/token`,
      revocation_endpoint: `${BASE_URL}/oauth/revoke`,
      registration_endpoint: `${BASE_URL}/oauth/register`,
      scopes_supported: ["notes:read", "notes:write"],
      code_challenge_methods_supported: ["S256"],
      grant_types_supported: ["authorization_code", "refresh_token"],
    });
  });

  test("the configured client authenticates with its secret, and with no other", async () => {
    const on = await demo();
    const { asked, back } = await coded(on);
    const form = {
      grant_type: "authorization_code",
      code: back.url.searchParams.get("code") ?? "",
      code_verifier: asked.verifier,
      redirect_uri: CALLBACK,
    };
    const wrong = await post(on, "token", form, `${CLIENT.clientId}:another secret`);
    expect(wrong).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    const none = await post(on, "token", { ...form, client_id: CLIENT.clientId }, false);
    expect(none).toMatchObject({ status: 401, body: { error: "invalid_client" } });
    expect((await post(on, "token", form)).status).toBe(200);
  });

  test("a public client that registered by itself gets in without a secret", async () => {
    const on = await demo();
    const registered = await on.auth.registerClient({
      redirect_uris: ["http://127.0.0.1:5000/callback"],
      token_endpoint_auth_method: "none",
      client_name: "A program",
    });
    const redirectUri = "http://127.0.0.1:5000/callback";
    const asked = ask({ client_id: registered.client_id, redirect_uri: redirectUri });
    const { back } = await coded(on, asked);
    const answer = await post(
      on,
      "token",
      {
        grant_type: "authorization_code",
        client_id: registered.client_id,
        code: back.url.searchParams.get("code") ?? "",
        code_verifier: asked.verifier,
        redirect_uri: redirectUri,
      },
      false,
    );
    expect(answer.status).toBe(200);
  });
});

describe("PKCE", () => {
  test("RFC 7636 §4.4.1: no authorization begins without a challenge, nor with a plain one", async () => {
    const on = await demo();
    for (const change of [{ code_challenge: "" }, { code_challenge_method: "plain" }]) {
      const back = await on.browser().open(ask(change).url);
      expect(back.url.searchParams.get("error")).toBe("invalid_request");
    }
  });

  test("RFC 7636 §4.6: another verifier redeems nothing, and burns nothing", async () => {
    const on = await demo();
    const { asked, back } = await coded(on);
    const wrong = await redeem(on, back, { ...asked, verifier: "x".repeat(43) });
    expect(wrong).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect((await redeem(on, back, asked)).status).toBe(200);
  });
});

describe("Authorization code flow", () => {
  test("RFC 6749 §4.1.2: of 32 simultaneous redemptions of a code, one is paid", async () => {
    const on = await demo();
    const { asked, back } = await coded(on);
    const answers = await Promise.all(Array.from({ length: 32 }, () => redeem(on, back, asked)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("RFC 6749 §4.1.3: a code is for one client and one redirect URI", async () => {
    const on = world({
      server: { clients: [CLIENT, { ...CLIENT, clientId: "other", clientSecret: "another secret" }] },
    });
    await on.accounts.createUser(PERSON);
    const { asked, back } = await coded(on);
    const form = {
      grant_type: "authorization_code",
      code: back.url.searchParams.get("code") ?? "",
      code_verifier: asked.verifier,
    };
    const stolen = await post(on, "token", { ...form, redirect_uri: CALLBACK }, "other:another secret");
    expect(stolen.body.error).toBe("invalid_grant");
    const elsewhere = await post(on, "token", { ...form, redirect_uri: `${CALLBACK}/x` });
    expect(elsewhere.body.error).toBe("invalid_grant");
    expect((await redeem(on, back, asked)).status).toBe(200);
  });

  test("whoever cancels is sent back with access_denied", async () => {
    const on = await demo();
    const browser = on.browser();
    const asked = ask();
    const back = await browser.submit(await browser.open(asked.url), { action: "deny" });
    expect(back.url.searchParams.get("error")).toBe("access_denied");
    expect(back.url.searchParams.get("state")).toBe(asked.state);
  });
});

describe("Token refresh with rotation", () => {
  test("RFC 9700 §4.14.2: each refresh gives another token; an old one that comes back after its grace period ends the grant", async () => {
    const on = await demo();
    const { refreshToken } = await signIn(on, PERSON.username, PERSON.password);
    const refresh = (token: string) => post(on, "token", { grant_type: "refresh_token", refresh_token: token });
    const first = await refresh(refreshToken);
    const second = String(first.body.refresh_token);
    expect(second).not.toBe(refreshToken);
    expect((await refresh(refreshToken)).body.refresh_token).toBe(second);
    on.time += 300;
    expect(await refresh(refreshToken)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
    expect(await refresh(second)).toMatchObject({ status: 400, body: { error: "invalid_grant" } });
  });
});

describe("Token revocation", () => {
  test("RFC 7009 §2.1: with either token all of the grant's end", async () => {
    const on = await demo();
    const { accessToken, refreshToken } = await signIn(on, PERSON.username, PERSON.password);
    expect(await accessOf(on, accessToken)).toMatchObject({ clientId: CLIENT.clientId });
    expect((await post(on, "revoke", { token: refreshToken })).status).toBe(200);
    expect(await accessOf(on, accessToken)).toMatchObject({ status: 401 });
    const refreshed = await post(on, "token", { grant_type: "refresh_token", refresh_token: refreshToken });
    expect(refreshed.body.error).toBe("invalid_grant");
  });
});

describe("Scope validation", () => {
  test("what is granted is what was asked for of what there is", async () => {
    const on = await demo();
    const { asked, back } = await coded(on, ask({ scope: "notes:write admin" }));
    const { body } = await redeem(on, back, asked);
    expect(body.scope).toBe("notes:write");
  });

  test("a guard refuses what was not granted, and says what is missing", async () => {
    const on = await demo();
    const { accessToken } = await signIn(on, PERSON.username, PERSON.password);
    const request = new Request(`${BASE_URL}/mcp`, { headers: { authorization: `Bearer ${accessToken}` } });
    const refusal = await on.auth.protect(request, { scopes: ["notes:write"] });
    if (!(refusal instanceof Response)) throw new Error("let in");
    expect(refusal.status).toBe(403);
    expect(refusal.headers.get("www-authenticate")).toContain('error="insufficient_scope"');
  });

  test("RFC 6749 §6: a refresh can ask for less and not for more", async () => {
    const on = await demo();
    const { asked, back } = await coded(on, ask({ scope: "notes:read" }));
    const { body } = await redeem(on, back, asked);
    const refresh_token = String(body.refresh_token);
    const more = await post(on, "token", { grant_type: "refresh_token", refresh_token, scope: "notes:write" });
    expect(more.body.error).toBe("invalid_scope");
  });
});

describe("State parameter for CSRF protection", () => {
  test("RFC 6749 §4.1.2: comes back as it was sent, with the issuer beside it", async () => {
    const on = await demo();
    const state = `a state with & = + "signs" and é`;
    const { back } = await coded(on, ask({ state }));
    expect(back.url.searchParams.get("state")).toBe(state);
    expect(back.url.searchParams.get("iss")).toBe(BASE_URL);
  });

  test("a callback that is opened in another browser ends there", async () => {
    const on = await demo();
    const browser = on.browser();
    const page = await toSignIn(browser);
    const response = await on.auth.fetch(
      new Request(`${BASE_URL}/oauth/callback?state=${"x".repeat(43)}.${"y".repeat(43)}&code=z`),
    );
    expect(response.status).toBe(400);
    const stranger = await on.browser().open(page.url);
    expect(stranger.status).toBe(400);
    expect(stranger.text).toContain("not open in this browser");
  });
});
