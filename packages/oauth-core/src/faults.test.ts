import { describe, expect, test, vi } from "vitest";
import { Browser, formOf, RESOURCE, type Server, UPSTREAM, type UpstreamAnswer, type World } from "../test/harness.ts";
import { randomFrom } from "../test/random.ts";
import { passing, type Servers, serversWith } from "../test/servers.ts";
import { Accident, FAULTS, type Fault, goneAfter, shuffled } from "../test/unreliable-storage.ts";
import type { OAuthProxyConfig } from "./index.ts";
import { PKCEUtils } from "./pkce-utils.ts";
import { OAuthProxyError } from "./protocol/errors.ts";

// Whole servers by the hundred, on whatever machine this is.
vi.setConfig({ testTimeout: 60_000 });

/** How an attempt at a step went: `done`, `later` (503, try again), or what it was told instead. */
type Outcome = string;
type Attempt = (server: Server) => Promise<Outcome>;

interface Step {
  readonly config?: Partial<OAuthProxyConfig>;
  /** Brings a world up to the step. The attempt may be made at any of its servers, and more than once. */
  readonly arrange: (server: Server, world: World) => Promise<Attempt>;
  /** Every call to the storage that the step makes, in order. */
  readonly calls: readonly string[];
  /** What the step is told when all goes well. Default `done`. */
  readonly answers?: Outcome;
  /** What it is told when it is repeated after that. Default the same. */
  readonly again?: Outcome;
  /** What comes of the n-th call's going wrong where it is not the usual: an answer, and what a retry then gets. */
  readonly otherwise?: Partial<Record<Fault, Readonly<Record<number, string>>>>;
}

/**
 * The usual: the request fails closed (or hangs with its process), and a retry succeeds. Where a `claim` or a `replace` did its deed, the
 * storage is asked, and nobody notices.
 */
function usual(fault: Fault, call: string, { answers = "done", again = answers }: Step): string {
  if (fault === "fails after the deed" && /^(claim|replace) /.test(call)) return `${answers}, then ${again}`;
  return `${fault.startsWith("fails") ? "later" : "silence"}, then ${answers}`;
}

