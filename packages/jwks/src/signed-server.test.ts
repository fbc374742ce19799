import {
  type ConfigurationError,
  EncryptedTokenStorage,
  MemoryTokenStorage,
  type OAuthProxyConfig,
  type SigningSource,
} from "@sallyport/oauth-core";
import { createLocalJWKSet, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify } from "jose";
import { describe, expect, test } from "vitest";
import { BASE_URL, jsonOf, RESOURCE, type Server, World } from "../../oauth-core/test/harness.ts";
import { type SigningAlgorithm, SigningKeys } from "./index.ts";

const [OLD, NEW, WRONG] = ["old", "new", "wrong"].map((word) => `the ${word} secret, which is long enough`);
const JWKS = "/oauth/jwks";

const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid);

async function documentOf(server: Server): Promise<{ keys: Record<string, unknown>[] }> {
  return (await server.get(JWKS)).json() as Promise<{ keys: Record<string, unknown>[] }>;
}

/** What the guard answers, with the challenge. */
async function guarded(server: Server, token: string): Promise<{ status: number; challenge: string }> {
  const request = new Request(RESOURCE, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  const answer = await server.auth.protect(request);
  if (!(answer instanceof Response)) return { status: 200, challenge: "" };
  return { status: answer.status, challenge: answer.headers.get("www-authenticate") ?? "" };
}

describe("a server that signs with asymmetric keys", () => {
  test.each<SigningAlgorithm>(["ES256", "EdDSA", "RS256"])(
    "RFC 9068: issues tokens of %s that its guard and another service accept, and refuses none of its own after a restart",
    async (alg) => {
      const world = new World();
      const server = world.server({ signing: new SigningKeys({ alg }) });
      const { client, tokens } = await server.signIn();
      expect(await server.call(tokens.access_token)).toBe(200);
      const { payload } = await jwtVerify(tokens.access_token, createLocalJWKSet((await documentOf(server)) as never), {
        issuer: BASE_URL,
        audience: RESOURCE,
        typ: "at+jwt",
        algorithms: [alg],
        currentDate: new Date(world.now * 1000),
      });
      expect(payload).toMatchObject({ client_id: client.clientId, scope: "read" });

      const restarted = world.server({ signing: new SigningKeys({ alg }) });
      expect(await restarted.call(tokens.access_token)).toBe(200);
      expect((await restarted.refresh(client, tokens.refresh_token)).status).toBe(200);
      expect(await restarted.auth.loadUpstreamTokens(tokens.access_token)).not.toBeNull();
    },
  );

  test("RFC 8414 §2: says where its keys are, in both spellings", async () => {
    const server = new World().server({ baseUrl: `${BASE_URL}/base`, basePath: "/auth", signing: new SigningKeys() });
    const metadata = await jsonOf(await server.get("/.well-known/oauth-authorization-server"));
    expect(metadata["jwks_uri"]).toBe(`${BASE_URL}/base/auth/jwks`);
    expect(server.auth.getAuthorizationServerMetadata().jwksUri).toBe(`${BASE_URL}/base/auth/jwks`);
    expect((await server.get("/base/auth/jwks")).status).toBe(200);
  });

  test("RFC 7517 §8.5: the key set is for everybody to read and to keep for five minutes, and for nobody to change", async () => {
    const server = new World().server({ signing: new SigningKeys() });
    const answer = await server.get(JWKS, { origin: "https://somebody.example" });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/jwk-set+json",
      "cache-control": "public, max-age=300",
      "access-control-allow-origin": "*",
    });
    const { keys } = (await answer.json()) as { keys: object[] };
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([["alg", "crv", "kid", "kty", "use", "x", "y"]]);

    const ask = (method: string) => server.auth.fetch(new Request(BASE_URL + JWKS, { method }));
    const head = await ask("HEAD");
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([
      200,
      "application/jwk-set+json",
      "",
    ]);
    expect((await ask("OPTIONS")).headers.get("allow")).toBe("GET, HEAD, OPTIONS");
    for (const method of ["POST", "PUT", "DELETE"]) expect((await ask(method)).status).toBe(405);
  });

  test("is asked for its keys without a word to the storage, but once a minute", async () => {
    const world = new World();
    const server = world.server({ signing: new SigningKeys() });
    const { tokens } = await server.signIn();
    world.storage.calls = [];
    for (let each = 0; each < 50; each++) {
      await server.get(JWKS);
      await server.call(tokens.access_token);
      await server.call(`${tokens.access_token.slice(0, -8)}AAAAAAAA`);
    }
    expect(world.storage.calls).toEqual([]);
    world.now += 60;
    for (let each = 0; each < 50; each++) await server.get(JWKS);
    expect(world.storage.calls).toEqual(["get signing-key"]);
  });

  test("tells of its keys: of the first, of the next, and of one that is no longer needed", async () => {
    const world = new World();
    const server = world.server({ signing: new SigningKeys() });
    const [first] = (await documentOf(server)).keys;
    world.now += 29 * 86_400;
    const [, second] = (await documentOf(server)).keys;
    world.now += 86_400 + 3600 + 300;
    expect((await documentOf(server)).keys.map(({ kid }) => kid)).toEqual([second?.["kid"]]);
    expect(world.eventsOf("signing_key.published").map(({ kid, alg }) => [kid, alg])).toEqual([
      [first?.["kid"], "ES256"],
      [second?.["kid"], "ES256"],
    ]);
    expect(world.eventsOf("signing_key.retired").map(({ kid }) => kid)).toEqual([first?.["kid"]]);
  });
});

