import { decodeJwt, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { Browser, formOf, idToken, jsonOf, type Server, World } from "../test/harness.ts";
import { rotateOverRestarts } from "../test/key-rotation.ts";
import { deriveKeys } from "./domain/keys.ts";
import { MemoryTokenStorage, type OAuthProxyConfig, PKCEUtils } from "./index.ts";

test("while the secret is rotated, what was begun goes on over restarts, and a wrong secret is told of once and destroys nothing", async () => {
  let storage: MemoryTokenStorage | undefined;
  await rotateOverRestarts({
    open: (now) => {
      storage ??= new MemoryTokenStorage({ now });
      return storage;
    },
  });
});

const [OLD = "", NEW = "", WRONG = ""] = ["old", "new", "wrong"].map((word) => `the ${word} key, which is long enough`);

/** What was begun before, and whether a server goes on with it. None of them changes what another one needs. */
type Begun = Readonly<Record<string, (server: Server) => Promise<boolean>>>;

const PROTECTED = [
  "an access token",
  "the upstream's tokens behind it",
  "a refresh token",
  "a code",
  "an open consent page",
  "a person on the way to the upstream",
  "a remembered approval",
  "a signed client id",
  "a client secret",
] as const;

async function begin(server: Server): Promise<Begun> {
  const { client, tokens } = await server.signIn();
  const authorized = await server.authorize({ client });

  const { challenge } = PKCEUtils.generatePair();
  const url = server.authorizationUrl(client, challenge);
  const page = new Browser();
  const shown = await server.get(url);
  page.keep(shown);
  const form = { ...formOf(await shown.text()), action: "approve" };

  const traveller = new Browser();
  const onTheWay = (await server.consent(url, traveller)).headers.get("location") ?? "";

  // A hosted client, because approvals are never remembered for a loopback address.
  const hosted = await server.register({ redirect_uris: [HOSTED] });
  const hostedUrl = server.authorizationUrl(hosted, challenge, { redirect_uri: HOSTED });
  const known = new Browser();
  await server.callback((await server.consent(hostedUrl, known)).headers.get("location") ?? "", known);

  const confidential = await server.register({ token_endpoint_auth_method: "client_secret_post" });
  const secretly = { client_id: confidential.clientId, client_secret: confidential.clientSecret ?? "" };

  return {
    "an access token": async (at) => (await at.call(tokens.access_token)) === 200,
    "the upstream's tokens behind it": async (at) =>
      (await at.auth.loadUpstreamTokens(tokens.access_token))?.accessToken.startsWith("upstream-access-") === true,
    "a refresh token": async (at) => (await at.refresh(client, tokens.refresh_token)).status === 200,
    "a code": async (at) => (await at.redeem(authorized)).status === 200,
    "an open consent page": async (at) =>
      (await at.post("/oauth/consent", form, { cookie: page.header() })).headers.has("location"),
    "a person on the way to the upstream": async (at) =>
      new URL((await at.callback(onTheWay, traveller)).headers.get("location") ?? "x:").searchParams.has("code"),
    "a remembered approval": async (at) =>
      (await at.get(hostedUrl, { cookie: known.header(), "sec-fetch-site": "none" })).status === 302,
    "a signed client id": async (at) => (await at.get(url)).status === 200,
    "a client secret": async (at) => {
      const answer = await at.post("/oauth/token", { ...secretly, grant_type: "refresh_token", refresh_token: "none" });
      return (await jsonOf(answer))["error"] === "invalid_grant";
    },
  };
}

const HOSTED = "https://claude.ai/api/mcp/auth_callback";

const ONCE: readonly string[] = ["a code", "a person on the way to the upstream"];

/** What of it goes on at a server. */
async function goesOn(begun: Begun, server: Server): Promise<string[]> {
  const going: string[] = [];
  for (const [name, continues] of Object.entries(begun)) if (await continues(server)) going.push(name);
  return going;
}

interface Restarts {
  readonly world: World;
  readonly started: (...keys: string[]) => Server;
}

/** Restarts of one server over one storage, each with other keys for one option. */
function restarts(option: "secret" | "jwtSigningKey" | "encryptionKey" | "consentSigningKey"): Restarts {
  const world = new World();
  world.answer = () =>
    world.tokens({ id_token: idToken({ sub: "alice", aud: "our-app", exp: world.now + 60 }), expires_in: 7200 });
  const started = (...keys: string[]) => {
    const config: Partial<OAuthProxyConfig> = { rememberConsent: 3600, [option]: keys };
    return world.server(config);
  };
  return { world, started };
}

/** Which of it each key protects: what is lost without the old one. */
const LOST: Readonly<Record<Parameters<typeof restarts>[0], readonly (typeof PROTECTED)[number][]>> = {
  secret: PROTECTED,
  jwtSigningKey: ["an access token", "the upstream's tokens behind it"],
  encryptionKey: [
    "an access token",
    "the upstream's tokens behind it",
    "a refresh token",
    "a code",
    "an open consent page",
    "a person on the way to the upstream",
  ],
  consentSigningKey: ["an open consent page", "a person on the way to the upstream", "a remembered approval"],
};

describe.each(Object.entries(LOST) as [Parameters<typeof restarts>[0], readonly string[]][])("%s", (option, lost) => {
  test("rotated as [new, old]: everything that was begun goes on, and nothing is told", async () => {
    const { world, started } = restarts(option);
    const begun = await begin(started(OLD));
    expect(await goesOn(begun, started(NEW, OLD))).toEqual(PROTECTED);
    expect(world.eventsOf("storage.unreadable")).toEqual([]);
    expect(world.eventsOf("keys.replaced")).toEqual([]);
  });

  test("introduced as [old, new] first, so that replicas of before and after understand each other", async () => {
    const { world, started } = restarts(option);
    const [replica, next] = [started(OLD, NEW), started(NEW, OLD)];
    expect(await goesOn(await begin(replica), next)).toEqual(PROTECTED);
    expect(await goesOn(await begin(next), replica)).toEqual(PROTECTED);
    expect(world.eventsOf("keys.replaced")).toEqual([]);
  });

  test("what was begun under the new one goes on without the old one", async () => {
    const { world, started } = restarts(option);
    await begin(started(OLD));
    const begun = await begin(started(NEW, OLD));
    expect(await goesOn(begun, started(NEW))).toEqual(PROTECTED);
    expect(world.eventsOf("storage.unreadable")).toEqual([]);
    expect(world.eventsOf("keys.replaced")).toEqual([]);
  });

  test("mistyped: it is told once, what it protects is refused and nothing else is, and with the right one all goes on", async () => {
    const { world, started } = restarts(option);
    const begun = await begin(started(OLD));
    const wrong = started(WRONG);
    expect(await goesOn(begun, wrong)).toEqual(PROTECTED.filter((each) => !lost.includes(each)));
    const told = [
      ...world.eventsOf("storage.unreadable").map(({ prefix }) => prefix),
      ...world.eventsOf("keys.replaced").flatMap(({ purposes }) => purposes),
    ];
    expect(told.filter((each) => each === (MARKED[option] ?? "key-marks"))).toHaveLength(1);

    // What went on at the wrong one and can be done once is done.
    const done = ONCE.filter((each) => !lost.includes(each));
    expect(await goesOn(begun, started(OLD))).toEqual(PROTECTED.filter((each) => !done.includes(each)));
  });
});

/** Under which purpose a wrong one is told of, where it is not by the records that it does not open. */
const MARKED: Readonly<Partial<Record<string, string>>> = {
  jwtSigningKey: "access-token",
  consentSigningKey: "consent",
};

describe("keys that derive from the upstream's client secret", () => {
  const UPSTREAM_SECRET = "the upstream's client secret, long enough";

  test("give way to a secret of one's own as any other does: [new, the upstream's]", async () => {
    const world = new World();
    const begun = await begin(
      world.server({ secret: undefined, upstreamClientSecret: UPSTREAM_SECRET, rememberConsent: 3600 }),
    );
    const after = world.server({
      secret: [NEW, UPSTREAM_SECRET],
      upstreamClientSecret: "another one, which the provider gave us",
      rememberConsent: 3600,
    });
    expect(await goesOn(begun, after)).toEqual(PROTECTED);
    expect(world.eventsOf("storage.unreadable")).toEqual([]);
    expect(world.eventsOf("keys.replaced")).toEqual([]);
  });

  test("all change when the provider gives another one, which is told", async () => {
    const world = new World();
    const begun = await begin(
      world.server({ secret: undefined, upstreamClientSecret: UPSTREAM_SECRET, rememberConsent: 3600 }),
    );
    const after = world.server({ secret: undefined, upstreamClientSecret: WRONG, rememberConsent: 3600 });
    expect(await goesOn(begun, after)).toEqual([]);
    expect(world.eventsOf("storage.unreadable").map(({ prefix }) => prefix)).toContain("key-marks");
  });
});

describe("what a leak means", () => {
  const forged = (key: string, token: string, change: Readonly<Record<string, unknown>>) =>
    new SignJWT({ ...decodeJwt(token), ...change })
      .setProtectedHeader({ alg: "HS256", typ: "at+jwt" })
      .sign(Buffer.from(key));

  test("of jwtSigningKey: whoever is signed in is anybody, until it is replaced; then clients refresh", async () => {
    const world = new World();
    const server = world.server({ jwtSigningKey: OLD });
    const mallory = await server.signIn();
    const asAlice = await forged(OLD, mallory.tokens.access_token, { sub: "alice", scope: "read admin" });
    expect(await server.call(asAlice, ["admin"])).toBe(200);
    // A token of no living grant opens nothing, whoever signed it.
    const grantless = `${"A".repeat(44)}.AAAAAAAAAAAA`;
    expect(await server.call(await forged(OLD, mallory.tokens.access_token, { jti: grantless }))).toBe(401);

    const replaced = world.server({ jwtSigningKey: NEW });
    expect(await replaced.call(asAlice)).toBe(401);
    expect((await replaced.refresh(mallory.client, mallory.tokens.refresh_token)).status).toBe(200);
  });

  test("of jwtSigningKey: no record, cookie, refresh token or client is forged with it", () => {
    const keys = (jwtSigningKey: string) =>
      deriveKeys({
        secrets: [NEW],
        jwtSigningKey: [jwtSigningKey],
        encryptionKey: undefined,
        consentSigningKey: undefined,
        upstreamClientSecret: "",
        issuer: "https://mcp.example.com",
      });
    const [one, other] = [keys(OLD), keys(WRONG)];
    const same = Object.entries(one).filter(
      ([purpose, list]) => JSON.stringify(list) === JSON.stringify(other[purpose as keyof typeof other]),
    );
    expect(same.map(([purpose]) => purpose)).toEqual(Object.keys(one).filter((purpose) => purpose !== "access-token"));
  });
});

describe("keys that were replaced", () => {
  const keys = { jwtSigningKey: OLD, consentSigningKey: NEW };

  test("swapped keys are told of, both", async () => {
    const world = new World();
    await world.server(keys).signIn();
    await world.server({ jwtSigningKey: NEW, consentSigningKey: OLD }).signIn();
    expect(world.eventsOf("keys.replaced").map(({ purposes }) => purposes)).toEqual([["access-token", "consent"]]);
  });

  test("are told of by one replica, once, and again when they are set right", async () => {
    const world = new World();
    await world.server(keys).signIn();
    const wrong = Array.from({ length: 8 }, () => world.server({ ...keys, jwtSigningKey: WRONG }));
    await Promise.all(wrong.map((server) => server.get("/")));
    await settled();
    expect(world.eventsOf("keys.replaced")).toHaveLength(1);
    await world.server({ ...keys, jwtSigningKey: WRONG }).signIn();
    expect(world.eventsOf("keys.replaced")).toHaveLength(1);
    await world.server(keys).signIn();
    expect(world.eventsOf("keys.replaced")).toHaveLength(2);
  });

  test("by a guard that answers nothing but tools as well", async () => {
    const world = new World();
    const { tokens } = await world.server(keys).signIn();
    const guard = world.server({ ...keys, jwtSigningKey: WRONG });
    expect(await guard.call(tokens.access_token)).toBe(401);
    await settled();
    expect(world.eventsOf("keys.replaced").map(({ purposes }) => purposes)).toEqual([["access-token"]]);
  });

  test("are remembered for as long as servers run, and for as long as what they protect lives after that", async () => {
    const world = new World();
    const server = world.server(keys);
    await server.signIn();
    for (let day = 0; day < 30; day++) {
      world.now += 86_400;
      await server.get("/");
      await settled();
    }
    world.now += 15 * 86_400;
    await world.server({ ...keys, jwtSigningKey: WRONG }).signIn();
    expect(world.eventsOf("keys.replaced")).toHaveLength(1);
    // Whoever has replaced them on purpose is not told for ever.
    world.now += 2_592_000 + 86_400;
    await world.server({ ...keys, jwtSigningKey: NEW }).signIn();
    expect(world.eventsOf("keys.replaced")).toHaveLength(1);
  });

  test("by nobody while the storage can't be reached, and then within a minute", async () => {
    const world = new World();
    await world.server(keys).signIn();
    const wrong = world.server({ ...keys, jwtSigningKey: WRONG, tokenStorage: failing(world) });
    await wrong.get("/");
    await settled();
    expect(world.eventsOf("error")).toEqual([]);
    down.now = false;
    world.now += 60;
    await wrong.get("/");
    await settled();
    expect(world.eventsOf("keys.replaced")).toHaveLength(1);
  });

  test("without sealing the marks are there as well, and are no keys", async () => {
    const world = new World();
    await world.server({ ...keys, encryptionKey: false }).signIn();
    const stored = String(await world.storage.inner.get("key-marks:current"));
    for (const key of [OLD, NEW]) expect(stored).not.toContain(key);
    await world.server({ ...keys, encryptionKey: false, jwtSigningKey: WRONG }).signIn();
    expect(world.eventsOf("keys.replaced")).toHaveLength(1);
  });
});

const down = { now: true };

/** The world's storage, unreachable until it is not. */
function failing(world: World) {
  const { inner } = world.storage;
  const reached = <T>(call: () => Promise<T>) => (down.now ? Promise.reject(new Error("unreachable")) : call());
  return {
    get: (key: string) => reached(() => inner.get(key)),
    save: (key: string, value: unknown, ttl?: number) => reached(() => inner.save(key, value, ttl)),
    delete: (key: string) => reached(() => inner.delete(key)),
    claim: (key: string, value: unknown, ttl?: number) => reached(() => inner.claim(key, value, ttl)),
    replace: (key: string, expected: unknown, value: unknown, ttl?: number) =>
      reached(() => inner.replace(key, expected, value, ttl)),
    cleanup: () => inner.cleanup(),
  };
}

/** When nothing that goes on beside the requests is waiting any more: it needs no more turns than that. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
}
