/** Whole sign-ins and everything that can go wrong in them, with secrets that would be recognised wherever they came out. */
import { inspect } from "node:util";
import { decodeJwt } from "jose";
import { describe, expect, test, vi } from "vitest";
import { Browser, idToken, jsonOf, REDIRECT_URI, RESOURCE, type Server, UPSTREAM, World } from "../test/harness.ts";
import { RecordingStorage } from "../test/recording-storage.ts";
import { DEFAULT_RUNTIME } from "./default-runtime.ts";
import { createObserve } from "./event-log.ts";
import type { OAuthProxyConfig } from "./options.ts";
import { PKCEUtils } from "./pkce-utils.ts";

/** Some hundred requests each: not to be hurried on a busy machine. */
const PATIENT = { timeout: 60_000 };

const EMAIL = "alice@private.example";
const KEYS = {
  secret: "MARK-root-secret-0123456789abcdefgh",
  jwtSigningKey: "MARK-signing-key-0123456789abcdefgh",
  consentSigningKey: "MARK-consent-key-0123456789abcdefgh",
  upstreamClientSecret: "MARK-upstream-client-secret-0123456789",
};
const CONFIGURED = { clientId: "configured", clientSecret: "MARK-configured-secret", redirectUris: [REDIRECT_URI] };

interface Answer {
  readonly asked: string;
  readonly status: number;
  readonly location: string;
  readonly text: string;
}

interface Run {
  readonly world: World;
  readonly storage: RecordingStorage;
  readonly answers: readonly Answer[];
  /** Everything that was secret, by what it was. */
  readonly secrets: ReadonlyMap<string, string>;
  /** What is given to the client in a redirect. */
  readonly codes: readonly string[];
}

/** Keeps every answer of a server. */
function recorded(server: Server): Answer[] {
  const answers: Answer[] = [];
  const { fetch } = server.auth;
  Object.assign(server.auth, {
    fetch: async (request: Request) => {
      const answer = await fetch(request);
      const location = answer.headers.get("location") ?? "";
      const asked = new URL(request.url).pathname;
      answers.push({ asked, status: answer.status, location, text: await answer.clone().text() });
      return answer;
    },
  });
  return answers;
}

