import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BASE_URL, idToken, jsonOf, RESOURCE, type Server, UPSTREAM, World } from "../test/harness.ts";
import { randomFrom } from "../test/random.ts";
import { shuffled, UnreliableStorage } from "../test/unreliable-storage.ts";
import {
  ConfigurationError,
  EncryptedTokenStorage,
  type GrantListOptions,
  type ListOptions,
  MemoryTokenStorage,
} from "./index.ts";
import type { OAuthProxyConfig } from "./options.ts";

const REVOCATION = `${UPSTREAM}/revoke`;

/** Servers of one world that all keep to one storage, which can list. */
function arranged(config: Partial<OAuthProxyConfig> = {}) {
  const world = new World();
  const { inner } = world.storage;
  const another = (more: Partial<OAuthProxyConfig> = {}) =>
    world.server({ tokenStorage: inner, upstreamRevocationEndpoint: REVOCATION, ...config, ...more });
  return { world, storage: inner, server: another(), another };
}

/** Signs a person in through a client of its own. */
function signIn(server: Server, sub: string, metadata: Readonly<Record<string, unknown>> = {}) {
  const { world } = server;
  world.answer = ({ url }) =>
    url === REVOCATION
      ? { body: {} }
      : world.tokens({ id_token: idToken({ sub, aud: "our-app", exp: world.now + 60, role: `role of ${sub}` }) });
  return server.register(metadata).then((client) => server.signIn({ client }));
}

/** Every page of a selection, one after the other. */
async function pagesOf(server: Server, options: GrantListOptions = {}) {
  const pages = [await server.auth.listGrants(options)];
  for (let cursor = pages[0]?.cursor; cursor !== undefined; cursor = pages.at(-1)?.cursor)
    pages.push(await server.auth.listGrants({ ...options, cursor }));
  return pages;
}

const grantsOf = async (server: Server, options?: GrantListOptions) =>
  (await pagesOf(server, options)).flatMap(({ grants }) => grants);
const subjectsOf = async (server: Server, options?: GrantListOptions) =>
  (await grantsOf(server, options)).map(({ subject }) => subject).sort();