const STEPS: Readonly<Record<string, Step>> = {
  authorize: {
    arrange: async (server) => {
      const client = await server.register();
      const { challenge } = PKCEUtils.generatePair();
      const url = server.authorizationUrl(client, challenge);
      return async (at) => outcomeOf(await at.get(url));
    },
    calls: ["save transaction"],
    otherwise: {
      // RFC 6749 §4.1.2.1: a 503 can't be had by way of a redirect, so there is a word for it; the client begins again.
      fails: { 1: "told temporarily_unavailable, then done" },
      "fails after the deed": { 1: "told temporarily_unavailable, then done" },
    },
  },

  "approve the consent": {
    arrange: async (server) => {
      const { form, browser } = await shownConsent(server);
      return async (at) =>
        outcomeOf(await at.post("/oauth/consent", { ...form, action: "approve" }, { cookie: browser.header() }));
    },
    calls: ["get transaction"],
  },

  "deny the consent": {
    arrange: async (server) => {
      const { form, browser } = await shownConsent(server);
      return async (at) =>
        outcomeOf(await at.post("/oauth/consent", { ...form, action: "deny" }, { cookie: browser.header() }));
    },
    calls: ["get transaction", "claim finished"],
    answers: "told access_denied",
  },

  callback: {
    arrange: async (server) => {
      const { browser, upstream } = await consented(server);
      const state = new URL(upstream).searchParams.get("state");
      return async (at) =>
        outcomeOf(await at.get(`/oauth/callback?code=upstream-code&state=${state}`, { cookie: browser.header() }));
    },
    calls: ["get transaction", "claim finished", "save code"],
    again: "a page: finished",
    // Once the transaction is finished the upstream's code is, or may be, spent: the person begins again, and nothing was granted yet.
    otherwise: {
      fails: { 3: "told temporarily_unavailable, then a page: finished" },
      "fails after the deed": { 3: "told temporarily_unavailable, then a page: finished" },
      "never returns": { 3: "silence, then a page: finished" },
      "never returns after the deed": {
        2: "silence, then a page: finished",
        3: "silence, then a page: finished",
      },
    },
  },

  "redeem a code": {
    arrange: async (server) => {
      const authorized = await server.authorize();
      return async (at) => outcomeOf(await at.redeem(authorized));
    },
    calls: ["get code", "claim redemption", "claim grant"],
    again: "refused: invalid_grant",
    // The redemption is durable and its process is gone, or so it seems to every other: whether it answered nobody knows, and RFC 6749 §4.1.2 leaves
    // no way to answer twice.
    otherwise: {
      "never returns after the deed": { 3: "silence, then refused: invalid_grant" },
    },
  },

  "redeem a code of a stored client": {
    config: { registration: { store: true } },
    arrange: async (server) => {
      const authorized = await server.authorize();
      return async (at) => outcomeOf(await at.redeem(authorized));
    },
    calls: [...["get client", "get code", "get client", "replace client"], ...["claim redemption", "claim grant"]],
    again: "refused: invalid_grant",
    otherwise: {
      "never returns after the deed": { 6: "silence, then refused: invalid_grant" },
    },
  },

  "redeem a code and the upstream's with it": {
    config: { forwardPkce: true },
    arrange: async (server) => {
      const authorized = await server.authorize();
      return async (at) => outcomeOf(await at.redeem(authorized));
    },
    calls: ["get code", "claim redemption", "save code", "claim redemption", "claim grant"],
    again: "refused: invalid_grant",
    // From the moment in which the upstream is asked, until its answer is kept, its code may be spent and nothing be had for it.
    otherwise: {
      fails: { 3: "later, then refused: invalid_grant" },
      "never returns": { 3: "silence, then refused: invalid_grant" },
      "never returns after the deed": {
        2: "silence, then refused: invalid_grant",
        5: "silence, then refused: invalid_grant",
      },
    },
  },

  "redeem a code for the upstream's own token": {
    config: { enableTokenSwap: false, passThroughAudienceCheck: false },
    arrange: async (server) => {
      const authorized = await server.authorize();
      return async (at) => outcomeOf(await at.redeem(authorized));
    },
    calls: ["get code", "claim redemption", "claim grant", "save handed-out"],
    again: "refused: invalid_grant",
    // What a foreign token was handed out for is noted after the code is spent: noted before, a replay could be refused unnoticed. A process that
    // lives knows that it gave nothing, and gives it to the retry.
    otherwise: {
      "never returns": { 4: "silence, then refused: invalid_grant" },
      "never returns after the deed": {
        3: "silence, then refused: invalid_grant",
        4: "silence, then refused: invalid_grant",
      },
    },
  },

  "repeat a redemption": {
    arrange: async (server) => {
      const { authorized } = await server.signIn();
      return async (at) => outcomeOf(await at.redeem(authorized));
    },
    calls: ["get code", "claim redemption", "get redemption", "claim grant", "get grant"],
    answers: "refused: invalid_grant",
    // There is a marker, or a grant, and it is another's: to know that is enough.
    otherwise: {
      fails: {
        2: "refused: invalid_grant, then refused: invalid_grant",
        4: "refused: invalid_grant, then refused: invalid_grant",
      },
    },
  },

  "replay a code": {
    arrange: async (server, world) => {
      const { authorized, tokens } = await server.signIn();
      world.now += 60;
      return async (at) => {
        const answer = await at.redeem(authorized);
        if (answer.status !== 503) expect(await at.call(tokens.access_token), "the replayed grant's token").toBe(401);
        return outcomeOf(answer);
      };
    },
    calls: [...["get code", "claim redemption", "claim grant"], ...["get grant", "get redemption", "replace grant"]],
    answers: "refused: invalid_grant",
    otherwise: { fails: { 3: "refused: invalid_grant, then refused: invalid_grant" } },
  },

  refresh: {
    arrange: async (server) => {
      const { client, tokens } = await server.signIn();
      return async (at) => outcomeOf(await at.refresh(client, tokens.refresh_token));
    },
    calls: ["get grant", "replace grant"],
  },

  "refresh by a stored client, a day later": {
    config: { registration: { store: true } },
    arrange: async (server, world) => {
      const { client, tokens } = await server.signIn();
      world.now += 86_400;
      world.answer = () => world.tokens();
      return async (at) => outcomeOf(await at.refresh(client, tokens.refresh_token));
    },
    calls: [
      ...["get client", "get grant", "claim lease", "get grant", "replace grant", "delete lease"],
      ...["get client", "replace client", "replace grant"],
    ],
  },

  "retry a refresh": {
    arrange: async (server) => {
      const { client, tokens } = await server.signIn();
      await server.refresh(client, tokens.refresh_token);
      return async (at) => outcomeOf(await at.refresh(client, tokens.refresh_token));
    },
    calls: ["get grant"],
  },

  "reuse a refresh token": {
    arrange: async (server, world) => {
      const { client, tokens } = await server.signIn();
      await server.refresh(client, tokens.refresh_token);
      world.now += 300;
      return async (at) => outcomeOf(await at.refresh(client, tokens.refresh_token));
    },
    calls: ["get grant", "replace grant"],
    answers: "refused: invalid_grant",
  },

  revoke: {
    arrange: async (server) => {
      const { client, tokens } = await server.signIn();
      return async (at) => {
        const answer = await at.post("/oauth/revoke", { token: tokens.refresh_token, client_id: client.clientId });
        if (answer.status === 200) expect(await at.call(tokens.access_token)).toBe(401);
        return outcomeOf(answer);
      };
    },
    calls: ["get grant", "replace grant"],
  },

  protect: {
    config: { revocationCheckTtl: 0 },
    arrange: async (server) => {
      const { tokens } = await server.signIn();
      return async (at) => guarded(at, tokens.access_token);
    },
    calls: ["get grant"],
  },

  "load upstream tokens": {
    arrange: async (server) => {
      const { tokens } = await server.signIn();
      return async (at) => loaded(at, tokens.access_token);
    },
    calls: ["get grant"],
  },

  "load upstream tokens that are due": {
    arrange: async (server, world) => {
      const { tokens } = await server.signIn();
      world.now += 3570;
      return async (at) => loaded(at, tokens.access_token);
    },
    calls: ["get grant", "claim lease", "get grant", "replace grant", "delete lease"],
  },

  "load upstream tokens that are over": {
    config: { accessTokenTtl: 7200 },
    arrange: async (server, world) => {
      const { tokens } = await server.signIn();
      world.now += 4000;
      return async (at) => loaded(at, tokens.access_token);
    },
    calls: ["get grant", "claim lease", "get grant", "replace grant", "delete lease"],
  },

  "refresh over upstream tokens that are over": {
    arrange: async (server, world) => {
      const { client, tokens } = await server.signIn();
      world.now += 4000;
      return async (at) => outcomeOf(await at.refresh(client, tokens.refresh_token));
    },
    calls: ["get grant", "claim lease", "get grant", "replace grant", "delete lease", "replace grant"],
  },
};