test("a server that does not, has no key set and says so nowhere", async () => {
  const server = new World().server();
  expect((await server.get(JWKS)).status).toBe(404);
  expect(await jsonOf(await server.get("/.well-known/oauth-authorization-server"))).not.toHaveProperty("jwks_uri");
  expect(server.auth.getAuthorizationServerMetadata()).not.toHaveProperty("jwksUri");
});

describe("a deployment that changes from HS256 to asymmetric keys, and back", async () => {
  test.each<[string, Partial<OAuthProxyConfig>, Partial<OAuthProxyConfig>]>([
    ["there", {}, { signing: new SigningKeys() }],
    ["back", { signing: new SigningKeys() }, {}],
    ["to another algorithm's given key", { signing: new SigningKeys() }, { signing: await given() }],
  ])(
    "%s: access tokens that are out are refused as invalid, and every client refreshes and goes on",
    async (_, before, after) => {
      const world = new World();
      const { client, tokens } = await world.server(before).signIn();
      const changed = world.server(after);
      const { status, challenge } = await guarded(changed, tokens.access_token);
      expect(status).toBe(401);
      expect(challenge).toContain('error="invalid_token"');

      const refreshed = await jsonOf(await changed.refresh(client, tokens.refresh_token));
      expect(await changed.call(String(refreshed["access_token"]))).toBe(200);
      expect(await changed.auth.loadUpstreamTokens(String(refreshed["access_token"]))).not.toBeNull();
      expect(world.eventsOf("grant.revoked")).toEqual([]);
      expect(world.eventsOf("refresh_token.reused")).toEqual([]);
    },
  );

  test("RFC 8725 §3.1: neither takes a token of the other for its own, whatever is known to whom", async () => {
    const world = new World();
    const symmetric = world.server();
    const asymmetric = world.server({ signing: new SigningKeys() });
    const [one, other] = [await symmetric.signIn(), await asymmetric.signIn()];
    expect(await symmetric.call(other.tokens.access_token)).toBe(401);
    expect(await asymmetric.call(one.tokens.access_token)).toBe(401);
    expect(await symmetric.call(one.tokens.access_token)).toBe(200);
    expect(await asymmetric.call(other.tokens.access_token)).toBe(200);
  });
});

async function given(): Promise<SigningKeys> {
  const { privateKey } = await generateKeyPair("EdDSA", { extractable: true });
  return new SigningKeys({ keys: [{ ...(await exportJWK(privateKey)) }] });
}