describe("who is connected", () => {
  test("is told with everything that a page needs, and without anything that opens a door", async () => {
    const { world, server } = arranged({ resourceScopes: ["mcp:tools"] });
    const { client, tokens } = await signIn(server, "alice", { client_name: "<Cursor>" });
    const { grants, cursor } = await server.auth.listGrants({ subject: "alice" });
    expect(cursor).toBeUndefined();
    expect(grants).toEqual([
      {
        id: expect.stringMatching(/^[A-Za-z0-9_-]{44}$/),
        subject: "alice",
        clientId: client.clientId,
        clientName: "<Cursor>",
        scopes: ["read", "mcp:tools"],
        resources: [RESOURCE],
        claims: { role: "role of alice" },
        createdAt: world.now,
        expiresAt: world.now + 2_592_000,
      },
    ]);
    const text = JSON.stringify(grants);
    for (const secret of [tokens.access_token, tokens.refresh_token, "upstream-access", "upstream-refresh", "salt"])
      expect(text).not.toContain(secret);
  });

  test("of several people with several clients each is found by name, and all of them without", async () => {
    const { server } = arranged();
    for (const sub of ["alice", "bob", "alice", "alice\u0000", "Alice", "al"]) await signIn(server, sub);
    expect(await subjectsOf(server, { subject: "alice" })).toEqual(["alice", "alice"]);
    expect(await subjectsOf(server, { subject: "bob" })).toEqual(["bob"]);
    expect(await subjectsOf(server, { subject: "al" })).toEqual(["al"]);
    expect(await subjectsOf(server, { subject: "nobody" })).toEqual([]);
    expect(await subjectsOf(server)).toEqual(["Alice", "al", "alice", "alice", "alice\u0000", "bob"]);
  });

  test("goes on where the person refreshes, ends with the grant, and never shows what can't be read", async () => {
    const { world, storage, server, another } = arranged();
    const { client, tokens } = await signIn(server, "alice");
    world.now += 1000;
    const refreshed = await jsonOf(await server.refresh(client, tokens.refresh_token));
    expect(await grantsOf(server, { subject: "alice" })).toMatchObject([
      { createdAt: world.now - 1000, expiresAt: world.now + 2_592_000 },
    ]);

    const stranger = another({ secret: "another secret that is long enough for it" });
    expect(await grantsOf(stranger)).toEqual([]);
    expect(world.eventsOf("storage.unreadable")).toMatchObject([{ prefix: "grant", why: "key" }]);

    await server.post("/oauth/revoke", { token: String(refreshed.refresh_token), client_id: client.clientId });
    expect(await grantsOf(server)).toEqual([]);
    expect((await storage.list?.("grant:"))?.keys).toHaveLength(1);
  });

  test("a grant that a storage keeps for too long is over all the same", async () => {
    const { world, server } = arranged({ tokenStorage: new MemoryTokenStorage({ now: () => 0 }) });
    await signIn(server, "alice");
    world.now += 2_592_000;
    expect(await grantsOf(server)).toEqual([]);
  });

  test.each([1, 2, 3, 7, 100])("in pages of %i, everybody is there once", async (limit) => {
    const { server } = arranged();
    for (let count = 0; count < 7; count++) await signIn(server, count % 2 === 0 ? "alice" : `person ${count}`);
    const pages = await pagesOf(server, { limit });
    for (const { grants } of pages) expect(grants.length).toBeLessThanOrEqual(limit);
    expect(new Set(pages.flatMap(({ grants }) => grants.map(({ id }) => id))).size).toBe(7);
    expect(await subjectsOf(server, { limit, subject: "alice" })).toEqual(Array(4).fill("alice"));
  });

  test("costs one page of names and one read for each of them", async () => {
    const { world, server, storage } = arranged();
    for (const sub of ["alice", "bob", "alice"]) await signIn(server, sub);
    const calls: string[] = [];
    const { list } = storage;
    const counted = (prefix: string, page?: ListOptions) => {
      calls.push("list");
      return list?.call(storage, prefix, page);
    };
    Object.assign(world.storage, { list: counted });
    const counting = world.server({ tokenStorage: world.storage });
    world.storage.calls = calls;
    expect(await subjectsOf(counting, { subject: "alice" })).toEqual(["alice", "alice"]);
    expect(calls).toEqual(["list", "get grant", "get grant"]);
  });

  test("is the same in another process, and over storage that is encrypted by hand", async () => {
    const world = new World();
    const storage = new EncryptedTokenStorage(world.storage.inner, "a key that is long enough for AES, really");
    const [one, other] = [world.server({ tokenStorage: storage }), world.server({ tokenStorage: storage })];
    await signIn(one, "alice");
    expect(await subjectsOf(other, { subject: "alice" })).toEqual(["alice"]);
    expect(await other.auth.revokeGrants({ subject: "alice" })).toBe(1);
    expect(await subjectsOf(one)).toEqual([]);
  });

  test("is known in pass-through and with forwardPkce too", async () => {
    for (const config of [
      { enableTokenSwap: false, passThroughAudienceCheck: false } as const,
      { forwardPkce: true },
    ]) {
      const { server } = arranged(config);
      await signIn(server, "alice");
      expect(await subjectsOf(server, { subject: "alice" })).toEqual(["alice"]);
    }
  });

  test("in plaintext records nothing changes", async () => {
    const { server } = arranged({ encryptionKey: false });
    await signIn(server, "alice");
    expect(await subjectsOf(server, { subject: "alice" })).toEqual(["alice"]);
  });
});

describe("what is asked for wrongly", () => {
  test.each([
    ["a subject that is none", { subject: undefined }, TypeError],
    ["an empty subject", { subject: "" }, TypeError],
    ["a limit of 0", { limit: 0 }, RangeError],
    ["a limit of half", { limit: 0.5 }, RangeError],
    ["a limit above 1000", { limit: 1001 }, RangeError],
    ["a cursor of somebody else", { cursor: "nonsense" }, RangeError],
    ["a cursor beyond the end", { cursor: "1." }, RangeError],
  ])("%s is refused", async (_, options, error) => {
    const { server } = arranged();
    await signIn(server, "alice");
    await expect(server.auth.listGrants(options as GrantListOptions)).rejects.toThrow(error);
  });

  test("nobody is signed out by a name that is missing", async () => {
    const { server } = arranged();
    const { tokens } = await signIn(server, "alice");
    const revokeGrants = server.auth.revokeGrants.bind(server.auth) as (selection: object) => Promise<number>;
    for (const selection of [{}, { subject: undefined }, { subject: "" }])
      await expect(revokeGrants(selection)).rejects.toThrow(TypeError);
    expect(await server.call(tokens.access_token)).toBe(200);
  });

  test("a storage that can't list is named, and single grants can be ended even so", async () => {
    const { world, server, storage } = arranged();
    const plain = world.server({ tokenStorage: world.storage });
    expect(world.storage).not.toHaveProperty("list");
    await signIn(plain, "alice");
    await expect(plain.auth.listGrants()).rejects.toThrow(ConfigurationError);
    await expect(plain.auth.revokeGrants({ subject: "alice" })).rejects.toThrow(/^tokenStorage: /);
    expect(storage.list).toBeDefined();
    const [grant] = await grantsOf(server);
    expect(await plain.auth.revokeGrant(grant?.id ?? "")).toBe(true);
  });

  test("while the storage can't be reached nobody is said to be gone", async () => {
    const world = new World();
    const storage = new UnreliableStorage(world.storage.inner);
    Object.assign(storage, { list: () => Promise.reject(new Error("connect ECONNREFUSED")) });
    const server = world.server({ tokenStorage: storage });
    const unavailable = expect.objectContaining({ code: "temporarily_unavailable" });
    await expect(server.auth.listGrants()).rejects.toThrow(unavailable);
    storage.treatment = () => Promise.reject(new Error("connect ECONNREFUSED"));
    await expect(server.auth.revokeGrant("x")).rejects.toThrow(unavailable);
  });
});