describe.each(Object.entries(STEPS))("%s", (_, step) => {
  test("makes just these calls to the storage", async () => {
    const { world, server, attempt } = await arranged(step);
    world.storage.calls = [];
    await attempt(server);
    expect(world.storage.calls).toEqual(step.calls);
  });

  test.each(FAULTS)("each of its calls in turn %s: closed, and nothing is lost", async (fault) => {
    const outcomes: string[] = [];
    for (const [index, call] of step.calls.entries()) {
      outcomes.push(`${index + 1}. ${call}: ${await withAccident(step, fault, index + 1)}`);
    }
    const expected = step.calls.map((call, index) => {
      return `${index + 1}. ${call}: ${step.otherwise?.[fault]?.[index + 1] ?? usual(fault, call, step)}`;
    });
    expect(outcomes).toEqual(expected);
  });
});

/** What comes of the n-th call's going wrong, and of a retry afterwards; where the process hung, at another one over the same storage. */
async function withAccident(step: Step, fault: Fault, nth: number): Promise<string> {
  const { storage, server, attempt, bystander, another } = await arranged(step);
  const accident = new Accident(fault, nth);
  storage.treatment = accident.treatment;
  const first = fault.startsWith("never returns")
    ? await Promise.race([attempt(server), accident.happened.then(() => "silence")])
    : await attempt(server);
  expect(accident.struck, "the call that goes wrong").toBeDefined();
  storage.recover();

  const survivor = another();
  const retry = await attempt(fault.startsWith("never returns") ? survivor : server);
  for (const each of [server, survivor]) expect(await bystander(each), "somebody else").toBe("done");
  return `${first}, then ${retry}`;
}

