import { describe, expect, test, vi } from "vitest";
import {
  type Authorized,
  BASE_URL,
  Browser,
  formOf,
  jsonOf,
  REDIRECT_URI,
  type Server,
  UPSTREAM,
} from "../test/harness.ts";
import { randomFrom } from "../test/random.ts";
import { atRest, type Servers, serversWith, TRAVELS } from "../test/servers.ts";
import { shuffled } from "../test/unreliable-storage.ts";
import type { OAuthProxyConfig } from "./options.ts";
import { PKCEUtils } from "./pkce-utils.ts";
import { MemoryTokenStorage } from "./state/memory-token-storage.ts";
import type { TokenStorage } from "./state/token-storage.ts";

// Whole servers by the hundred, on whatever machine this is.
vi.setConfig({ testTimeout: 60_000 });

const RACERS = 32;
const REVOCATION = `${UPSTREAM}/revoke`;

/** One, two and three instances, whose clocks agree; clocks that don't have tests of their own. */
const INSTANCES: readonly (readonly [number, ...number[]])[] = [[0], [0, 0], [0, 0, 0]];

const race = <T>(run: (racer: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: RACERS }, (_, racer) => run(racer)));
const statusesOf = (answers: readonly Response[]) => answers.map(({ status }) => status).sort((a, b) => a - b);
const oneOf = (status: number, others: number) => [status, ...Array(RACERS - 1).fill(others)].sort((a, b) => a - b);
const bodiesOf = (answers: readonly Response[]) => Promise.all(answers.map(jsonOf));

/** Runs a race over every number of instances and every way in which calls travel. */
function races(title: string, run: (servers: Servers, start: () => void, seed: string) => Promise<void>): void {
  describe(title, () => {
    for (const [travel, seeds, treatmentOf] of TRAVELS) {
      test.each(INSTANCES.map((clocks) => [clocks.length, clocks] as const))(
        `${RACERS} at once over %i instances, ${travel} (seeds 1 to ${seeds})`,
        async (_, clocks) => {
          for (let seed = 1; seed <= seeds; seed++) {
            const arranged = serversWith({}, clocks);
            const start = () => {
              arranged.storage.treatment = treatmentOf(seed);
            };
            await run(arranged, start, `seed ${seed}`);
          }
        },
      );
    }
  });
}

async function refreshed(server: Server, client: Authorized["client"], token: string) {
  const answer = await server.refresh(client, token);
  return { status: answer.status, ...(await jsonOf(answer)) } as Record<string, unknown> & { status: number };
}

races(
  "One winner per code: of N simultaneous correct redemptions exactly one gets tokens; the others get invalid_grant",
  async ({ world, storage, at }, start, seed) => {
    const authorized = await at(0).authorize();
    start();
    const answers = await race((racer) => at(racer).redeem(authorized));
    storage.recover();
    expect(statusesOf(answers), seed).toEqual(oneOf(200, 400));

    const winner = answers.find(({ status }) => status === 200);
    const losers = await bodiesOf(answers.filter(({ status }) => status === 400));
    expect(new Set(losers.map(({ error }) => error))).toEqual(new Set(["invalid_grant"]));

    // The winner is not punished for a sibling: everywhere its token opens, and it can be refreshed.
    const tokens = await jsonOf(winner ?? new Response("{}"));
    for (let instance = 0; instance < 3; instance++) {
      expect(await at(instance).call(String(tokens.access_token)), seed).toBe(200);
    }
    expect((await at(1).refresh(authorized.client, String(tokens.refresh_token))).status).toBe(200);
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  },
);

races(
  "Simultaneous refreshes agree: all of N racers get a 200 with the same next refresh token and a usable access token",
  async ({ world, storage, at }, start, seed) => {
    const { client, tokens } = await at(0).signIn();
    start();
    const answers = await race((racer) => at(racer).refresh(client, tokens.refresh_token));
    storage.recover();
    expect(statusesOf(answers), seed).toEqual(Array(RACERS).fill(200));

    const bodies = await bodiesOf(answers);
    expect(new Set(bodies.map((body) => body.refresh_token)).size, seed).toBe(1);
    expect(bodies[0]?.refresh_token).not.toBe(tokens.refresh_token);
    for (const [index, body] of bodies.entries()) expect(await at(index).call(String(body.access_token))).toBe(200);
    expect((await at(1).refresh(client, String(bodies[0]?.refresh_token))).status).toBe(200);
    expect(world.eventsOf("grant.revoked")).toEqual([]);
    expect(world.eventsOf("grant.refreshed").filter(({ retried }) => !retried)).toHaveLength(2);
  },
);

