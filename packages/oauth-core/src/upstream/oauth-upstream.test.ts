import { describe, expect, test } from "vitest";
import { CLAIMS } from "../../test/domain-process.ts";
import { idToken } from "../../test/harness.ts";
import { DEFAULT_RUNTIME } from "../default-runtime.ts";
import { claimsOf } from "../domain/claims.ts";
import type { UpstreamTokens } from "../domain/identity-provider.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { UpstreamDescriptor } from "./descriptor.ts";
import { OAuthUpstream } from "./oauth-upstream.ts";

const NOW = 1_800_000_000;
const UPSTREAM = "https://id.example.com";
/** An upstream that answers each path as it is told; forms that it was sent are kept. */
function upstream(answers: Readonly<Record<string, unknown>> = {}, options: Partial<UpstreamDescriptor> = {}) {
  const asked: { path: string; form: Record<string, string> }[] = [];
  const descriptor: UpstreamDescriptor = {
    id: "upstream",
    name: "id.example.com",
    clientId: "our-app",
    clientSecret: "s3cret",
    scopes: [],
    issuer: UPSTREAM,
    ...options,
    endpoints: {
      authorization: `${UPSTREAM}/authorize?tenant=1`,
      token: `${UPSTREAM}/token`,
      ...options.endpoints,
    },
  };
  const provider = new OAuthUpstream(descriptor, {
    redirectUri: "https://mcp.example.com/oauth/callback",
    records: () => expect.unreachable("it keeps nothing"),
    keys: [new Uint8Array(32)],
    requestTimeoutMs: 10_000,
    warn: () => undefined,
    runtime: {
      ...DEFAULT_RUNTIME,
      now: () => NOW,
      fetch: async (url, init) => {
        const path = new URL(url).pathname;
        asked.push({ path, form: Object.fromEntries(new URLSearchParams(String(init.body ?? ""))) });
        const answer = answers[path];
        return typeof answer === "number" ? new Response("", { status: answer }) : Response.json(answer ?? {});
      },
    },
  });
  return { provider, asked };
}

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
  refreshExpiresAt: NOW + 500,
  idToken: "old.id.token",
};

function identityToken(claims: object = {}): string {
  return idToken({ iss: UPSTREAM, aud: "our-app", sub: "alice", exp: NOW + 60, nonce: "n", ...claims });
}

async function reasonOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof OAuthProxyError ? error.reason : String(error);
}

describe("begin", () => {
  const begun = async (scope: readonly string[], extra: Record<string, string> = {}) => {
    const { provider } = upstream({}, { authorizationParams: extra });
    return Object.fromEntries(new URL(await provider.begin({ ...SIGN_IN, scope })).searchParams);
  };

  test("RFC 6749 §4.1.1, RFC 7636 §4.3: the endpoint's own query stays, and ours comes to it", async () => {
    expect(await begun(["openid", "read"])).toEqual({
      tenant: "1",
      response_type: "code",
      client_id: "our-app",
      redirect_uri: "https://mcp.example.com/oauth/callback",
      scope: "openid read",
      state: "s",
      code_challenge: "c",
      code_challenge_method: "S256",
      nonce: "n",
    });
  });

  test("OpenID Connect Core §3.1.2.1: a nonce only with openid, and no empty scope", async () => {
    expect(await begun(["read"])).not.toHaveProperty("nonce");
    expect(await begun([])).not.toHaveProperty("scope");
  });

  test("an extra parameter is sent, and displaces none that the flow's safety hangs from", async () => {
    const extra = {
      access_type: "offline",
      state: "x",
      code_challenge: "x",
      code_challenge_method: "plain",
      redirect_uri: "x",
      response_type: "token",
      client_id: "x",
      nonce: "x",
    };
    expect(await begun(["openid"], extra)).toMatchObject({
      access_type: "offline",
      state: "s",
      code_challenge: "c",
      code_challenge_method: "S256",
      redirect_uri: "https://mcp.example.com/oauth/callback",
      response_type: "code",
      client_id: "our-app",
      nonce: "n",
    });
  });
});

