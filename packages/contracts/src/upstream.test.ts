/** The stand-in is as strict as it says, and as odd as it is told to be. */
import { createHash, createPublicKey, type JsonWebKey, verify } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { type Members, startUpstream, type Upstream, type UpstreamOptions } from "./upstream.ts";

const VERIFIER = "v".repeat(43);
const CHALLENGE = createHash("sha256").update(VERIFIER).digest("base64url");
const BACK = "https://app.example.com/callback";
const CLIENT = { client_id: "app", client_secret: "secret" };

async function start(options: UpstreamOptions = {}): Promise<Upstream> {
  const upstream = await startUpstream({ clientId: "app", clientSecret: "secret", ...options });
  onTestFinished(() => upstream.close());
  return upstream;
}

function authorizationUrl({ endpoints }: Upstream, more: Readonly<Record<string, string>> = {}): string {
  const query = {
    response_type: "code",
    client_id: "app",
    redirect_uri: BACK,
    scope: "openid email",
    state: "s",
    nonce: "n",
  };
  const pkce = { code_challenge: CHALLENGE, code_challenge_method: "S256" };
  return `${endpoints.authorization}?${new URLSearchParams({ ...query, ...pkce, ...more })}`;
}

async function codeOf(upstream: Upstream, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { url } = await upstream.visit(authorizationUrl(upstream, more));
  return new URL(url).searchParams.get("code") ?? "";
}

async function token({ endpoints, fetch }: Upstream, form: Readonly<Record<string, string>>) {
  const answer = await fetch(endpoints.token, { method: "POST", body: new URLSearchParams({ ...CLIENT, ...form }) });
  return { status: answer.status, body: (await answer.json()) as Readonly<Record<string, string>> };
}

const redeem = (upstream: Upstream, code: string, more: Readonly<Record<string, string>> = {}) =>
  token(upstream, { grant_type: "authorization_code", code, redirect_uri: BACK, code_verifier: VERIFIER, ...more });

const refresh = (upstream: Upstream, refreshToken = "") =>
  token(upstream, { grant_type: "refresh_token", refresh_token: refreshToken });

const partOf = (jwt = "", part: 0 | 1): Members =>
  JSON.parse(Buffer.from(jwt.split(".")[part] ?? "", "base64url").toString());

test("RFC 6749 §4.1.2: a code comes back with the state, and works once", async () => {
  const upstream = await start();
  const { url } = await upstream.visit(authorizationUrl(upstream));
  const { searchParams } = new URL(url);
  expect(searchParams.get("state")).toBe("s");

  const code = searchParams.get("code") ?? "";
  expect((await redeem(upstream, code)).status).toBe(200);
  expect(await redeem(upstream, code)).toEqual({ status: 400, body: { error: "invalid_grant" } });
});

test.each([
  [{ code_verifier: "w".repeat(43) }, "invalid_grant"],
  [{ redirect_uri: "https://app.example.com/other" }, "invalid_grant"],
  [{ client_secret: "wrong" }, "invalid_client"],
  [{ client_id: "other" }, "invalid_client"],
  [{ grant_type: "password" }, "unsupported_grant_type"],
])("a redemption with %j is refused", async (wrong, error) => {
  const upstream = await start();

  expect((await redeem(upstream, await codeOf(upstream), wrong)).body).toEqual({ error });
});

test("an authorization request of another client, or without a redirect URI, is refused", async () => {
  const upstream = await start();

  await expect(upstream.visit(authorizationUrl(upstream, { client_id: "other" }))).rejects.toThrow("400");
  await expect(upstream.visit(upstream.endpoints.authorization)).rejects.toThrow("400");
});

test("RFC 9700 §4.14.2: a refresh token is rotated, and an old one refused, unless it is told to keep them", async () => {
  const rotating = await start();
  const { body: first } = await redeem(rotating, await codeOf(rotating));
  const { body: second } = await refresh(rotating, first["refresh_token"]);
  expect(second["refresh_token"]).not.toBe(first["refresh_token"]);
  expect((await refresh(rotating, first["refresh_token"])).body).toEqual({ error: "invalid_grant" });

  const keeping = await start({ rotatesRefreshTokens: false });
  const { body } = await redeem(keeping, await codeOf(keeping));
  expect((await refresh(keeping, body["refresh_token"])).body).not.toHaveProperty("refresh_token");
  expect((await refresh(keeping, body["refresh_token"])).status).toBe(200);
});