describe("a signing key that leaked", () => {
  test("is taken back at once: its tokens are refused though they were remembered, clients refresh, and nobody is signed out", async () => {
    const world = new World();
    const signing = new SigningKeys();
    const [server, replica] = [world.server({ signing }), world.server({ signing: new SigningKeys() })];
    const { client, tokens } = await server.signIn();
    for (const each of [server, replica]) {
      expect(await each.call(tokens.access_token)).toBe(200);
      expect(await each.call(tokens.access_token)).toBe(200);
    }

    expect(await signing.retire(kidOf(tokens.access_token))).toBe(true);
    expect(await guarded(server, tokens.access_token)).toMatchObject({
      status: 401,
      challenge: expect.stringContaining('error="invalid_token"'),
    });
    expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toBeNull();
    const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));
    const next = String(refreshed["access_token"]);
    expect(await server.call(next)).toBe(200);
    expect((await documentOf(server)).keys.map(({ kid }) => kid)).toEqual([kidOf(next)]);

    world.now += 60;
    expect(await replica.call(tokens.access_token)).toBe(401);
    expect(await replica.call(next)).toBe(200);
    expect(world.eventsOf("signing_key.retired")).toHaveLength(1);
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  });

  test("can be taken back by a program beside the server, over the same storage", async () => {
    const world = new World();
    const server = world.server({ signing: new SigningKeys() });
    const { tokens } = await server.signIn();
    expect(await server.call(tokens.access_token)).toBe(200);

    const signing = new SigningKeys();
    world.server({ signing });
    await signing.retire(kidOf(tokens.access_token));
    world.now += 60;
    expect(await server.call(tokens.access_token)).toBe(401);
  });

  test("was given: without it in the list its tokens are refused", async () => {
    const pairs = await Promise.all([1, 2].map(() => generateKeyPair("ES256", { extractable: true })));
    const [leaked, next] = await Promise.all(
      pairs.map(async ({ privateKey }) => ({ ...(await exportJWK(privateKey)) })),
    );
    if (leaked === undefined || next === undefined) throw new Error("two keys were made");
    const world = new World();
    const { client, tokens } = await world.server({ signing: new SigningKeys({ keys: [leaked] }) }).signIn();
    const after = world.server({ signing: new SigningKeys({ keys: [next] }) });
    expect(await after.call(tokens.access_token)).toBe(401);
    expect((await after.refresh(client, tokens.refresh_token)).status).toBe(200);
  });
});

