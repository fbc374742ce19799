import { describe, expect, test, vi } from "vitest";
import { Gate } from "../test/gate.ts";
import { jsonOf, type Server, type UpstreamAnswer, type World } from "../test/harness.ts";
import { randomFrom } from "../test/random.ts";
import { passing, serversWith } from "../test/servers.ts";
import { Accident, goneAfter, type StorageCall, shuffled } from "../test/unreliable-storage.ts";

// Whole servers by the hundred, on whatever machine this is.
vi.setConfig({ testTimeout: 60_000 });

const RACERS = 32;
const everyone = Array.from({ length: RACERS }, (_, racer) => racer);
/** Our own tokens outlive the upstream's here. */
const config = { accessTokenTtl: 7200 };

const refreshesOf = ({ upstreamRequests }: World) =>
  upstreamRequests
    .filter(({ form }) => form.get("grant_type") === "refresh_token")
    .map(({ form }) => form.get("refresh_token"));

/** One person signed in, so long ago that the upstream's token has this many seconds left. */
async function signedIn(left: number, clocks: readonly [number, ...number[]] = [0]) {
  const servers = serversWith(config, clocks);
  const { client, tokens } = await servers.at(0).signIn();
  servers.world.now += 3600 - left;
  return { ...servers, client, tokens };
}

/** An upstream that forgets a refresh token the moment it is used, as several do. */
function rotatesStrictly(world: World): void {
  const used = new Set<string>();
  world.answer = ({ form }): UpstreamAnswer => {
    const token = form.get("refresh_token");
    if (token === null) return world.tokens();
    if (used.has(token)) return { status: 400, body: { error: "invalid_grant" } };
    used.add(token);
    return world.tokens();
  };
}

describe("One upstream refresh, however many ask for it", () => {
  const cases = [1, 2, 3].flatMap((instances) => [30, -10].map((left) => [instances, left] as const));

  test.each(cases)("%i instances, %i seconds left: racers that load the upstream's tokens", async (instances, left) => {
    for (let seed = 1; seed <= 6; seed++) {
      const { world, storage, at, tokens } = await signedIn(left, [0, ...Array<number>(instances - 1).fill(0)]);
      rotatesStrictly(world);
      storage.treatment = shuffled(randomFrom(seed));
      const loaded = await Promise.all(everyone.map((racer) => at(racer).auth.loadUpstreamTokens(tokens.access_token)));
      storage.recover();
      expect(refreshesOf(world), `seed ${seed}`).toEqual(["upstream-refresh-1"]);
      const usable = left > 0 ? ["upstream-access-1", "upstream-access-2"] : ["upstream-access-2"];
      for (const each of loaded) expect(usable).toContain(each?.accessToken);
    }
  });

  test.each(cases)("%i instances, %i seconds left: racers that refresh their own", async (instances, left) => {
    for (let seed = 1; seed <= 6; seed++) {
      const { world, storage, at, client, tokens } = await signedIn(left, [0, ...Array<number>(instances - 1).fill(0)]);
      rotatesStrictly(world);
      storage.treatment = shuffled(randomFrom(seed));
      const answers = await Promise.all(everyone.map((racer) => at(racer).refresh(client, tokens.refresh_token)));
      storage.recover();
      expect(
        answers.map(({ status }) => status),
        `seed ${seed}`,
      ).toEqual(Array(RACERS).fill(200));
      expect(new Set((await Promise.all(answers.map(jsonOf))).map((body) => body.refresh_token)).size).toBe(1);
      expect(refreshesOf(world), `seed ${seed}`).toEqual(["upstream-refresh-1"]);
    }
  });

  test("a day of several processes: each upstream token is used once, and nobody is logged out", async () => {
    const { world, storage, at, client, tokens } = await signedIn(3600, [0, 30, -30]);
    rotatesStrictly(world);
    storage.treatment = shuffled(randomFrom(11));
    let { refresh_token: refreshToken, access_token: accessToken } = tokens as Record<string, string>;
    for (let hour = 0; hour < 24; hour++) {
      world.now += 3590;
      const [loaded, answers] = await Promise.all([
        Promise.all(everyone.slice(0, 6).map((racer) => at(racer).auth.loadUpstreamTokens(accessToken ?? ""))),
        Promise.all(everyone.slice(0, 6).map((racer) => at(racer).refresh(client, refreshToken ?? ""))),
      ]);
      for (const each of loaded) expect(each, `hour ${hour}`).not.toBeNull();
      for (const answer of answers) expect(answer.status, `hour ${hour}`).toBe(200);
      const [body] = await Promise.all(answers.map(jsonOf));
      refreshToken = String(body?.refresh_token);
      accessToken = String(body?.access_token);
    }
    const used = refreshesOf(world);
    expect(new Set(used).size).toBe(used.length);
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  });
});