races(
  "One winner per transaction: of N simultaneous callbacks exactly one goes on, and the upstream's code is redeemed once",
  async ({ world, storage, at }, start, seed) => {
    const client = await at(0).register();
    const browser = new Browser();
    const { verifier, challenge } = PKCEUtils.generatePair();
    const upstream = await at(0).consent(at(0).authorizationUrl(client, challenge), browser);
    const location = upstream.headers.get("location") ?? "";
    const state = new URL(location).searchParams.get("state");
    start();
    const answers = await race((racer) =>
      at(racer).get(`/oauth/callback?code=upstream-code&state=${state}`, { cookie: browser.header() }),
    );
    storage.recover();
    expect(statusesOf(answers), seed).toEqual(oneOf(302, 400));
    expect(world.upstreamRequests, seed).toHaveLength(1);

    const won = new URL(answers.find(({ status }) => status === 302)?.headers.get("location") ?? BASE_URL);
    const code = won.searchParams.get("code") ?? "";
    expect((await at(1).redeem({ client, code, verifier })).status).toBe(200);
  },
);

describe("The same in every way of running the server", () => {
  /** A storage with the documented verbs and no more. */
  const plain = (): TokenStorage => {
    const inner = new MemoryTokenStorage();
    const treatment = shuffled(randomFrom(2));
    const travelling = <T>(verb: "get" | "save" | "delete", perform: () => Promise<T>) =>
      treatment({ verb, kind: "any" }, perform);
    return {
      get: (key) => travelling("get", () => inner.get(key)),
      save: (key, value, ttl) => travelling("save", () => inner.save(key, value, ttl)),
      delete: (key) => travelling("delete", () => inner.delete(key)),
      cleanup: () => inner.cleanup(),
    };
  };
  const ways: readonly (readonly [string, () => Partial<OAuthProxyConfig>])[] = [
    ["forwardPkce", () => ({ forwardPkce: true })],
    ["stored registrations", () => ({ registration: { store: true } })],
    ["records in plaintext", () => ({ encryptionKey: false })],
    ["the upstream's own tokens", () => ({ enableTokenSwap: false, passThroughAudienceCheck: false })],
    ["a storage without atomic verbs, in one process", () => ({ tokenStorage: plain() })],
  ];

  test.each(ways)("%s: one winner per code, and refreshes agree", async (_, configOf) => {
    for (let seed = 1; seed <= 6; seed++) {
      const config = configOf();
      const { world, storage, at } = serversWith(config, config.tokenStorage === undefined ? [0, 0] : [0]);
      const authorized = await at(0).authorize();
      storage.treatment = shuffled(randomFrom(seed));
      const redeemed = await race((racer) => at(racer).redeem(authorized));
      expect(statusesOf(redeemed), `seed ${seed}`).toEqual(oneOf(200, 400));
      const codes = world.upstreamRequests.filter(({ form }) => form.get("grant_type") === "authorization_code");
      expect(codes, `seed ${seed}`).toHaveLength(1);

      const tokens = await jsonOf(redeemed.find(({ status }) => status === 200) ?? new Response("{}"));
      const refreshed = await race((racer) => at(racer).refresh(authorized.client, String(tokens.refresh_token)));
      const bodies = await bodiesOf(refreshed);
      expect(new Set(bodies.map((body) => body.refresh_token)).size, `seed ${seed}`).toBe(1);
      for (const [index, body] of bodies.entries()) expect(await at(index).call(String(body.access_token))).toBe(200);
      expect(world.eventsOf("grant.revoked")).toEqual([]);
    }
  });
});

describe("One consent, however often it is posted", () => {
  test(`${RACERS} posts of one form at once all lead to the same place, and so does a later one`, async () => {
    const { world, storage, at } = serversWith({}, [0, 0]);
    const client = await at(0).register();
    const browser = new Browser();
    const { challenge } = PKCEUtils.generatePair();
    const shown = await at(0).get(at(0).authorizationUrl(client, challenge));
    browser.keep(shown);
    const form = { ...formOf(await shown.text()), action: "approve" };
    storage.treatment = shuffled(randomFrom(4));
    const answers = await race((racer) => at(racer).post("/oauth/consent", form, { cookie: browser.header() }));
    world.now += 60;
    answers.push(await at(0).post("/oauth/consent", form, { cookie: browser.header() }));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
    expect(new Set(answers.map(({ headers }) => headers.get("location"))).size).toBe(1);
  });
});

