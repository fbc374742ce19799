import { decodeJwt } from "jose";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../../test/answers.ts";
import { jsonOf, REDIRECT_URI, RESOURCE, World } from "../../test/harness.ts";
import { RecordingStorage } from "../../test/recording-storage.ts";

const OTHER = "https://mcp.example.com/other";

function basic(id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString("base64")}` };
}

/** A confidential client with a code that it has not redeemed yet. */
async function confidential(method: string) {
  const server = new World().server();
  const client = await server.register({ token_endpoint_auth_method: method });
  const { code, verifier } = await server.authorize({ client });
  const form = { grant_type: "authorization_code", code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
  return { server, clientId: client.clientId, secret: client.clientSecret ?? "", form };
}

describe("redeeming a code", () => {
  test("RFC 6749 §5.1: the answer is JSON, nobody's to keep, and always says what was granted", async () => {
    const server = new World().server({ resourceScopes: ["mcp:tools"] });
    const answer = await server.redeem(await server.authorize());
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
    expect(await jsonOf(answer)).toEqual({
      access_token: expect.stringMatching(/^ey[\w-]+\.ey[\w-]+\.[\w-]{43}$/),
      token_type: "Bearer",
      expires_in: 3600,
      refresh_token: expect.stringMatching(/^sp_rt_/),
      scope: "read mcp:tools",
    });
  });

  test.each([
    ["a wrong verifier", { code_verifier: "v".repeat(64) }, "400 invalid_grant"],
    ["no verifier", { code_verifier: "" }, "400 invalid_grant"],
    ["a verifier that is none", { code_verifier: "short" }, "400 invalid_grant"],
    ["another redirect URI", { redirect_uri: "http://127.0.0.1:49152/other" }, "400 invalid_grant"],
    ["the same redirect URI with another port", { redirect_uri: "http://127.0.0.1:1/callback" }, "400 invalid_grant"],
    ["an unknown resource", { resource: "https://evil.example/mcp" }, "400 invalid_target"],
    ["another client", { client_id: "other" }, "400 invalid_grant"],
    ["a client that does not exist", { client_id: "nobody" }, "401 invalid_client"],
  ])("a code is not burned by %s, nor by anyone who saw it", async (_, wrong, refusal) => {
    const server = new World().server({ clients: [{ clientId: "other", redirectUris: [REDIRECT_URI] }] });
    const authorized = await server.authorize();
    expect(await refusalOf(await server.redeem(authorized, wrong))).toBe(refusal);
    expect((await server.redeem(authorized)).status).toBe(200);
  });

  test("redirect_uri is equal to the one that the code is bound to, not checked against the list; left out, it is no matter", async () => {
    const server = new World().server();
    const client = await server.register({ redirect_uris: [REDIRECT_URI, "http://127.0.0.1:49152/second"] });
    const authorized = await server.authorize({ client });
    const second = await server.redeem(authorized, { redirect_uri: "http://127.0.0.1:49152/second" });
    expect(await refusalOf(second)).toBe("400 invalid_grant");
    const { clientId } = client;
    const form = { grant_type: "authorization_code", client_id: clientId, code: authorized.code };
    expect((await server.post("/oauth/token", { ...form, code_verifier: authorized.verifier })).status).toBe(200);
  });

  test("RFC 6749 §4.1.2: a code is over after five minutes", async () => {
    const world = new World();
    const server = world.server();
    const authorized = await server.authorize();
    world.now += 361;
    expect(await refusalOf(await server.redeem(authorized))).toBe("400 invalid_grant");
  });

  test("RFC 8707 §2.2: the token is for the resource that is named, one of those that were authorized", async () => {
    const server = new World().server({ resources: [RESOURCE, OTHER, "https://mcp.example.com/third"] });
    const authorized = await server.authorize({ parameters: { resource: RESOURCE } });
    const wider = await server.redeem(authorized, { resource: OTHER });
    expect(await refusalOf(wider)).toBe("400 invalid_target");
    const tokens = await jsonOf(await server.redeem(authorized, { resource: RESOURCE }));
    expect(decodeJwt(String(tokens.access_token)).aud).toBe(RESOURCE);
  });
});

describe("who asks", () => {
  test("an issued client_secret is compared: only the right one, by the registered method, is let in", async () => {
    const { server, clientId, secret, form } = await confidential("client_secret_basic");
    const wrong = await server.post("/oauth/token", form, basic(clientId, `${secret}x`));
    expect(wrong.headers.get("www-authenticate")).toBe('Basic realm="sallyport"');
    expect(await refusalOf(wrong)).toBe("401 invalid_client");

    const public_ = await server.post("/oauth/token", { ...form, client_id: clientId });
    expect(public_.headers.has("www-authenticate")).toBe(false);
    expect(await refusalOf(public_)).toBe("401 invalid_client");
    const posted = await server.post("/oauth/token", { ...form, client_id: clientId, client_secret: secret });
    expect(await refusalOf(posted)).toBe("401 invalid_client");
    const empty = await server.post("/oauth/token", form, basic(clientId, ""));
    expect(await refusalOf(empty)).toBe("401 invalid_client");
    expect((await server.post("/oauth/token", form, basic(clientId, secret))).status).toBe(200);
  });

  test("client_secret_post is let in by the form, and not by Basic", async () => {
    const { server, clientId, secret, form } = await confidential("client_secret_post");
    expect(await refusalOf(await server.post("/oauth/token", form, basic(clientId, secret)))).toBe(
      "401 invalid_client",
    );
    expect((await server.post("/oauth/token", { ...form, client_id: clientId, client_secret: secret })).status).toBe(
      200,
    );
  });

  test("RFC 6749 §2.3: several methods in one request are refused", async () => {
    const { server, clientId, secret, form } = await confidential("client_secret_basic");
    const both = { ...form, client_id: clientId, client_secret: secret };
    expect(await refusalOf(await server.post("/oauth/token", both, basic(clientId, secret)))).toBe(
      "400 invalid_request",
    );
    const other = { ...form, client_id: "other" };
    expect(await refusalOf(await server.post("/oauth/token", other, basic(clientId, secret)))).toBe(
      "400 invalid_request",
    );
  });

  test("the secret of one client is worth nothing to another", async () => {
    const { server, clientId, form } = await confidential("client_secret_basic");
    const other = await server.register({ token_endpoint_auth_method: "client_secret_basic" });
    const answer = await server.post("/oauth/token", form, basic(clientId, other.clientSecret ?? ""));
    expect(await refusalOf(answer)).toBe("401 invalid_client");
  });

  test("a public client that shows a secret is refused", async () => {
    const server = new World().server();
    expect(await refusalOf(await server.redeem(await server.authorize(), { client_secret: "x" }))).toBe(
      "401 invalid_client",
    );
  });

  test("RFC 6749 §2.3.1: the operator's client may use both methods, and Basic raw or percent-encoded", async () => {
    const client = { clientId: "id with space", clientSecret: "s:e%c+r&t-0123456789", redirectUris: [REDIRECT_URI] };
    const server = new World().server({ clients: [client] });
    const encode = (text: string) => new URLSearchParams({ "": text }).toString().slice(1);
    const ways: [Record<string, string>, Record<string, string>][] = [
      [{}, basic(client.clientId, client.clientSecret)],
      [{}, basic(encode(client.clientId), encode(client.clientSecret))],
      [{ client_id: client.clientId, client_secret: client.clientSecret }, {}],
    ];
    for (const [form, headers] of ways) {
      const { code, verifier } = await server.authorize({ client });
      const all = { grant_type: "authorization_code", code, code_verifier: verifier, ...form };
      expect((await server.post("/oauth/token", all, headers)).status).toBe(200);
    }
  });

  test("invalid_client is 401 and not 400, so that clients register anew", async () => {
    const server = new World().server();
    expect(await refusalOf(await server.refresh({ clientId: "sp_c1_forgotten" }, "sp_rt_x"))).toBe(
      "401 invalid_client",
    );
    expect(await refusalOf(await server.post("/oauth/token", { grant_type: "refresh_token" }))).toBe(
      "401 invalid_client",
    );
  });

  test.each(["Basic", "Basic !!!", "Basic Zm9v", "Bearer x", "basic"])(
    "malformed credentials are 401: %s",
    async (header) => {
      const server = new World().server();
      const answer = await server.post("/oauth/token", { grant_type: "refresh_token" }, { authorization: header });
      expect(await refusalOf(answer)).toBe("401 invalid_client");
    },
  );
});

describe("what is asked", () => {
  test.each([
    ["", "400 invalid_request"],
    ["password", "400 unsupported_grant_type"],
    ["client_credentials", "400 unsupported_grant_type"],
    ["implicit", "400 unsupported_grant_type"],
    ["constructor", "400 unsupported_grant_type"],
  ])("grant_type %j: %s", async (grantType, refusal) => {
    const server = new World().server();
    const { clientId } = await server.register();
    const answer = await server.post("/oauth/token", { client_id: clientId, grant_type: grantType });
    expect(await refusalOf(answer)).toBe(refusal);
  });

  test("a client gets no tokens by a grant type that it is not registered for", async () => {
    const client = { clientId: "app", redirectUris: [REDIRECT_URI], grantTypes: ["refresh_token"] } as const;
    const server = new World().server({ clients: [client] });
    expect(await refusalOf(await server.redeem(await server.authorize({ client })))).toBe("400 unauthorized_client");
  });

  test.each([
    ["application/json", (form: string) => JSON.stringify(Object.fromEntries(new URLSearchParams(form)))],
    ["multipart/form-data; boundary=x", (form: string) => `--x\r\n\r\n${form}\r\n--x--`],
    ["text/plain", (form: string) => form],
  ])("RFC 6749 §3.2: %s at the token endpoint is not accepted", async (type, encode) => {
    const server = new World().server();
    const { client, code, verifier } = await server.authorize();
    const form = new URLSearchParams({
      grant_type: "authorization_code",
      client_id: client.clientId,
      code,
      code_verifier: verifier,
    }).toString();
    expect(await refusalOf(await server.post("/oauth/token", encode(form), { "content-type": type }))).toBe(
      "400 invalid_request",
    );
    expect(
      (await server.post("/oauth/token", form, { "content-type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8" }))
        .status,
    ).toBe(200);
  });

  test.each(["grant_type=refresh_token&grant_type=refresh_token", "client_id=%", "client_id=%ff", "client_id=a%00"])(
    "RFC 6749 §3.2: repeated and malformed parameters are refused: %s",
    async (form) => {
      expect(await refusalOf(await new World().server().post("/oauth/token", form))).toBe("400 invalid_request");
    },
  );
});

describe("refreshing", () => {
  test("a refresh token is bound to its client, and anonymous refresh through a confidential client is none", async () => {
    const server = new World().server();
    const client = await server.register({ token_endpoint_auth_method: "client_secret_post" });
    const authorized = await server.authorize({ client });
    const secret = { client_secret: client.clientSecret ?? "" };
    const { refresh_token } = await jsonOf(await server.redeem(authorized, secret));

    const thief = await server.register();
    expect(await refusalOf(await server.refresh(thief, String(refresh_token)))).toBe("400 invalid_grant");
    expect(await refusalOf(await server.refresh(client, String(refresh_token)))).toBe("401 invalid_client");
    expect((await server.refresh(client, String(refresh_token), secret)).status).toBe(200);
  });

  test("an access token is not accepted as refresh token, nor the reverse, nor a code as either", async () => {
    const server = new World().server();
    const { client, tokens, authorized } = await server.signIn();
    expect(await refusalOf(await server.refresh(client, tokens.access_token))).toBe("400 invalid_grant");
    expect(await refusalOf(await server.refresh(client, authorized.code))).toBe("400 invalid_grant");
    expect(await refusalOf(await server.redeem({ ...authorized, code: tokens.refresh_token }))).toBe(
      "400 invalid_grant",
    );
    expect(await refusalOf(await server.redeem({ ...authorized, code: tokens.access_token }))).toBe(
      "400 invalid_grant",
    );
  });

  test("RFC 6749 §6: a refresh may narrow the scope of the access token, never widen it, and narrows nothing for the next", async () => {
    const server = new World().server({ scopes: ["read", "write"], resourceScopes: ["mcp:tools"] });
    const { client, tokens } = await server.signIn({ parameters: { scope: "read mcp:tools" } });
    const narrowed = await jsonOf(await server.refresh(client, tokens.refresh_token, { scope: "read write" }));
    expect(narrowed.scope).toBe("read");
    expect(decodeJwt(String(narrowed.access_token)).scope).toBe("read");
    const refused = await server.refresh(client, String(narrowed.refresh_token), { scope: "write" });
    expect(await refusalOf(refused)).toBe("400 invalid_scope");
    const full = await jsonOf(await server.refresh(client, String(narrowed.refresh_token)));
    expect(full.scope).toBe("read mcp:tools");
  });

  test("RFC 8707 §2.2: aud stays what was authorized", async () => {
    const server = new World().server({ resources: [RESOURCE, OTHER] });
    const { client, tokens } = await server.signIn({ parameters: { resource: OTHER } });
    expect(await refusalOf(await server.refresh(client, tokens.refresh_token, { resource: RESOURCE }))).toBe(
      "400 invalid_target",
    );
    const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));
    expect(decodeJwt(String(refreshed.access_token)).aud).toBe(OTHER);
  });

  test("T-SC-05: signing in again with more scopes leaves the earlier refresh token and its scopes alone", async () => {
    const server = new World().server({ scopes: ["read", "write"] });
    const { client, tokens } = await server.signIn({ parameters: { scope: "read" } });
    const more = await server.signIn({ client, parameters: { scope: "read write" } });
    expect(more.tokens.scope).toBe("read write");
    expect(await server.call(tokens.access_token, ["read"])).toBe(200);
    expect(await jsonOf(await server.refresh(client, tokens.refresh_token))).toMatchObject({ scope: "read" });
  });

  test("T-TK-06: invalid_grant upstream ends the grant; anything transient is 503 with Retry-After and loses nothing", async () => {
    const world = new World();
    const server = world.server();
    const { client, tokens } = await server.signIn();
    const usual = world.answer;
    world.now += 3600;
    for (const trouble of [
      { status: 502, body: "<html>" },
      { status: 429, body: "" },
      { status: 503, body: {} },
    ]) {
      world.answer = () => trouble;
      const answer = await server.refresh(client, tokens.refresh_token);
      expect(answer.headers.get("retry-after")).toBe("5");
      expect(await refusalOf(answer)).toBe("503 temporarily_unavailable");
    }
    world.answer = usual;
    const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));

    world.now += 3600;
    world.answer = () => ({ status: 400, body: { error: "invalid_grant" } });
    expect(await refusalOf(await server.refresh(client, String(refreshed.refresh_token)))).toBe("400 invalid_grant");
    world.answer = usual;
    expect(await refusalOf(await server.refresh(client, String(refreshed.refresh_token)))).toBe("400 invalid_grant");
    expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "upstream" }]);
  });

  test("a storage that can not be reached is 503 with Retry-After, and never a refusal", async () => {
    const world = new World();
    const server = world.server();
    const { client, tokens } = await server.signIn();
    world.storage.before = () => Promise.reject(new Error("ECONNREFUSED 10.0.0.1"));
    const answer = await server.refresh(client, tokens.refresh_token);
    expect(answer.headers.get("retry-after")).toBe("5");
    expect(await jsonOf(answer)).toEqual({
      error: "temporarily_unavailable",
      error_description: "The server can not answer right now. Try again shortly.",
    });
  });
});

describe("lifetimes", () => {
  test("an upstream lifetime of 90 days does not become the lifetime of a short-lived token", async () => {
    const world = new World();
    const server = world.server();
    world.answer = () => world.tokens({ expires_in: 90 * 86_400 });
    const { tokens } = await server.signIn();
    expect(tokens.expires_in).toBe(3600);
    world.now += 3600;
    expect(await server.call(tokens.access_token)).toBe(401);
  });

  test("sessions of GitHub, whose tokens neither expire nor refresh, do not die hourly", async () => {
    const world = new World();
    const server = world.server();
    world.answer = () => ({ body: { access_token: "gho_x", scope: "read", token_type: "bearer" } });
    const { client, tokens } = await server.signIn();
    let { refresh_token: refreshToken } = tokens;
    for (let hour = 0; hour < 30; hour++) {
      world.now += 3600;
      const refreshed = await jsonOf(await server.refresh(client, refreshToken));
      refreshToken = String(refreshed.refresh_token);
      expect(await server.call(String(refreshed.access_token))).toBe(200);
    }
    expect(world.upstreamRequests).toHaveLength(1);
  });

  test("a restart with a persistent store loses nobody: keys are not random by default", async () => {
    const world = new World();
    const { client, tokens } = await world.server({ secret: undefined }).signIn();
    const restarted = world.server({ secret: undefined });
    expect(await restarted.call(tokens.access_token)).toBe(200);
    expect((await restarted.refresh(client, tokens.refresh_token)).status).toBe(200);
  });
});

describe("upstream tokens", () => {
  test("T-TK-05: what is stored has no plaintext, and no other server's key opens it", async () => {
    const world = new World();
    const storage = new RecordingStorage({ now: () => world.now });
    const { tokens, authorized } = await world.server({ tokenStorage: storage }).signIn();
    const secrets = [
      tokens.access_token,
      tokens.refresh_token,
      authorized.code,
      "upstream-access-1",
      "upstream-refresh-1",
    ];
    expect(storage.dump).not.toBe("");
    for (const secret of secrets) expect(storage.dump).not.toContain(secret);

    const stranger = world.server({ tokenStorage: storage, encryptionKey: "another-key-of-at-least-32-bytes!" });
    expect(await stranger.auth.loadUpstreamTokens(tokens.access_token)).toBeNull();
    expect(world.eventsOf("storage.unreadable")).toMatchObject([{ why: "key", prefix: "grant" }]);
  });

  test("T-TK-05: keys rotate: what the old secret made still works, and what is made now is of the new one", async () => {
    const world = new World();
    const [old, fresh] = ["old-secret-of-at-least-32-bytes-0123", "new-secret-of-at-least-32-bytes-4567"];
    const { client, tokens } = await world.server({ secret: old }).signIn();
    const rotated = world.server({ secret: [fresh, old] });
    expect(await rotated.call(tokens.access_token)).toBe(200);
    const refreshed = await jsonOf(await rotated.refresh(client, tokens.refresh_token));

    const later = world.server({ secret: fresh });
    expect(await later.call(String(refreshed.access_token))).toBe(200);
    expect(await later.call(tokens.access_token)).toBe(401);
  });

  test("T-SC-04: the upstream may grant a subset; the answer says so, and the rest is 403 and not 401", async () => {
    const world = new World();
    const server = world.server({ scopes: ["read", "write"], resourceScopes: ["mcp:tools"] });
    world.answer = () => world.tokens({ scope: "read other" });
    const { tokens } = await server.signIn();
    expect(tokens.scope).toBe("read mcp:tools");
    expect(await server.call(tokens.access_token, ["read", "mcp:tools"])).toBe(200);
    expect(await server.call(tokens.access_token, ["write"])).toBe(403);
    expect(await server.call(tokens.access_token, ["other"])).toBe(403);
  });
});

describe("T-TK-07: pass-through", () => {
  const waived = { enableTokenSwap: false, passThroughAudienceCheck: false } as const;

  test("is off by default: the client never sees a token of the upstream", async () => {
    const { tokens } = await new World().server().signIn();
    expect(JSON.stringify(tokens)).not.toContain("upstream");
  });

  test("warns at start, and names the sentences that it violates", () => {
    const world = new World();
    world.server(waived);
    const [warning] = world.eventsOf("warning");
    expect(warning?.message).toContain("Token Handling");
    expect(warning?.message).toContain("Access Token Privilege Restriction");
  });

  test("hands out the upstream's access token, and a refresh token of ours that works", async () => {
    const world = new World();
    const server = world.server(waived);
    const { client, tokens } = await server.signIn();
    expect(tokens.access_token).toBe("upstream-access-1");
    expect(tokens.refresh_token).toMatch(/^sp_rt_/);
    expect(await server.call(tokens.access_token)).toBe(200);

    world.now += 3590;
    const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));
    expect(refreshed.access_token).toBe("upstream-access-2");
    expect(await server.call("upstream-access-2")).toBe(200);
  });

  test("accepts only what this server handed out, for the resource that it was handed out for", async () => {
    const server = new World().server({ ...waived, resources: [OTHER, RESOURCE] });
    const { tokens } = await server.signIn({ parameters: { resource: OTHER } });
    expect(await server.call(tokens.access_token)).toBe(401);
    expect(await server.call("a-token-of-another-application")).toBe(401);
  });

  test("asks the tokenVerifier about every token, where there is one", async () => {
    const asked: string[] = [];
    const tokenVerifier = {
      verify: async (token: string) => {
        asked.push(token);
        return token === "upstream-access-1"
          ? { valid: true, claims: { sub: "alice" } }
          : { valid: false, error: "aud" };
      },
    };
    const server = new World().server({ enableTokenSwap: false, tokenVerifier });
    const { tokens } = await server.signIn();
    expect(await server.call(tokens.access_token)).toBe(200);
    expect(await server.call("for-somebody-else")).toBe(401);
    expect(asked).toContain("for-somebody-else");
  });
});

test("GET is not answered with a token: 405", async () => {
  const server = new World().server();
  const { client, code, verifier } = await server.authorize();
  const { clientId } = client;
  const form = { grant_type: "authorization_code", client_id: clientId, code, code_verifier: verifier };
  const answer = await server.get(`/oauth/token?${new URLSearchParams(form)}`);
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "POST, OPTIONS"]);
});