describe("While one refreshes", () => {
  /** An upstream whose next answer waits until it is let go. */
  function held(world: World) {
    const { answer } = world;
    const [asked, released] = [new Gate(), new Gate()];
    world.answer = async (request) => {
      asked.open();
      await released.opened;
      return answer(request);
    };
    return { asked: asked.opened, release: released.open };
  }

  test.each([1, 2])(
    "losers over %i instances use the old token without waiting, as long as it works",
    async (instances) => {
      const { world, at, client, tokens } = await signedIn(30, instances === 1 ? [0] : [0, 0]);
      const upstream = held(world);
      const first = at(0).auth.loadUpstreamTokens(tokens.access_token);
      await upstream.asked;
      const others = await Promise.all(
        everyone.map((racer) => at(racer + 1).auth.loadUpstreamTokens(tokens.access_token)),
      );
      for (const each of others) expect(each).toMatchObject({ accessToken: "upstream-access-1" });
      expect((await at(1).refresh(client, tokens.refresh_token)).status).toBe(200);
      upstream.release();
      expect(await first).toMatchObject({ accessToken: "upstream-access-2" });
      expect(refreshesOf(world)).toHaveLength(1);
    },
  );

  test("a client's own rotation and the upstream's both happen", async () => {
    const { world, at, client, tokens } = await signedIn(30, [0, 0]);
    const upstream = held(world);
    const first = at(0).auth.loadUpstreamTokens(tokens.access_token);
    await upstream.asked;
    const next = await jsonOf(await at(1).refresh(client, tokens.refresh_token));
    upstream.release();
    await first;
    expect(await at(1).auth.loadUpstreamTokens(String(next.access_token))).toMatchObject({
      accessToken: "upstream-access-2",
    });
    expect((await at(0).refresh(client, String(next.refresh_token))).status).toBe(200);
  });

  test("one that dies leaves a lease that ends: another waits for that and no longer", async () => {
    const { world, at, another, tokens } = await signedIn(-10);
    const { answer } = world;
    const asked = new Gate();
    world.answer = () => {
      asked.open();
      return new Promise(() => undefined);
    };
    await Promise.race([at(0).auth.loadUpstreamTokens(tokens.access_token), asked.opened]);
    world.answer = answer;
    const diedAt = world.now;
    const survivor = another({ runtime: { pause: passing(world) } });
    expect(await survivor.auth.loadUpstreamTokens(tokens.access_token)).toMatchObject({
      accessToken: "upstream-access-2",
    });
    expect(world.now - diedAt).toBe(15);
  });
});