describe("the secret that seals the keys", () => {
  test("is rotated over restarts, and no token is refused", async () => {
    const world = new World();
    const at = (...secret: (string | undefined)[]) =>
      world.server({ secret: secret.filter((each) => each !== undefined), signing: new SigningKeys() });
    const { client, tokens } = await at(OLD).signIn();
    const both = at(NEW, OLD);
    expect(await both.call(tokens.access_token)).toBe(200);
    const refreshed = await jsonOf(await both.refresh(client, tokens.refresh_token));
    // The signing keys were sealed anew, and the new secret alone goes on with them.
    const alone = at(NEW);
    expect(await alone.call(tokens.access_token)).toBe(200);
    expect(await alone.call(String(refreshed["access_token"]))).toBe(200);
    expect(world.eventsOf("signing_key.published")).toHaveLength(1);
    expect(world.eventsOf("signing_keys.unavailable")).toEqual([]);
  });

  test("is wrong: 503 and not 401, told once, nothing is put in the keys' place, and with the right one all goes on", async () => {
    const world = new World();
    const server = (secret: string | undefined) => world.server({ secret, signing: new SigningKeys() });
    const { client, tokens } = await server(OLD).signIn();
    const wrong = server(WRONG);
    for (let each = 0; each < 3; each++) {
      expect(await guarded(wrong, tokens.access_token)).toEqual({ status: 503, challenge: "" });
      expect((await wrong.get(JWKS)).status).toBe(503);
      world.now += 10;
    }
    expect(world.eventsOf("signing_keys.unavailable")).toHaveLength(1);
    expect(world.eventsOf("storage.unreadable").map(({ prefix, why }) => [prefix, why])).toEqual([
      ["key-marks", "key"],
      ["signing-key", "key"],
    ]);
    expect(await server(OLD).call(tokens.access_token)).toBe(200);
    expect((await server(OLD).refresh(client, tokens.refresh_token)).status).toBe(200);
  });

  test("leaked: replaced by another one alone, with the keys' record deleted, the server begins anew", async () => {
    const world = new World();
    const { client, tokens } = await world.server({ secret: OLD, signing: new SigningKeys() }).signIn();
    await world.storage.inner.delete("signing-key:current");
    const after = world.server({ secret: NEW, signing: new SigningKeys() });
    expect(await after.call(tokens.access_token)).toBe(401);
    expect((await after.refresh(client, tokens.refresh_token)).status).toBe(401);
    expect(await after.call((await after.signIn()).tokens.access_token)).toBe(200);
  });

  test("nothing is spent while nothing can be signed: code and refresh token are as good afterwards", async () => {
    const world = new World();
    const server = () => world.server({ signing: new SigningKeys() });
    const before = server();
    const { client, tokens } = await before.signIn();
    const authorized = await before.authorize({ client });
    const record = await world.storage.inner.get("signing-key:current");
    await world.storage.inner.save("signing-key:current", "damaged");

    const broken = server();
    for (const answer of [await broken.redeem(authorized), await broken.refresh(client, tokens.refresh_token)]) {
      expect(answer.status).toBe(503);
      expect(await jsonOf(answer)).toMatchObject({ error: "temporarily_unavailable" });
    }
    await world.storage.inner.save("signing-key:current", record);
    // Far beyond any grace period.
    world.now += 250;
    const mended = server();
    expect((await mended.redeem(authorized)).status).toBe(200);
    expect((await mended.refresh(client, tokens.refresh_token)).status).toBe(200);
    expect(world.eventsOf("refresh_token.reused")).toEqual([]);
  });
});

describe("options", () => {
  const KEY = "a-key-of-at-least-32-bytes-0123456789";

  test.each<[string, Partial<OAuthProxyConfig>]>([
    ["signing", { enableTokenSwap: false, passThroughAudienceCheck: false }],
    ["jwtSigningKey", { jwtSigningKey: KEY }],
    ["encryptionKey", { encryptionKey: false }],
    ["signing", { signing: {} as SigningSource }],
    ["signing", { signing: "ES256" as unknown as SigningSource }],
    [
      "signing.rotationInterval",
      { signing: new SigningKeys({ publishBefore: 600, rotationInterval: 1200 }), accessTokenTtl: 86_400 },
    ],
  ])("%s: what does not go together is refused at the start", (option, config) => {
    expect(() => new World().server({ signing: new SigningKeys(), ...config })).toThrow(
      expect.objectContaining({ name: "ConfigurationError", option } satisfies Partial<ConfigurationError>),
    );
  });

  test("given keys need no sealed storage, and keys that are made go into one that the operator sealed", async () => {
    const open = new World();
    const plain = open.server({ encryptionKey: false, signing: await given() });
    expect(await plain.call((await plain.signIn()).tokens.access_token)).toBe(200);
    expect(await open.storage.inner.get("signing-key:current")).toBeUndefined();

    const world = new World();
    const backend = new MemoryTokenStorage({ now: () => world.now });
    const server = () =>
      world.server({ tokenStorage: new EncryptedTokenStorage(backend, KEY), signing: new SigningKeys() });
    const { tokens } = await server().signIn();
    expect(await server().call(tokens.access_token)).toBe(200);
    expect(await backend.get("signing-key:current")).toMatch(/^s1\./);
  });

  test("keys that sign for ten years are kept for as long", async () => {
    const world = new World();
    const signing = () => new SigningKeys({ rotationInterval: 315_360_000 });
    const { tokens } = await world.server({ signing: signing() }).signIn();
    expect(await world.server({ signing: signing() }).call(tokens.access_token)).toBe(200);
  });
});