/** A world up to the step, with somebody else signed in who has nothing to do with it. */
async function arranged(step: Step) {
  const servers: Servers = serversWith(step.config);
  const { world } = servers;
  const another = () => servers.another({ runtime: { pause: passing(world) } });
  const server = another();
  const someone = await server.signIn();
  let token = someone.tokens.refresh_token;
  const bystander: Attempt = async (at) => {
    const answer = await at.refresh(someone.client, token);
    if (answer.status !== 200) return outcomeOf(answer);
    const tokens = (await answer.json()) as Record<string, string>;
    token = tokens.refresh_token ?? "";
    return guarded(at, tokens.access_token ?? "");
  };
  return { ...servers, server, bystander, another, attempt: await step.arrange(server, world) };
}

describe("a redemption that was stored, by a storage that was gone before it said so", () => {
  /** A server that answered 503, with the storage back again. */
  async function unanswered(config: Partial<OAuthProxyConfig> = {}, kind = "grant") {
    const { world, storage, servers, another } = serversWith(config);
    const [server] = servers;
    const authorized = await server.authorize();
    storage.treatment = goneAfter((call) => call.kind === kind && call.verb !== "get");
    expect((await server.redeem(authorized)).status).toBe(503);
    storage.recover();
    return { world, storage, server, another, authorized };
  }

  test("gave tokens to nobody: nothing that the client can send to another process brings a set to life", async () => {
    const { world, another, authorized } = await unanswered();
    for (const seconds of [0, 5, 6, 60]) {
      world.now += seconds;
      expect((await another().redeem(authorized)).status).toBe(400);
    }
    expect(world.eventsOf("code.redeemed")).toEqual([]);
    expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "code_replay" }]);
  });

  test.each([0, 5, 60, 290])(
    "is given to the client that tries again %i seconds later, where it was lost, and once",
    async (seconds) => {
      const { world, storage, server, another, authorized } = await unanswered();
      world.now += seconds;
      storage.treatment = shuffled(randomFrom(seconds));
      const answers = await Promise.all(Array.from({ length: 32 }, () => server.redeem(authorized)));
      storage.recover();
      const paid = answers.filter(({ status }) => status === 200);
      expect(paid).toHaveLength(1);
      const tokens = (await paid[0]?.json()) as Record<string, string>;
      expect(await another().call(tokens.access_token)).toBe(200);
      expect((await another().refresh(authorized.client, tokens.refresh_token ?? "")).status).toBe(200);
      expect(world.eventsOf("grant.revoked")).toEqual([]);

      // From then on it is a code that has been redeemed.
      expect((await server.redeem(authorized)).status).toBe(400);
      expect(world.eventsOf("grant.revoked")).toEqual([]);
      world.now += 11;
      expect((await another().redeem(authorized)).status).toBe(400);
      expect(world.eventsOf("code.redeemed")).toHaveLength(1);
    },
  );

  test("is not given to whoever lacks the verifier, or is another client", async () => {
    const { server, authorized } = await unanswered();
    const stranger = await server.register();
    expect((await server.redeem({ ...authorized, client: stranger })).status).toBe(400);
    expect((await server.redeem({ ...authorized, verifier: PKCEUtils.generatePair().verifier })).status).toBe(400);
    expect((await server.redeem(authorized)).status).toBe(200);
  });

  test("is found however often the storage fails before it is back", async () => {
    const { storage, server, authorized } = await unanswered();
    storage.treatment = () => Promise.reject(new Error("the storage can not be reached"));
    for (let attempt = 0; attempt < 3; attempt++) expect((await server.redeem(authorized)).status).toBe(503);
    // This attempt can't make a grant either, and finds that of the first one.
    storage.treatment = new Accident("fails", 1, ({ kind }) => kind === "grant").treatment;
    expect((await server.redeem(authorized)).status).toBe(200);
  });

  test("in pass-through too, where what was handed out could not be noted", async () => {
    const config = { enableTokenSwap: false, passThroughAudienceCheck: false } as const;
    const { server, authorized } = await unanswered(config, "handed-out");
    expect((await server.redeem(authorized)).status).toBe(200);
    expect((await server.redeem(authorized)).status).toBe(400);
  });

  test("is not what another process made meanwhile: that one was given away", async () => {
    const { storage, servers, another } = serversWith();
    const [server] = servers;
    const authorized = await server.authorize();
    storage.treatment = new Accident("fails", 1, ({ kind }) => kind === "grant").treatment;
    expect((await server.redeem(authorized)).status).toBe(503);
    expect((await another().redeem(authorized)).status).toBe(200);
    for (let attempt = 0; attempt < 3; attempt++) expect((await server.redeem(authorized)).status).toBe(400);
  });

  test("is ended by a replay after it has been given, like any other", async () => {
    const { world, server, authorized } = await unanswered();
    const answer = await server.redeem(authorized);
    const { access_token: token } = (await answer.json()) as Record<string, string>;
    world.now += 11;
    expect((await server.redeem(authorized)).status).toBe(400);
    expect(await server.call(token)).toBe(401);
    expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "code_replay" }]);
  });
});