/** Sign-ins, refreshes, replays, outages and refusals, one after the other. */
async function run(config: Partial<OAuthProxyConfig>): Promise<Run> {
  const world = new World();
  const storage = new RecordingStorage({ now: () => world.now });
  const secrets = new Map<string, string>(
    Object.entries({ ...KEYS, email: EMAIL, configured: CONFIGURED.clientSecret }),
  );
  const codes: string[] = [];
  const server = world.server({
    ...KEYS,
    clients: [CONFIGURED],
    tokenStorage: storage,
    upstreamRevocationEndpoint: `${UPSTREAM}/revoke`,
    scopes: ["openid", "read"],
    ...config,
  });
  const answers = recorded(server);
  const keep = (what: string, secret: unknown) => secrets.set(`${what} ${secrets.size}`, String(secret));

  let nonce: string | null = null;
  const sound = () => {
    const number = world.upstreamRequests.length;
    const claims = { iss: UPSTREAM, sub: "user-1", aud: "our-app", exp: world.now + 3600, nonce, email: EMAIL };
    const tokens = {
      access_token: `MARK-upstream-access-${number}`,
      refresh_token: `MARK-upstream-refresh-${number}`,
      id_token: idToken(claims),
    };
    for (const token of Object.values(tokens)) keep("upstream token", token);
    return world.tokens({ ...tokens, scope: "openid read" });
  };
  world.answer = sound;

  /** One sign-in up to the code. */
  const authorize = async (client: { clientId: string }) => {
    const { verifier, challenge } = PKCEUtils.generatePair();
    const browser = new Browser();
    const upstream = await server.consent(server.authorizationUrl(client, challenge), browser);
    nonce = new URL(upstream.headers.get("location") ?? "").searchParams.get("nonce");
    for (const [name, value] of browser.cookies) keep(`cookie ${name}`, value);
    const back = await server.callback(upstream.headers.get("location") ?? "", browser, { code: "MARK-upstream-code" });
    const code = new URL(back.headers.get("location") ?? "").searchParams.get("code") ?? "";
    keep("verifier", verifier);
    keep("our own verifier", world.upstreamRequests.at(-1)?.form.get("code_verifier"));
    codes.push(code);
    return { client, code, verifier };
  };
  secrets.set("upstream code", "MARK-upstream-code");

  const confidential = await server.register({ token_endpoint_auth_method: "client_secret_post" });
  keep("client secret", confidential.clientSecret);
  for (const [client, more] of [
    [await server.register(), {}],
    [confidential, { client_secret: confidential.clientSecret ?? "" }],
    [CONFIGURED, { client_secret: CONFIGURED.clientSecret }],
  ] as const) {
    const authorized = await authorize(client);
    keep("code", authorized.code);
    // Refused in every way, with everything in the request.
    await server.redeem(authorized, { ...more, code_verifier: `${authorized.verifier.slice(0, -1)}~` });
    await server.redeem(authorized, { ...more, redirect_uri: `http://127.0.0.1/${authorized.code}` });
    await server.redeem(authorized, { ...more, client_secret: `${CONFIGURED.clientSecret}-wrong` });
    await server.redeem(authorized, { ...more, resource: `https://${authorized.code.toLowerCase()}.example/` });
    await server.redeem(authorized, { ...more, grant_type: authorized.code });
    const tokens = await jsonOf(await server.redeem(authorized, more));
    keep("access token", tokens.access_token);
    keep("refresh token", tokens.refresh_token);
    await server.redeem(authorized, more);

    await server.call(String(tokens.access_token), ["missing"]);
    await server.call(`${tokens.access_token}x`);
    await server.auth.loadUpstreamTokens(String(tokens.access_token));

    // Upstream trouble that repeats what it was sent.
    world.now += 3600;
    const echoed = { error_description: [...secrets.values()].join(" "), error_uri: EMAIL };
    for (const trouble of [
      { status: 502, body: echoed.error_description, contentType: "text/html" },
      { status: 400, body: { error: "invalid_client", ...echoed } },
      { status: 200, body: { error: `MARK-upstream-refresh ${EMAIL}`, ...echoed } },
      { status: 200, body: `access_token=${EMAIL}%00&x=${EMAIL}` },
    ]) {
      world.answer = () => trouble;
      await server.refresh(client, String(tokens.refresh_token), more);
      await authorize(client).catch(() => undefined);
    }
    world.answer = () => Promise.reject(new TypeError("fetch failed"));
    await server.refresh(client, String(tokens.refresh_token), more);
    world.answer = sound;

    const next = await jsonOf(await server.refresh(client, String(tokens.refresh_token), more));
    keep("access token", next.access_token);
    keep("refresh token", next.refresh_token);
    world.now += 500;
    await server.refresh(client, String(tokens.refresh_token), more);
    await server.refresh(client, String(next.refresh_token), more);
    await server.post("/oauth/revoke", { client_id: client.clientId, token: String(next.refresh_token), ...more });
    const replayed = await authorize(client);
    keep("code", replayed.code);
    keep("access token", (await jsonOf(await server.redeem(replayed, more))).access_token);
    world.now += 20;
    await server.redeem(replayed, more);
  }
  // Malformed requests with secrets in them.
  const basic = Buffer.from(`configured:${CONFIGURED.clientSecret}x`).toString("base64");
  await server.post("/oauth/token", { grant_type: "refresh_token" }, { authorization: `Basic ${basic}` });
  await server.post("/oauth/token", `code=${codes[0]}&code=${codes[1]}&client_secret=${CONFIGURED.clientSecret}`);
  await server.post("/oauth/register", CONFIGURED.clientSecret, { "content-type": "application/json" });
  await server.get(`/oauth/callback?state=${codes[0]}&code=MARK-upstream-code&error_description=${EMAIL}`);
  await server.get(`/oauth/authorize?client_id=${CONFIGURED.clientSecret}&redirect_uri=https://x.example/${codes[0]}`);
  await server.get(server.authorizationUrl(CONFIGURED, "none", { login_hint: EMAIL }));
  await server.post("/oauth/consent", { transaction: String(codes[0]), csrf_token: CONFIGURED.clientSecret });
  // A storage that fails, and says with what.
  storage.claim = (key) => Promise.reject(new Error(`timeout of ${key}`));
  await authorize(CONFIGURED).catch(() => undefined);

  for (const [what, secret] of secrets) if (secret === "" || secret === "undefined") secrets.delete(what);
  return { world, storage, answers, secrets, codes };
}

/** The names of the secrets that stand in a text, as they are or in base64. */
function foundIn(text: string, secrets: ReadonlyMap<string, string>): string[] {
  return [...secrets]
    .filter(([, secret]) =>
      [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64url").slice(0, -2)].some((form) =>
        text.includes(form),
      ),
    )
    .map(([what]) => what);
}