test.each(["RS256", "ES256", "EdDSA"] as const)(
  "an ID token is signed with %s by the published key, for one client and sign-in",
  async (algorithm) => {
    const upstream = await start({ algorithm, now: () => 1000 });
    const { body } = await redeem(upstream, await codeOf(upstream));
    const [header = "", claims = "", signature = ""] = (body["id_token"] ?? "").split(".");
    const { keys } = (await (await fetch(upstream.endpoints.jwks)).json()) as { keys: JsonWebKey[] };

    const key = createPublicKey({ key: keys[0] ?? {}, format: "jwk" });
    const digest = algorithm === "EdDSA" ? null : "sha256";
    const signed = Buffer.from(`${header}.${claims}`);
    expect(verify(digest, signed, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"))).toBe(true);
    expect(partOf(body["id_token"], 1)).toMatchObject({
      iss: upstream.issuer,
      aud: "app",
      sub: "alice",
      nonce: "n",
      iat: 1000,
      exp: 4600,
    });
  },
);

test("without openid there is no ID token", async () => {
  const upstream = await start();

  expect((await redeem(upstream, await codeOf(upstream, { scope: "email" }))).body).not.toHaveProperty("id_token");
});

test("a key that was rotated is published no longer", async () => {
  const upstream = await start({ algorithm: "ES256" });
  const before = await (await fetch(upstream.endpoints.jwks)).json();
  upstream.rotateKey();

  expect(await (await fetch(upstream.endpoints.jwks)).json()).not.toEqual(before);
});

test("UserInfo wants a living token, and a revoked one is none", async () => {
  const upstream = await start();
  const { body } = await redeem(upstream, await codeOf(upstream));
  const accessToken = body["access_token"] ?? "";
  const ask = () => fetch(upstream.endpoints.userinfo, { headers: { authorization: `Bearer ${accessToken}` } });
  expect(await (await ask()).json()).toMatchObject({ sub: "alice", email: "alice@example.com" });

  await fetch(upstream.endpoints.revocation, {
    method: "POST",
    body: new URLSearchParams({ ...CLIENT, token: accessToken }),
  });

  expect((await ask()).status).toBe(401);
  expect(upstream.isLiving(accessToken)).toBe(false);
});

test("a vendor's hosts are answered for, and every request is kept as it was meant", async () => {
  const upstream = await start({
    issuer: "https://accounts.example.com",
    endpoints: { token: "https://api.example.net/token" },
    routes: { "https://api.example.net/me": ({ bearer }) => ({ json: { bearer } }), "/more": () => ({ text: "more" }) },
  });
  await redeem(upstream, await codeOf(upstream));
  const me = await upstream.fetch("https://api.example.net/me", { headers: { authorization: "Bearer t" } });

  expect(await me.json()).toEqual({ bearer: "t" });
  expect(await (await upstream.fetch("https://accounts.example.com/more")).text()).toBe("more");
  expect((await upstream.fetch("https://elsewhere.example.com/")).status).toBe(404);
  expect(upstream.requestsTo("token").map(({ url }) => url.host)).toEqual(["api.example.net"]);
  expect(upstream.requestsTo("/more")).toHaveLength(1);
});

test("OAuth 2.0 Form Post Response Mode: the answer is a form, where that is asked for", async () => {
  const upstream = await start({
    authorization: (parameters) => ({ ...parameters, user: '{"name":"<Ann> & \\"co\\""}' }),
  });
  const { url, form } = await upstream.visit(authorizationUrl(upstream, { response_mode: "form_post" }));

  expect(url).toBe(BACK);
  expect(form?.get("user")).toBe('{"name":"<Ann> & \\"co\\""}');
  expect((await redeem(upstream, form?.get("code") ?? "")).status).toBe(200);
});

test("it deviates as it is told, and an answer that fails spends nothing", async () => {
  const upstream = await start({
    givesRefreshToken: () => false,
    accessToken: ({ person }) => ({ user: person["sub"] }),
  });
  upstream.behave({ token: () => ({ status: 503 }), idToken: (parts) => ({ ...parts, header: { alg: "none" } }) });
  const code = await codeOf(upstream);
  const form = { ...CLIENT, grant_type: "authorization_code", code, redirect_uri: BACK, code_verifier: VERIFIER };
  const failed = await fetch(upstream.endpoints.token, { method: "POST", body: new URLSearchParams(form) });
  expect(failed.status).toBe(503);

  upstream.behave({ token: (answer) => ({ json: { ...answer, expires_in: "3600" } }) });
  const { body } = await redeem(upstream, code);
  expect(body).toMatchObject({ expires_in: "3600" });
  expect(body).not.toHaveProperty("refresh_token");
  expect(partOf(body["access_token"], 1)).toEqual({ user: "alice" });
  expect(body["id_token"]).toMatch(/\.$/);
});

test("it hangs or cuts the connection when it is told to", async () => {
  const upstream = await start({ discovery: () => "cut", jwks: () => "hang" });

  await expect(fetch(upstream.endpoints.discovery)).rejects.toThrow(TypeError);
  await expect(fetch(upstream.endpoints.jwks, { signal: AbortSignal.timeout(50) })).rejects.toThrow("timeout");
});

test("what it gave out is known, to be looked for where it must not be", async () => {
  const upstream = await start();
  const code = await codeOf(upstream);
  const { body } = await redeem(upstream, code);

  expect([...upstream.secrets]).toEqual(expect.arrayContaining([code, body["access_token"], body["refresh_token"]]));
});