describe("While the secret is rotated, instance by instance", () => {
  const [old, fresh] = ["the old secret, which is long enough", "the new secret, which is long enough"] as const;

  test("racers may be given two spellings of the next token; both work, and nobody is logged out", async () => {
    const { world, servers, another } = serversWith({ secret: [old, fresh] });
    const instances = [servers[0], another({ secret: [fresh, old] })] as const;
    const { client, tokens } = await servers[0].signIn();
    const bodies = await bodiesOf(
      await race((racer) => instances[racer % 2 === 0 ? 0 : 1].refresh(client, tokens.refresh_token)),
    );
    const next = new Set(bodies.map((body) => String(body.refresh_token)));
    expect(next.size).toBe(2);
    for (const instance of instances) {
      for (const body of bodies) expect(await instance.call(String(body.access_token))).toBe(200);
      for (const token of next) expect((await instance.refresh(client, token)).status).toBe(200);
    }
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  });
});

describe("The winner is not punished for a sibling", () => {
  test("a duplicate within 10 seconds is a retry, and the winner's tokens live on", async () => {
    const { world, servers, another } = serversWith();
    const [server] = servers;
    const { tokens, authorized } = await server.signIn();
    for (const [seconds, instance] of [
      [0, server],
      [5, another()],
      [4, server],
    ] as const) {
      world.now += seconds;
      const answer = await instance.redeem(authorized);
      expect([answer.status, (await jsonOf(answer)).error]).toEqual([400, "invalid_grant"]);
    }
    expect(await another().call(tokens.access_token)).toBe(200);
    expect((await server.refresh(authorized.client, tokens.refresh_token)).status).toBe(200);
    expect(world.eventsOf("code.duplicated")).toHaveLength(3);
  });

  test.each([-60, 0, 60])(
    "a correct redemption after that is a replay, which is refused and revokes the grant (clocks %i s apart)",
    async (clock) => {
      const { world, servers, another } = serversWith({ upstreamRevocationEndpoint: REVOCATION });
      const { client, tokens, authorized } = await servers[0].signIn();
      const elsewhere = another({}, clock);
      world.now += 11;
      const answer = await elsewhere.redeem(authorized);
      expect([answer.status, (await jsonOf(answer)).error]).toEqual([400, "invalid_grant"]);
      expect(await elsewhere.call(tokens.access_token)).toBe(401);
      expect((await servers[0].refresh(client, tokens.refresh_token)).status).toBe(400);
      expect(await servers[0].call(tokens.access_token)).toBe(401);
      expect(world.eventsOf("code.replayed")).toMatchObject([{ clientId: client.clientId }]);
      expect(revokedUpstream(world.upstreamRequests)).toEqual(["upstream-access-1", "upstream-refresh-1"]);
    },
  );

  test("a wrong redemption after that is no replay: nobody can end a grant who only saw the code", async () => {
    const { world, servers } = serversWith();
    const [server] = servers;
    const { tokens, authorized } = await server.signIn();
    world.now += 60;
    const stranger = await server.register();
    const { verifier } = PKCEUtils.generatePair();
    expect((await server.redeem({ ...authorized, client: stranger })).status).toBe(400);
    expect((await server.redeem({ ...authorized, verifier })).status).toBe(400);
    expect(await server.call(tokens.access_token)).toBe(200);
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  });
});