describe("When the upstream fails for the moment, nothing is lost", () => {
  const html = "<html><body>Bad gateway</body></html>";
  const failures: readonly (readonly [string, () => UpstreamAnswer])[] = [
    ["500", () => ({ status: 500, body: { error: "server_error" } })],
    ["502 with a page", () => ({ status: 502, body: html, contentType: "text/html" })],
    ["503 with invalid_grant in it", () => ({ status: 503, body: { error: "invalid_grant" } })],
    ["429", () => ({ status: 429, body: { error: "slow_down" } })],
    [
      "a broken connection",
      () => {
        throw new TypeError("fetch failed");
      },
    ],
  ];

  test.each(failures)("%s", async (_, failure) => {
    const { world, at, another, client, tokens } = await signedIn(-10);
    const { answer } = world;
    world.answer = failure;
    const refused = await at(0).refresh(client, tokens.refresh_token);
    expect([refused.status, (await jsonOf(refused)).error]).toEqual([503, "temporarily_unavailable"]);
    expect(refused.headers.get("retry-after")).toMatch(/^[1-9]/);
    await expect(at(0).auth.loadUpstreamTokens(tokens.access_token)).rejects.toThrow(
      expect.objectContaining({ code: "temporarily_unavailable" }),
    );
    expect(await at(0).call(tokens.access_token)).toBe(200);

    world.answer = answer;
    for (const server of [at(0), another()]) {
      expect((await server.refresh(client, tokens.refresh_token)).status).toBe(200);
      expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toMatchObject({
        accessToken: "upstream-access-2",
      });
    }
    expect(world.eventsOf("grant.revoked")).toEqual([]);
  });

  test("32 racers over three instances are all told to come again, and all can", async () => {
    const { world, at, client, tokens } = await signedIn(-10, [0, 0, 0]);
    const { answer } = world;
    world.answer = () => ({ status: 500, body: "" });
    const refused = await Promise.all(everyone.map((racer) => at(racer).refresh(client, tokens.refresh_token)));
    expect(new Set(refused.map(({ status }) => status))).toEqual(new Set([503]));
    world.answer = answer;
    const answers = await Promise.all(everyone.map((racer) => at(racer).refresh(client, tokens.refresh_token)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test("an upstream that refuses us, and not the person, ends nobody's session, and the operator is told", async () => {
    const { world, at, client, tokens } = await signedIn(-10);
    const { answer } = world;
    world.answer = () => ({ status: 401, body: { error: "invalid_client" } });
    expect((await at(0).refresh(client, tokens.refresh_token)).status).toBe(500);
    expect(world.eventsOf("upstream.failed")).toMatchObject([
      { operation: "refresh", reason: "upstream_client_refused" },
    ]);
    world.answer = answer;
    expect((await at(0).refresh(client, tokens.refresh_token)).status).toBe(200);
  });
});

describe("Only the upstream's invalid_grant ends a grant", () => {
  test("that grant, all its tokens, everywhere, and no other", async () => {
    const { world, at, another, client, tokens } = await signedIn(-10, [0, 0]);
    const { answer } = world;
    const sibling = await at(0).signIn({ client });
    world.answer = () => ({ status: 400, body: { error: "invalid_grant" } });
    const refused = await at(0).refresh(client, tokens.refresh_token);
    expect([refused.status, (await jsonOf(refused)).error]).toEqual([400, "invalid_grant"]);

    world.answer = answer;
    for (const server of [at(0), another()] as readonly Server[]) {
      expect(await server.call(tokens.access_token)).toBe(401);
      expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toBeNull();
      expect((await server.refresh(client, tokens.refresh_token)).status).toBe(400);
      expect(await server.call(sibling.tokens.access_token)).toBe(200);
    }
    expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "upstream" }]);
  });

  test("also where a tool finds it out, who is told null", async () => {
    const { world, at, client, tokens } = await signedIn(-10);
    world.answer = () => ({ status: 400, body: { error: "invalid_grant" } });
    expect(await at(0).auth.loadUpstreamTokens(tokens.access_token)).toBeNull();
    expect((await at(0).refresh(client, tokens.refresh_token)).status).toBe(400);
  });
});

describe("A rotated upstream token is persisted before anything else is done with it", () => {
  test("the next call after the upstream's answer is the one that stores it", async () => {
    const { world, at, tokens } = await signedIn(-10);
    const { answer } = world;
    world.answer = (request) => {
      world.storage.calls.push("the upstream answers");
      return answer(request);
    };
    world.storage.calls = [];
    await at(0).auth.loadUpstreamTokens(tokens.access_token);
    const answered = world.storage.calls.indexOf("the upstream answers");
    expect(world.storage.calls[answered + 1]).toBe("replace grant");
  });

  const storing = ({ verb, kind }: StorageCall) => verb === "replace" && kind === "grant";

  test.each([
    ["fails", () => new Accident("fails", 1, storing).treatment],
    ["may have failed, and the storage can't be asked", () => goneAfter(storing)],
  ])(
    "if storing it %s, the request fails closed: nobody is given what may be gone a moment later",
    async (_, accident) => {
      const { storage, world, at, client, tokens } = await signedIn(-10);
      storage.treatment = accident();
      await expect(at(0).auth.loadUpstreamTokens(tokens.access_token)).rejects.toThrow(
        expect.objectContaining({ code: "temporarily_unavailable" }),
      );
      storage.recover();
      world.now += 3600;
      storage.treatment = accident();
      expect((await at(0).refresh(client, tokens.refresh_token)).status).toBe(503);
      storage.recover();
      // The lease of whoever could not give it back has run out.
      world.now += 16;
      const answer = await at(0).refresh(client, tokens.refresh_token);
      expect(answer.status).toBe(200);
      const { access_token } = await jsonOf(answer);
      expect(await at(0).auth.loadUpstreamTokens(String(access_token))).not.toBeNull();
    },
  );
});