const MODES: readonly (readonly [string, Partial<OAuthProxyConfig>])[] = [
  ["token swap", {}],
  ["pass-through", { enableTokenSwap: false, passThroughAudienceCheck: false }],
  ["forwarded PKCE", { forwardPkce: true }],
];

describe.each(MODES)("T-TK-08, with %s", (_, config) => {
  test("no token, code, verifier, secret or e-mail address gets where it does not belong", PATIENT, async () => {
    const printed = [vi.spyOn(console, "warn").mockReturnValue(), vi.spyOn(console, "error").mockReturnValue()];
    const { world, storage, answers, secrets, codes } = await run(config);

    // The run did what it was for.
    const happened = new Set(world.events.map(({ type }) => type));
    for (const type of [
      "code.replayed",
      "refresh_token.reused",
      "upstream.failed",
      "request.refused",
      "access.refused",
    ] as const) {
      expect(happened).toContain(type);
    }
    expect(secrets.size).toBeGreaterThan(30);
    expect(new Set(answers.map(({ status }) => status))).toEqual(
      new Set([200, 201, 302, 303, 400, 401, 403, 500, 503]),
    );

    const events = inspect(world.events, {
      depth: Number.POSITIVE_INFINITY,
      maxArrayLength: null,
      maxStringLength: null,
      showHidden: true,
    });
    expect(foundIn(events, secrets)).toEqual([]);
    expect(printed.flatMap((spy) => spy.mock.calls)).toEqual([]);
    for (const spy of printed) spy.mockRestore();

    // At rest: neither in names nor in values.
    expect(foundIn(storage.dump, secrets)).toEqual([]);

    for (const { asked, status, location, text } of answers) {
      const where = `${asked} ${status}`;
      // Errors and pages.
      if (status >= 400 || text.startsWith("<!doctype")) expect([where, foundIn(text, secrets)]).toEqual([where, []]);
      // Redirects: a code to the client, in the one parameter for it, and nothing else anywhere.
      const code = location === "" ? null : new URL(location).searchParams.get("code");
      if (code !== null) expect(codes).toContain(code);
      expect([where, foundIn(code === null ? location : location.replace(code, ""), secrets)]).toEqual([where, []]);
    }
    // What a client is given: in swap mode nothing of the upstream, and never the upstream's refresh token.
    const given = answers
      .filter(({ asked, status }) => asked === "/oauth/token" && status === 200)
      .map(({ text }) => text)
      .join();
    expect(given).toContain("access_token");
    expect(given).not.toMatch(config.enableTokenSwap === false ? /MARK-upstream-refresh/ : /MARK-upstream/);

    // T-TK-04: nothing of ours or of the client's goes upstream, but the client's verifier where that was chosen.
    const ours = new Map(
      [...secrets].filter(([what]) =>
        /^(code|access token|refresh token|client secret|cookie|configured|verifier)/.test(what),
      ),
    );
    if (config.enableTokenSwap === false)
      for (const [what] of ours) if (what.startsWith("access token")) ours.delete(what);
    if (config.forwardPkce) for (const [what] of ours) if (what.startsWith("verifier")) ours.delete(what);
    const sent = world.upstreamRequests
      .map(({ url, form, headers }) => `${url} ${form} ${[...headers].join()}`)
      .join("\n");
    expect(foundIn(sent, ours)).toEqual([]);
  });
});

test("T-TK-08: what goes to the console by default carries no secret either", PATIENT, async () => {
  const printed = [vi.spyOn(console, "warn").mockReturnValue(), vi.spyOn(console, "error").mockReturnValue()];
  const log = createObserve(undefined, DEFAULT_RUNTIME);
  const { secrets } = await run({ onEvent: (event) => log(event, event.traceId) });
  const lines = inspect(
    printed.flatMap((spy) => spy.mock.calls),
    { maxArrayLength: null, maxStringLength: null },
  );
  for (const spy of printed) spy.mockRestore();
  expect(lines).toContain("[sallyport] upstream refresh failed: upstream_unavailable");
  expect(foundIn(lines, secrets)).toEqual([]);
});

test("the access token of one person opens nothing but the resource: it names no e-mail unless claims are passed on", async () => {
  const world = new World();
  const id = { iss: UPSTREAM, sub: "user-1", aud: "our-app", exp: world.now + 60, email: EMAIL };
  world.answer = () => world.tokens({ id_token: idToken(id) });
  const { tokens } = await world.server({ customClaimsPassthrough: false }).signIn();
  const claims = decodeJwt(tokens.access_token);
  expect(JSON.stringify(claims)).not.toContain(EMAIL);
  expect(claims).toMatchObject({ sub: "user-1", aud: RESOURCE });
});