describe("Checks come before the claim: a wrong request burns nothing", () => {
  const wrong: Record<string, (server: Server, right: Authorized) => Promise<[string, Response]>> = {
    "another client": async (server, right) => [
      "invalid_grant",
      await server.redeem({ ...right, client: await server.register() }),
    ],
    "another redirect URI": async (server, right) => [
      "invalid_grant",
      await server.redeem(right, { redirect_uri: REDIRECT_URI.replace("49152", "49153") }),
    ],
    "another verifier": async (server, right) => [
      "invalid_grant",
      await server.redeem({ ...right, verifier: PKCEUtils.generatePair().verifier }),
    ],
    "no verifier": async (server, right) => ["invalid_grant", await server.redeem({ ...right, verifier: "" })],
    "another resource": async (server, right) => [
      "invalid_target",
      await server.redeem(right, { resource: "https://elsewhere.example/mcp" }),
    ],
    "a client secret from a public client": async (server, right) => [
      "invalid_client",
      await server.redeem(right, { client_secret: "guessed" }),
    ],
  };

  test.each(Object.entries(wrong))("a redemption with %s, also 31 of them beside the right one", async (_, attempt) => {
    const { storage, servers } = serversWith();
    const [server] = servers;
    const authorized = await server.authorize();
    const [error, answer] = await attempt(server, authorized);
    expect((await jsonOf(answer)).error).toBe(error);

    storage.treatment = shuffled(randomFrom(1));
    const answers = await race(async (racer) =>
      racer === 17 ? server.redeem(authorized) : (await attempt(server, authorized))[1],
    );
    expect(answers.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    expect(answers[17]?.status).toBe(200);
  });

  const wrongRefreshes: Record<string, Readonly<Record<string, string>>> = {
    "another resource": { resource: "https://elsewhere.example/mcp" },
    "scopes that were never granted": { scope: "admin" },
    "a malformed scope": { scope: 'a"b' },
  };

  test.each(Object.entries(wrongRefreshes))("a refresh with %s", async (_, more) => {
    const { servers } = serversWith();
    const { client, tokens } = await servers[0].signIn();
    expect((await servers[0].refresh(client, tokens.refresh_token, more)).status).toBe(400);
    const right = await refreshed(servers[0], client, tokens.refresh_token);
    expect(right).toMatchObject({ status: 200, refresh_token: expect.stringContaining(".1.") });
  });

  test("a refresh by another client, fresh or long after", async () => {
    const { world, servers } = serversWith();
    const [server] = servers;
    const { client, tokens } = await server.signIn();
    const stranger = await server.register();
    expect((await server.refresh(stranger, tokens.refresh_token)).status).toBe(400);
    const next = await refreshed(server, client, tokens.refresh_token);
    world.now += 1000;
    expect((await server.refresh(stranger, tokens.refresh_token)).status).toBe(400);
    expect((await server.refresh(client, String(next.refresh_token))).status).toBe(200);
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  });

  test("a callback from another browser, with or without a cookie of its own", async () => {
    const { servers } = serversWith();
    const [server] = servers;
    const client = await server.register();
    const [browser, other] = [new Browser(), new Browser()];
    const { challenge } = PKCEUtils.generatePair();
    const upstream = await server.consent(server.authorizationUrl(client, challenge), browser);
    await server.consent(server.authorizationUrl(client, challenge), other);
    const location = upstream.headers.get("location") ?? "";
    expect((await server.callback(location, new Browser())).status).toBe(400);
    expect((await server.callback(location, other)).status).toBe(400);
    expect((await server.callback(location, browser)).headers.get("location")).toContain("code=");
  });
});

describe("A retry of a lost response within the grace period gets the same", () => {
  test("counted from the first use and never sliding: at 60 and 119 s fine, at 121 s the grant is revoked", async () => {
    const { world, servers } = serversWith({ upstreamRevocationEndpoint: REVOCATION });
    const [server] = servers;
    const { client, tokens } = await server.signIn();
    const next = await refreshed(server, client, tokens.refresh_token);
    for (const seconds of [60, 59]) {
      world.now += seconds;
      const retry = await refreshed(server, client, tokens.refresh_token);
      expect(retry).toMatchObject({ status: 200, refresh_token: next.refresh_token });
      expect(await server.call(String(retry.access_token))).toBe(200);
    }
    world.now += 2;
    const reuse = await refreshed(server, client, tokens.refresh_token);
    expect(reuse).toMatchObject({ status: 400, error: "invalid_grant" });
  });

  test("an old generation within its grace is given the current token", async () => {
    const { world, servers } = serversWith();
    const [server] = servers;
    const { client, tokens } = await server.signIn();
    const all = [tokens.refresh_token];
    for (let generation = 1; generation <= 4; generation++) {
      world.now += 10;
      all.push(String((await refreshed(server, client, all.at(-1) ?? "")).refresh_token));
    }
    for (const old of all.slice(0, -1)) {
      expect(await refreshed(server, client, old)).toMatchObject({ status: 200, refresh_token: all.at(-1) });
    }
  });

  test("a client that loses every other answer is never logged out", async () => {
    const { world, servers, another } = serversWith();
    const { client, tokens } = await servers[0].signIn();
    let kept = tokens.refresh_token;
    for (let round = 0; round < 50; round++) {
      const server = round % 3 === 0 ? another() : servers[0];
      await server.refresh(client, kept);
      world.now += 100;
      const answer = await refreshed(server, client, kept);
      expect(answer.status, `round ${round}`).toBe(200);
      kept = String(answer.refresh_token);
      world.now += 1800;
    }
  });

  test("200 rotations, one after the other, inside one grace period", async () => {
    const { world, servers, another } = serversWith();
    const { client, tokens } = await servers[0].signIn();
    const all = [tokens.refresh_token];
    const instances = [servers[0], another()] as const;
    for (let count = 0; count < 200; count++) {
      if (count % 4 === 0) world.now += 1;
      const answer = await refreshed(instances[count % 2 === 0 ? 0 : 1], client, all.at(-1) ?? "");
      expect(answer.status, `rotation ${count}`).toBe(200);
      expect(await servers[0].call(String(answer.access_token))).toBe(200);
      all.push(String(answer.refresh_token));
    }
    for (const old of all) expect((await servers[0].refresh(client, old)).status).toBe(200);
    world.now += 121;
    expect((await servers[0].refresh(client, all.at(-1) ?? "")).status).toBe(200);
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  });

  test.each([1, 2])(
    "refreshTokenGracePeriod 0: racers over %i instances still agree, a later use is reuse",
    async (count) => {
      for (let seed = 1; seed <= 8; seed++) {
        const { world, storage, at } = serversWith({ refreshTokenGracePeriod: 0 }, count === 1 ? [0] : [0, 0]);
        const { client, tokens } = await at(0).signIn();
        storage.treatment = shuffled(randomFrom(seed));
        const bodies = await bodiesOf(await race((racer) => at(racer).refresh(client, tokens.refresh_token)));
        storage.recover();
        const next = new Set(bodies.map((body) => body.refresh_token));
        expect(next.size, `seed ${seed}`).toBe(1);
        world.now += 1;
        expect((await at(0).refresh(client, tokens.refresh_token)).status).toBe(400);
        expect((await at(0).refresh(client, String([...next][0]))).status).toBe(400);
      }
    },
  );
});

describe("A real replay ends exactly one installation", () => {
  test("reuse revokes that grant, all its tokens and its upstream tokens; an event names it; others are untouched", async () => {
    const { world, servers, another } = serversWith({ upstreamRevocationEndpoint: REVOCATION });
    const [server] = servers;
    const client = await server.register();
    const stolen = await server.signIn({ client });
    const sibling = await server.signIn({ client });
    const stranger = await server.signIn();

    const thief = await refreshed(server, client, stolen.tokens.refresh_token);
    world.now += 121;
    expect((await server.refresh(client, stolen.tokens.refresh_token)).status).toBe(400);

    const elsewhere = another();
    for (const instance of [server, elsewhere]) {
      for (const token of [stolen.tokens.access_token, String(thief.access_token)]) {
        expect(await instance.call(token)).toBe(401);
        expect(await instance.auth.loadUpstreamTokens(token)).toBeNull();
      }
      expect((await instance.refresh(client, String(thief.refresh_token))).status).toBe(400);
      for (const untouched of [sibling, stranger]) expect(await instance.call(untouched.tokens.access_token)).toBe(200);
    }
    for (const untouched of [sibling, stranger]) {
      expect((await elsewhere.refresh(untouched.client, untouched.tokens.refresh_token)).status).toBe(200);
    }

    expect(revokedUpstream(world.upstreamRequests)).toEqual(["upstream-access-1", "upstream-refresh-1"]);
    const [reused] = world.eventsOf("refresh_token.reused");
    const [redeemed] = world.eventsOf("code.redeemed");
    expect(reused).toMatchObject({ clientId: client.clientId, grant: redeemed?.grant, subject: redeemed?.subject });
    expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "refresh_token_reuse", grant: redeemed?.grant }]);
  });

  test(`${RACERS} reuses at once over three instances end it once`, async () => {
    const { world, storage, at } = serversWith({ upstreamRevocationEndpoint: REVOCATION }, [0, 0, 0]);
    const { client, tokens } = await at(0).signIn();
    await at(0).refresh(client, tokens.refresh_token);
    world.now += 241;
    storage.treatment = shuffled(randomFrom(5));
    const answers = await race((racer) => at(racer).refresh(client, tokens.refresh_token));
    expect(statusesOf(answers)).toEqual(Array(RACERS).fill(400));
    expect(world.eventsOf("grant.revoked")).toHaveLength(1);
    expect(revokedUpstream(world.upstreamRequests)).toHaveLength(2);
  });
});