describe("a process that is killed between the upstream's answer and its persisting", () => {
  const dueAt = 4000;

  async function killed(upstream: (world: World) => void) {
    const { world, storage, servers, another } = serversWith({ accessTokenTtl: 7200 });
    const signedIn = await servers[0].signIn();
    world.now += dueAt;
    upstream(world);
    const accident = new Accident("never returns", 1, ({ verb, kind }) => verb === "replace" && kind === "grant");
    storage.treatment = accident.treatment;
    const silent = servers[0].refresh(signedIn.client, signedIn.tokens.refresh_token);
    await Promise.race([silent, accident.happened]);
    storage.recover();
    return { world, survivor: another({ runtime: { pause: passing(world) } }), ...signedIn };
  }

  test("loses nothing where the upstream still takes the token that it rotated", async () => {
    const { survivor, client, tokens } = await killed(() => undefined);
    expect((await survivor.refresh(client, tokens.refresh_token)).status).toBe(200);
    expect(await survivor.auth.loadUpstreamTokens(tokens.access_token)).toMatchObject({
      accessToken: "upstream-access-3",
    });
  });

  test("ends the session where the upstream has forgotten it: invalid_grant, and the person signs in again", async () => {
    const { world, survivor, client, tokens } = await killed(rotatesStrictly);
    const answer = await survivor.refresh(client, tokens.refresh_token);
    expect(await outcomeOf(answer)).toBe("refused: invalid_grant");
    expect(world.eventsOf("grant.revoked")).toMatchObject([{ because: "upstream" }]);
    await expect(survivor.signIn({ client })).resolves.toBeDefined();
  });
});

test("a storage that answers slowly, then not at all, then again: racers that try again until they are answered", async () => {
  for (let seed = 1; seed <= 5; seed++) {
    const random = randomFrom(seed);
    const { world, storage, at } = serversWith({}, [0, 0, 0]);
    const authorized = await at(0).authorize();
    const someone = await at(0).signIn();

    const slow = shuffled(random);
    let broken = true;
    storage.treatment = (call, perform) =>
      slow(call, async () => {
        const lot = broken ? random() : 1;
        if (lot < 0.2) throw new Error("the storage can not be reached");
        const answer = await perform();
        if (lot < 0.3) throw new Error("the storage can not be reached");
        return answer;
      });
    const persistently = async (request: (attempt: number) => Promise<Response>) => {
      for (let attempt = 0; ; attempt++) {
        if (attempt === 8) broken = false;
        const answer = await request(attempt);
        if (answer.status !== 503) return answer;
      }
    };
    const everyone = Array.from({ length: 32 }, (_, racer) => racer);
    const [redeemed, refreshed] = await Promise.all([
      Promise.all(everyone.map((racer) => persistently((attempt) => at(racer + attempt).redeem(authorized)))),
      Promise.all(
        everyone.map((racer) =>
          persistently((attempt) => at(racer + attempt).refresh(someone.client, someone.tokens.refresh_token)),
        ),
      ),
    ]);
    storage.recover();

    const paid = redeemed.filter(({ status }) => status === 200);
    expect(paid.length, `seed ${seed}: winners of one code`).toBeLessThanOrEqual(1);
    for (const winner of paid) {
      const tokens = (await winner.json()) as Record<string, string>;
      expect(await at(0).call(tokens.access_token)).toBe(200);
      expect((await at(1).refresh(authorized.client, tokens.refresh_token ?? "")).status).toBe(200);
    }
    const next = await Promise.all(
      refreshed.map(async (answer) => ((await answer.json()) as Record<string, string>).refresh_token),
    );
    expect(new Set(next).size, `seed ${seed}: next tokens`).toBe(1);
    expect((await at(2).refresh(someone.client, next[0] ?? "")).status).toBe(200);
    expect(world.eventsOf("grant.revoked"), `seed ${seed}`).toEqual([]);
  }
});