describe("complete", () => {
  test("RFC 6749 §4.1.3: code, verifier and redirect URI are sent, and the tokens are ours to keep", async () => {
    const { provider, asked } = upstream({
      "/token": {
        access_token: "a",
        refresh_token: "r",
        expires_in: 60,
        refresh_expires_in: 600,
        id_token: identityToken({ roles: ["admin"] }),
        scope: "read",
        token_type: "bearer",
      },
    });
    expect(await provider.complete(ANSWER)).toMatchObject({
      subject: "alice",
      claims: { roles: ["admin"] },
      tokens: {
        accessToken: "a",
        refreshToken: "r",
        tokenType: "Bearer",
        scope: ["read"],
        issuedAt: NOW,
        expiresAt: NOW + 60,
        refreshExpiresAt: NOW + 600,
      },
    });
    expect(asked).toEqual([
      {
        path: "/token",
        form: {
          grant_type: "authorization_code",
          code: "upstream-code",
          code_verifier: "v",
          redirect_uri: "https://mcp.example.com/oauth/callback",
        },
      },
    ]);
  });

  test("RFC 6749 §5.1: no scope in the answer means the scope that was asked for", async () => {
    const { tokens } = await upstream({ "/token": { access_token: "a" } }).provider.complete(ANSWER);
    expect(tokens?.scope).toEqual(["openid", "read"]);
    expect(tokens?.expiresAt).toBeUndefined();
  });

  test("the upstream's ID token is not trusted unverified: nonce, issuer and audience have to be right", async () => {
    for (const wrong of [{ nonce: "other" }, { iss: "https://evil.example" }, { aud: "other" }, { exp: NOW - 500 }]) {
      const { provider } = upstream({ "/token": { access_token: "a", id_token: identityToken(wrong) } });
      expect(await reasonOf(provider.complete(ANSWER))).toBe("upstream_identity");
    }
  });

  test("without openid no nonce was sent, and none is expected", async () => {
    const { provider } = upstream({ "/token": { access_token: "a", id_token: identityToken({ nonce: undefined }) } });
    expect(await provider.complete({ ...ANSWER, scope: ["read"] })).toMatchObject({ subject: "alice" });
  });

  test("protocol claims and personal data are never copied; those of the access token win over the ID token's", async () => {
    const access = idToken({ sub: "alice", scope: "root", client_id: "evil", role: "user", aud: "x", exp: 1 });
    const id = identityToken({ at_hash: "x", address: "Street 1", role: "admin", tenant: "t" });
    const { provider } = upstream({ "/token": { access_token: access, id_token: id } });
    expect(claimsOf(CLAIMS, await provider.complete(ANSWER))).toEqual({ role: "user", tenant: "t" });
  });

  test("who it is comes from userinfo where there is no ID token: a number, as GitHub has it, or a text", async () => {
    const options = { endpoints: { userinfo: `${UPSTREAM}/user` } };
    const withUser = (user: unknown) => upstream({ "/token": { access_token: "a" }, "/user": user }, options).provider;
    expect(await withUser({ id: 42, login: "octo" }).complete(ANSWER)).toMatchObject({
      subject: "42",
      claims: { login: "octo" },
    });
    expect(await withUser({ sub: "alice", id: 42 }).complete(ANSWER)).toMatchObject({ subject: "alice" });
    expect(await reasonOf(withUser({ login: "octo" }).complete(ANSWER))).toBe("upstream_identity");
    expect(await reasonOf(withUser({ sub: "a".repeat(256) }).complete(ANSWER))).toBe("upstream_identity");
    expect(await reasonOf(withUser(401).complete(ANSWER))).toBe("upstream_identity");
    expect(await reasonOf(withUser(503).complete(ANSWER))).toBe("upstream_unavailable");
  });

  test("an opaque token without userinfo is nobody by name, a JWT says its sub", async () => {
    const withToken = (token: string) => upstream({ "/token": { access_token: token } }).provider.complete(ANSWER);
    expect((await withToken("opaque")).subject).toBeUndefined();
    expect((await withToken(idToken({ sub: "alice" }))).subject).toBe("alice");
    expect((await withToken(idToken({ sub: "a".repeat(256) }))).subject).toBeUndefined();
  });
});

describe("refresh", () => {
  test("RFC 6749 §6: what the answer leaves out stays as it was", async () => {
    const { provider, asked } = upstream({ "/token": { access_token: "new", expires_in: 60 } });
    expect(await provider.refresh(TOKENS, "alice")).toMatchObject({
      subject: "alice",
      tokens: {
        accessToken: "new",
        refreshToken: "r1",
        scope: ["read"],
        issuedAt: NOW,
        expiresAt: NOW + 60,
        refreshExpiresAt: NOW + 500,
        idToken: "old.id.token",
      },
    });
    expect(asked).toEqual([{ path: "/token", form: { grant_type: "refresh_token", refresh_token: "r1" } }]);
  });

  test("a rotated refresh token replaces the old one", async () => {
    const { provider } = upstream({ "/token": { access_token: "new", refresh_token: "r2" } });
    expect((await provider.refresh(TOKENS, "alice")).tokens?.refreshToken).toBe("r2");
  });

  test("OpenID Connect Core §12.2: an ID token about somebody else is refused", async () => {
    const { provider } = upstream({ "/token": { access_token: "new", id_token: identityToken({ sub: "mallory" }) } });
    expect(await reasonOf(provider.refresh(TOKENS, "alice"))).toBe("upstream_identity");
  });

  test("without a refresh token the session is over", async () => {
    const { provider, asked } = upstream();
    expect(await reasonOf(provider.refresh({ ...TOKENS, refreshToken: undefined }, "alice"))).toBe(
      "upstream_invalid_grant",
    );
    expect(asked).toEqual([]);
  });
});

describe("revoke", () => {
  const options = { endpoints: { revocation: `${UPSTREAM}/revoke` } };

  test("RFC 7009 §2.1: both of the upstream's tokens are named", async () => {
    const { provider, asked } = upstream({}, options);
    await provider.revoke(TOKENS);
    expect(asked.map(({ form }) => form)).toEqual([
      { token: "r1", token_type_hint: "refresh_token" },
      { token: "old", token_type_hint: "access_token" },
    ]);
  });

  test("an upstream that has no such endpoint is not asked", async () => {
    const { provider, asked } = upstream();
    await provider.revoke(TOKENS);
    expect(asked).toEqual([]);
  });

  test("RFC 7009 §2.2: anything but 200 means that they may live on", async () => {
    expect(await reasonOf(upstream({ "/revoke": 503 }, options).provider.revoke(TOKENS))).toBe("upstream_unavailable");
    expect(await reasonOf(upstream({ "/revoke": 400 }, options).provider.revoke(TOKENS))).toBe("upstream_refused");
  });
});

describe("checkIssuer", () => {
  test("RFC 9207 §2.4: compared as it stands, where the operator named one", () => {
    const { provider } = upstream();
    expect(() => provider.checkIssuer(`${UPSTREAM}/`)).toThrow(OAuthProxyError);
    expect(() => provider.checkIssuer(UPSTREAM)).not.toThrow();
    expect(() => provider.checkIssuer(undefined)).not.toThrow();
    expect(() => upstream({}, { issuer: undefined }).provider.checkIssuer("https://any.example")).not.toThrow();
  });
});