describe("ending what is connected", () => {
  test("revokeGrant ends one, here at once, elsewhere within revocationCheckTtl, and the upstream's tokens with it", async () => {
    const { world, server, another } = arranged();
    const other = another();
    const [alice, bob] = [await signIn(server, "alice"), await signIn(server, "bob")];
    expect(await other.call(alice.tokens.access_token)).toBe(200);
    const [grant] = await grantsOf(server, { subject: "alice" });
    world.upstreamRequests.length = 0;

    expect(await server.auth.revokeGrant(grant?.id ?? "")).toBe(true);
    expect(await server.call(alice.tokens.access_token)).toBe(401);
    world.now += 6;
    expect(await other.call(alice.tokens.access_token)).toBe(401);
    expect((await other.refresh(alice.client, alice.tokens.refresh_token)).status).toBe(400);
    expect(await other.call(bob.tokens.access_token)).toBe(200);
    expect(world.upstreamRequests.map(({ form }) => form.get("token")).sort()).toEqual([
      "upstream-access-1",
      "upstream-refresh-1",
    ]);
    expect(world.eventsOf("grant.revoked")).toMatchObject([
      { because: "operator", subject: "alice", grant: grant?.id },
    ]);
    expect(await server.auth.revokeGrant(grant?.id ?? "")).toBe(false);
  });

  test.each(["", "x", "a".repeat(44), "../grant", "\u0000", "code:x"])("%j is nobody's grant", async (id) => {
    const { server } = arranged();
    await signIn(server, "alice");
    expect(await server.auth.revokeGrant(id)).toBe(false);
    expect(await subjectsOf(server)).toEqual(["alice"]);
  });

  test("with a subject, one person can't end another's", async () => {
    const { server } = arranged();
    await signIn(server, "alice");
    const [{ id } = { id: "" }] = await grantsOf(server);
    expect(await server.auth.revokeGrant(id, { subject: "mallory" })).toBe(false);
    await expect(server.auth.revokeGrant(id, { subject: undefined } as object)).rejects.toThrow(TypeError);
    expect(await subjectsOf(server)).toEqual(["alice"]);
    expect(await server.auth.revokeGrant(id, { subject: "alice" })).toBe(true);
  });

  test("of 32 who end it at once one did, and the upstream is asked once", async () => {
    const world = new World();
    const storage = new UnreliableStorage(world.storage.inner);
    const server = world.server({ tokenStorage: storage, upstreamRevocationEndpoint: REVOCATION });
    const listing = world.server({ tokenStorage: world.storage.inner });
    await signIn(server, "alice");
    const [{ id } = { id: "" }] = await grantsOf(listing);
    world.upstreamRequests.length = 0;
    storage.treatment = shuffled(randomFrom(5));
    const ended = await Promise.all(Array.from({ length: 32 }, () => server.auth.revokeGrant(id)));
    expect(ended.filter(Boolean)).toHaveLength(1);
    expect(world.upstreamRequests).toHaveLength(2);
  });

  test("revokeGrants signs a person out everywhere, however many there are, and nobody else", async () => {
    const { server } = arranged();
    const { client, tokens } = await signIn(server, "bob");
    for (let count = 0; count < 120; count++) await server.signIn({ client });
    expect(await server.auth.revokeGrants({ subject: "bob" })).toBe(121);
    expect(await server.call(tokens.access_token)).toBe(401);
    expect(await server.auth.revokeGrants({ subject: "bob" })).toBe(0);

    const alice = await signIn(server, "alice");
    expect(await server.auth.revokeGrants({ subject: "bob" })).toBe(0);
    expect(await server.call(alice.tokens.access_token)).toBe(200);
  });

  test("a sign-in that ends meanwhile is there afterwards or is not, and breaks nothing", async () => {
    const { server } = arranged();
    await signIn(server, "alice");
    const client = await server.register();
    const authorized = await server.authorize({ client });
    const [ended, answer] = await Promise.all([
      server.auth.revokeGrants({ subject: "alice" }),
      server.redeem(authorized),
    ]);
    const { access_token: token } = await jsonOf(answer);
    const left = await subjectsOf(server, { subject: "alice" });
    expect(ended + left.length).toBe(2);
    expect(await server.call(String(token))).toBe(left.length === 1 ? 200 : 401);
  });
});