describe("Clocks that are a minute apart log nobody out", () => {
  const clocks: readonly (readonly [number, number])[] = [
    [0, 60],
    [0, -60],
    [60, 0],
    [-60, 0],
  ];

  test.each(clocks)("instances at %i and %i s: every step on another instance", async (one, other) => {
    const { world, at } = serversWith({}, [one, other]);
    const client = await at(0).register();
    const browser = new Browser();
    const { verifier, challenge } = PKCEUtils.generatePair();
    const upstream = await at(0).consent(at(0).authorizationUrl(client, challenge), browser);
    world.now += 500;
    const answer = await at(1).callback(upstream.headers.get("location") ?? "", browser);
    const code = new URL(answer.headers.get("location") ?? BASE_URL).searchParams.get("code") ?? "";
    world.now += 250;
    const redeemed = await at(0).redeem({ client, code, verifier });
    const duplicate = await at(1).redeem({ client, code, verifier });
    expect([redeemed.status, duplicate.status]).toEqual([200, 400]);
    const tokens = await jsonOf(redeemed);
    expect(await at(1).call(String(tokens.access_token))).toBe(200);
    expect((await at(1).refresh(client, String(tokens.refresh_token))).status).toBe(200);
  });

  test.each(clocks)(
    "instances at %i and %i s: a lost answer is repeated up to the last second of grace",
    async (one, other) => {
      const { world, at } = serversWith({}, [one, other]);
      const { client, tokens } = await at(0).signIn();
      const next = await refreshed(at(0), client, tokens.refresh_token);
      for (const [seconds, instance] of [
        [0, 1],
        [60, 0],
        [59, 1],
      ] as const) {
        world.now += seconds;
        const retry = await refreshed(at(instance), client, tokens.refresh_token);
        expect(retry).toMatchObject({ status: 200, refresh_token: next.refresh_token });
      }
    },
  );

  test.each(clocks)(
    "instances at %i and %i s: a replay is noticed, if later on another instance",
    async (one, other) => {
      const { world, at } = serversWith({}, [one, other]);
      const { client, tokens } = await at(0).signIn();
      await at(0).refresh(client, tokens.refresh_token);
      world.now += 241;
      expect((await at(1).refresh(client, tokens.refresh_token)).status).toBe(400);
      expect(world.eventsOf("refresh_token.reused")).toHaveLength(1);
    },
  );

  test("three instances at -60, 0 and +60 s agree in a race", async () => {
    for (let seed = 1; seed <= 8; seed++) {
      const { world, storage, at } = serversWith({}, [-60, 0, 60]);
      const { client, tokens } = await at(0).signIn();
      storage.treatment = shuffled(randomFrom(seed));
      const answers = await race((racer) => at(racer).refresh(client, tokens.refresh_token));
      expect(statusesOf(answers), `seed ${seed}`).toEqual(Array(RACERS).fill(200));
      expect(new Set((await bodiesOf(answers)).map((body) => body.refresh_token)).size).toBe(1);
      expect(world.eventsOf("grant.revoked")).toEqual([]);
    }
  });
});