test("while the storage can't be reached, every door says so, and none says that somebody is unknown", async () => {
  const { storage, servers } = serversWith({ revocationCheckTtl: 0, registration: { store: true } });
  const [server] = servers;
  const { client, tokens, authorized } = await server.signIn();
  storage.treatment = () => Promise.reject(new Error("connect ECONNREFUSED 10.0.0.7:6379, password hunter2"));

  const { challenge } = PKCEUtils.generatePair();
  const answers = [
    await server.get(server.authorizationUrl(client, challenge)),
    await server.redeem(authorized),
    await server.refresh(client, tokens.refresh_token),
    await server.post("/oauth/revoke", { token: tokens.access_token, client_id: client.clientId }),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toMatch(/hunter2|ECONNREFUSED|10\.0\.0\.7/);
  }
  expect(await server.call(tokens.access_token)).toBe(503);
  expect(await loaded(server, tokens.access_token)).toBe("later");
  await expect(server.register()).rejects.toThrow("503");

  storage.recover();
  expect(await server.call(tokens.access_token)).toBe(200);
  expect((await server.refresh(client, tokens.refresh_token)).status).toBe(200);
});

async function outcomeOf(answer: Response): Promise<Outcome> {
  const { status, headers } = answer;
  const isPage = headers.get("content-type")?.startsWith("text/html") ?? false;
  if (status === 503) {
    const body = await answer.text();
    if (!isPage) {
      expect(JSON.parse(body)).toMatchObject({ error: "temporarily_unavailable" });
      expect(headers.get("retry-after")).toMatch(/^[1-9]/);
    }
    return "later";
  }
  if (status === 302 || status === 303) {
    const { searchParams } = new URL(headers.get("location") ?? "");
    const error = searchParams.get("error");
    return error === null ? "done" : `told ${error}`;
  }
  if (status === 200) return "done";
  if (isPage) return `a page: ${/is (\w+)<\/h1>/.exec(await answer.text())?.[1] ?? status}`;
  return `refused: ${((await answer.json()) as { error?: string }).error}`;
}

async function guarded(server: Server, accessToken: string): Promise<Outcome> {
  const request = new Request(RESOURCE, { method: "POST", headers: { authorization: `Bearer ${accessToken}` } });
  const result = await server.auth.protect(request);
  return result instanceof Response ? outcomeOf(result) : "done";
}

async function loaded(server: Server, accessToken: string): Promise<Outcome> {
  try {
    return (await server.auth.loadUpstreamTokens(accessToken)) === null ? "null" : "done";
  } catch (error) {
    if (error instanceof OAuthProxyError && error.code === "temporarily_unavailable") return "later";
    throw error;
  }
}

async function shownConsent(server: Server) {
  const client = await server.register();
  const browser = new Browser();
  const { challenge } = PKCEUtils.generatePair();
  const shown = await server.get(server.authorizationUrl(client, challenge));
  browser.keep(shown);
  return { browser, form: formOf(await shown.text()) };
}

async function consented(server: Server) {
  const client = await server.register();
  const browser = new Browser();
  const { challenge } = PKCEUtils.generatePair();
  const answer = await server.consent(server.authorizationUrl(client, challenge), browser);
  return { browser, upstream: answer.headers.get("location") ?? "" };
}

/** An upstream that forgets a refresh token the moment it is used. */
function rotatesStrictly(world: World): void {
  const used = new Set<string>();
  world.answer = ({ url, form }): UpstreamAnswer => {
    const token = form.get("refresh_token");
    if (url !== `${UPSTREAM}/token` || token === null) return world.tokens();
    if (used.has(token)) return { status: 400, body: { error: "invalid_grant" } };
    used.add(token);
    return world.tokens();
  };
}