describe("while the secret is rotated", () => {
  const [old, fresh] = ["the old secret, which is long enough", "the new secret, which is long enough"] as const;

  test("a person is found under every secret of the list, once, and with one page for each", async () => {
    const { another } = arranged();
    await signIn(another({ secret: old }), "alice");
    await signIn(another({ secret: [fresh, old] }), "alice");
    const server = another({ secret: [fresh, old] });
    const pages = await pagesOf(server, { subject: "alice" });
    expect(pages).toHaveLength(2);
    expect(new Set(pages.flatMap(({ grants }) => grants.map(({ id }) => id))).size).toBe(2);
    expect(await server.auth.revokeGrants({ subject: "alice" })).toBe(2);
  });

  test("a grant that outlives its first secret is found where everybody's is read", async () => {
    const { another } = arranged();
    const { client, tokens } = await signIn(another({ secret: old }), "alice");
    await another({ secret: [fresh, old] }).refresh(client, tokens.refresh_token);
    const server = another({ secret: fresh });
    await signIn(server, "bob");
    expect(await subjectsOf(server, { subject: "alice" })).toEqual([]);
    expect(await subjectsOf(server, { subject: "alice", thorough: true })).toEqual(["alice"]);
    expect(await server.auth.revokeGrants({ subject: "alice", thorough: true })).toBe(1);
    expect(await subjectsOf(server)).toEqual(["bob"]);
  });

  test.each([{}, { forwardPkce: true }])(
    "a code has one name at every process, whichever secret comes first there: it pays once (%j)",
    async (config) => {
      for (let seed = 1; seed <= 5; seed++) {
        const world = new World();
        const storage = new UnreliableStorage(world.storage.inner);
        const servers = [
          [old, fresh],
          [fresh, old],
        ].map((secret) => world.server({ ...config, tokenStorage: storage, secret }));
        const [server] = servers;
        if (server === undefined) throw new Error("no server");
        const authorized = await server.authorize();
        storage.treatment = shuffled(randomFrom(seed));
        const answers = await Promise.all(
          Array.from({ length: 32 }, (_, racer) => (servers[racer % 2] ?? server).redeem(authorized)),
        );
        storage.recover();
        expect(
          answers.filter(({ status }) => status === 200),
          `seed ${seed}`,
        ).toHaveLength(1);
        world.now += 11;
        await servers[1]?.redeem(authorized);
        expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "code_replay" }]);
      }
    },
  );
});

test("a dump of all keys and values names nobody, and can't be searched by guessing names", async () => {
  const { server, storage } = arranged();
  const { tokens } = await signIn(server, "alice@private.example");
  const { keys } = (await storage.list?.("")) ?? { keys: [] };
  const dump = JSON.stringify(await Promise.all(keys.map(async (key) => [key, await storage.get(key)])));
  expect(keys.some((key) => key.startsWith("grant:"))).toBe(true);
  expect(dump).not.toContain("alice");
  for (const guess of ["alice@private.example", `${BASE_URL}alice@private.example`]) {
    for (const encoding of ["base64url", "hex"] as const)
      expect(dump).not.toContain(createHash("sha256").update(guess).digest(encoding).slice(0, 20));
  }
  // What every token of a person shows is which grants are of one and the same, and no more than its `sub` does.
  expect(tokens.refresh_token).toContain(keys.find((key) => key.startsWith("grant:"))?.slice("grant:".length) ?? "");
});