test("No plaintext token at rest: nothing that opens a door can be read in the storage, nor names a record", async () => {
  const { world, servers } = serversWith({ registration: { store: true } });
  const [server] = servers;
  const client = await server.register({ token_endpoint_auth_method: "none" });
  const browser = new Browser();
  const { verifier, challenge } = PKCEUtils.generatePair();
  const shown = await server.consent(server.authorizationUrl(client, challenge), browser);
  const state = new URL(shown.headers.get("location") ?? "").searchParams.get("state") ?? "";
  const { authorized, tokens } = await server.signIn({ client });
  const next = await refreshed(server, client, tokens.refresh_token);
  const stored = await atRest(world);

  expect(stored.length).toBeGreaterThan(1000);
  const secrets = [
    ...[state, authorized.code, authorized.verifier, verifier, tokens.access_token, tokens.refresh_token],
    ...[String(next.refresh_token), String(next.access_token), "upstream-access-1", "upstream-refresh-1"],
    ...[REDIRECT_URI, "Test client", "client-state"],
  ];
  for (const secret of secrets) {
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain(Buffer.from(secret).toString("base64url"));
  }
});

/** What the upstream was asked to end, in any order. */
function revokedUpstream(requests: readonly { url: string; form: URLSearchParams }[]): string[] {
  return requests
    .filter(({ url }) => url === REVOCATION)
    .map(({ form }) => form.get("token") ?? "")
    .sort();
}
