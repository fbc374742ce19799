/** Whatever arrives is answered with a 2xx, 3xx or 4xx of our own words: no exception, no 5xx, and nothing of the input in the answer. */
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { BASE_URL, Browser, formOf, REDIRECT_URI, RESOURCE, type Server, UPSTREAM, World } from "../test/harness.ts";
import { PKCEUtils } from "./pkce-utils.ts";
import { REASONS } from "./protocol/errors.ts";

const AUTHORIZATION = [
  "response_type",
  "client_id",
  "redirect_uri",
  "state",
  "code_challenge",
  "code_challenge_method",
  "resource",
  "scope",
];

/** Hundreds of requests each: not to be hurried on a busy machine. */
const PATIENT = { timeout: 60_000 };

/** In everything that is made up, so that it would be seen wherever it came out again. */
const CANARY = "zq7Canary";
const FORM = "application/x-www-form-urlencoded";
const PATHS = [
  "/oauth/authorize",
  "/oauth/consent",
  "/oauth/callback",
  "/oauth/token",
  "/oauth/register",
  "/oauth/revoke",
  "/.well-known/oauth-authorization-server",
  "/.well-known/oauth-protected-resource/mcp",
  "/mcp",
  "/oauth/../oauth/token",
  "/%00/%2e%2e/%ff",
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"];
const DESCRIPTIONS: ReadonlySet<string> = new Set(Object.values(REASONS).map(({ description }) => description));

const hostile = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.constantFrom(
      "",
      "\0",
      "%",
      "%zz",
      "%00",
      "%ff%fe",
      "%c0%af",
      "%ed%a0%80",
      "+",
      "&",
      "=",
      "[]",
      "{}",
      '"',
      "\r\nset-cookie: a=b",
      "<script>alert(1)</script>",
      "javascript:alert(1)",
      "../../etc/passwd",
      "__proto__",
      "constructor",
      "\ud800",
      "\u202e",
      "ﬀ\u0301",
      "9".repeat(400),
      "a".repeat(5_000),
    ),
  )
  .map((text) => CANARY + text);

/** What a header may carry at all. */
const headerText = hostile.map((text) => text.replace(/[^\t\x20-\x7e\xa0-\xff]/g, "").trim());

interface Ready {
  readonly world: World;
  readonly server: Server;
  /** Values with which each parameter would be right. */
  readonly right: Readonly<Record<string, string>>;
  readonly cookie: string;
  readonly accessToken: string;
}

/** A server with a client, an open consent page, a code and tokens, so that requests can be nearly right. */
async function ready(): Promise<Ready> {
  const world = new World();
  const server = world.server({
    clients: [{ clientId: "secretive", clientSecret: "s3cret", redirectUris: [REDIRECT_URI] }],
  });
  const { client, tokens } = await server.signIn();
  const { code, verifier } = await server.authorize({ client });
  const browser = new Browser();
  const { challenge } = PKCEUtils.generatePair();
  const page = await server.get(server.authorizationUrl(client, challenge));
  browser.keep(page);
  const upstream = await server.consent(server.authorizationUrl(client, challenge), browser);
  const right = {
    response_type: "code",
    client_id: client.clientId,
    redirect_uri: REDIRECT_URI,
    state: new URL(upstream.headers.get("location") ?? "").searchParams.get("state") ?? "",
    code_challenge: challenge,
    code_challenge_method: "S256",
    resource: RESOURCE,
    scope: "read",
    grant_type: "authorization_code",
    code,
    code_verifier: verifier,
    refresh_token: tokens.refresh_token,
    token: tokens.access_token,
    action: "approve",
    error: "access_denied",
    iss: UPSTREAM,
    client_secret: "s3cret",
    ...formOf(await page.text()),
  };
  return { world, server, right, cookie: browser.header(), accessToken: tokens.access_token };
}

let all: Ready;
beforeAll(async () => {
  all = await ready();
});

/** Some parameters that are right, and some that are not; encoded properly, or just put together. */
const parameters = fc
  .record({
    right: fc.uniqueArray(fc.nat(30)),
    wrong: fc.array(fc.tuple(fc.oneof(fc.nat(30), hostile), hostile), { maxLength: 4 }),
    raw: fc.boolean(),
  })
  .map(({ right, wrong, raw }) => (values: Readonly<Record<string, string>>) => {
    const names = Object.keys(values);
    const nameOf = (name: string | number) => (typeof name === "number" ? (names[name % names.length] ?? "") : name);
    const pairs: [string, string][] = [
      ...right.map((index): [string, string] => [nameOf(index), values[nameOf(index)] ?? ""]),
      ...wrong.map(([name, value]): [string, string] => [nameOf(name), value]),
    ];
    return raw ? pairs.map((pair) => pair.join("=")).join("&") : new URLSearchParams(pairs).toString();
  });

const headers = fc.record(
  {
    "content-type": fc.oneof(
      { weight: 4, arbitrary: fc.constant(FORM) },
      fc.constantFrom(
        "application/json",
        "multipart/form-data; boundary=x",
        "text/html",
        `${FORM}; charset=\u00ff`,
        "",
      ),
      headerText,
    ),
    authorization: fc.oneof(
      headerText,
      hostile.map((text) => `Basic ${Buffer.from(text).toString("base64")}`),
      hostile.map((text) => `Basic ${Buffer.from(`secretive:${text}`).toString("base64")}`),
      fc.constantFrom("Basic", "Basic ====", "Basic Og==", "Bearer", "Basic c2VjcmV0aXZlOnMzY3JldA=="),
      headerText.map((text) => `Bearer ${text}`),
    ),
    cookie: fc.oneof(
      fc.constant(undefined),
      headerText,
      headerText.map((text) => `__Host-sallyport-approvals=${text}`),
    ),
    origin: fc.oneof(headerText, fc.constantFrom("null", BASE_URL, "https://evil.example")),
    "sec-fetch-site": fc.oneof(headerText, fc.constantFrom("same-origin", "cross-site", "none")),
    "access-control-request-method": headerText,
    "content-length": fc.constantFrom("-1", "NaN", "99999999999999999999", "0x10", "3"),
    "x-forwarded-host": headerText,
  },
  { requiredKeys: [] },
);

const body = fc.oneof(
  { weight: 3, arbitrary: parameters },
  hostile.map((text) => () => text),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => () => bytes),
  fc.json({ maxDepth: 12 }).map((text) => () => text),
  fc
    .anything({ maxDepth: 3 })
    .map(
      (value) => () =>
        JSON.stringify({ redirect_uris: [REDIRECT_URI], client_name: value, scope: value, grant_types: value }) ?? "",
    ),
);

/** The rules for every answer. */
async function checkAnswer(answer: Response | undefined, method: string): Promise<void> {
  if (answer === undefined) return;
  expect(answer.status).toBeGreaterThanOrEqual(200);
  expect(answer.status).toBeLessThan(500);
  const location = answer.headers.get("location");
  // The client's own state goes back to the client, and nowhere else.
  if (location !== null)
    expect(location.startsWith(`${REDIRECT_URI}?`) || location.startsWith(`${UPSTREAM}/authorize?`)).toBe(true);
  for (const [name, value] of answer.headers) {
    if (name !== "location" && !(name === "access-control-allow-origin" && value === BASE_URL))
      expect(value).not.toContain(CANARY);
  }
  if (answer.status === 405) expect(answer.headers.get("allow")).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
  if (answer.status >= 300) expect(answer.headers.get("cache-control")).toBe("no-store");

  const text = await answer.text();
  if (method === "HEAD") expect(text).toBe("");
  // What was registered is echoed, as RFC 7591 wants it; nothing else is.
  if (answer.status !== 201) expect(text).not.toContain(CANARY);
  if (answer.status >= 400 && text !== "" && answer.headers.get("content-type") === "application/json") {
    const { error_description: description } = JSON.parse(text);
    // A person has to see which of several redirect URIs it was: the host in normal form is the one thing that is repeated.
    if (!/^The redirect URI at [a-z0-9.:[\]-]+ is not admitted\. [A-Z][a-zA-Z ]+\.$/.test(description)) {
      expect(DESCRIPTIONS).toContain(description);
    }
  }
}

test("any method, path, query, headers and body", PATIENT, async () => {
  const request = fc.record({
    path: fc.constantFrom(...PATHS),
    method: fc.constantFrom(...METHODS),
    query: parameters,
    headers,
    body,
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ path, method, query, headers: sent, body: content }) => {
      const { world, server, right, cookie } = all;
      const init = { method, headers: { cookie, ...dropUndefined(sent) } };
      const hasBody = method !== "GET" && method !== "HEAD";
      const url = `${BASE_URL}${path}?${query(right)}`;
      const asked = new Request(url, hasBody ? { ...init, body: content(right) } : init);
      await checkAnswer(await server.auth.handle(asked), method);
      expect(world.eventsOf("error")).toEqual([]);
    }),
    { numRuns: 800 },
  );
});

/** What a right request to each endpoint has. */
const REQUESTS: readonly (readonly [
  path: string,
  method: "GET" | "POST",
  names: readonly string[],
  fixed: Record<string, string>,
])[] = [
  ["/oauth/authorize", "GET", AUTHORIZATION, {}],
  ["/oauth/authorize", "POST", AUTHORIZATION, {}],
  ["/oauth/consent", "POST", ["transaction", "csrf_token", "action"], {}],
  ["/oauth/token", "POST", ["grant_type", "client_id", "code", "code_verifier", "redirect_uri", "resource"], {}],
  ["/oauth/token", "POST", ["grant_type", "client_id", "refresh_token", "scope"], { grant_type: "refresh_token" }],
  ["/oauth/revoke", "POST", ["client_id", "token"], { token: "sp_rt_unknown" }],
];

/** One or two parameters left out, replaced, lengthened, doubled, or added. */
const spoiling = fc.array(
  fc.record({
    at: fc.nat(7),
    how: fc.constantFrom("drop", "replace", "lengthen", "double", "add"),
    name: hostile,
    text: hostile,
  }),
  { minLength: 1, maxLength: 2 },
);

test("requests that are right but for one or two parameters", PATIENT, async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...REQUESTS), spoiling, async ([path, method, names, fixed], spoilt) => {
      const { world, server, right, cookie } = all;
      const form = new URLSearchParams(names.map((name): [string, string] => [name, fixed[name] ?? right[name] ?? ""]));
      for (const { at, how, name, text } of spoilt) {
        const known = names[at % names.length] ?? "";
        if (how === "drop") form.delete(known);
        else if (how === "replace") form.set(known, text);
        else if (how === "lengthen") form.set(known, (form.get(known) ?? "") + text);
        else form.append(how === "double" ? known : name, text);
      }
      const answer =
        method === "POST" ? server.post(path, form.toString(), { cookie }) : server.get(`${path}?${form}`, { cookie });
      await checkAnswer(await answer, method);
      expect(world.eventsOf("error")).toEqual([]);
    }),
    { numRuns: 1_500 },
  );
});

test("whatever the upstream sends back with a browser whose person approved", PATIENT, async () => {
  const { server, world } = all;
  const answers = fc.dictionary(
    fc.constantFrom("code", "error", "error_description", "iss", "session_state", "scope"),
    hostile,
  );
  await fc.assert(
    fc.asyncProperty(answers, async (sent) => {
      const browser = new Browser();
      const upstream = await server.consent(
        server.authorizationUrl({ clientId: "secretive" }, "c".repeat(43)),
        browser,
      );
      const answer = await server.callback(upstream.headers.get("location") ?? "", browser, sent);
      // A NUL or half a character is no parameter at all.
      if (answer.status === 302) expect(new URL(answer.headers.get("location") ?? "").search).not.toContain(CANARY);
      await checkAnswer(answer, "GET");
      expect(world.eventsOf("error")).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test("whatever a client says of itself", PATIENT, async () => {
  const redirectUri = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(REDIRECT_URI, "https://claude.ai/api/mcp/auth_callback") },
    hostile,
    fc.webUrl({ withFragments: true, withQueryParameters: true }),
    hostile.map((text) => `http://localhost/${text}`),
  );
  const value = fc.oneof(hostile, fc.anything({ maxDepth: 2 }), fc.array(hostile, { maxLength: 3 }));
  const metadata = fc.record(
    {
      redirect_uris: fc.oneof({ weight: 6, arbitrary: fc.array(redirectUri, { minLength: 1, maxLength: 3 }) }, value),
      client_name: fc.oneof(hostile, value),
      scope: fc.oneof(hostile, value),
      grant_types: fc.oneof(fc.constant(["authorization_code"]), value),
      response_types: fc.oneof(fc.constant(["code"]), value),
      token_endpoint_auth_method: fc.oneof(fc.constantFrom("none", "client_secret_post", "private_key_jwt"), value),
      application_type: value,
      jwks_uri: value,
    },
    { requiredKeys: ["redirect_uris"] },
  );
  await fc.assert(
    fc.asyncProperty(metadata, async (said) => {
      const { server, world } = all;
      const sent = { "content-type": "application/json" };
      const asked = new Request(`${BASE_URL}/oauth/register`, {
        method: "POST",
        headers: sent,
        body: JSON.stringify(said, withoutBigInts),
      });
      const answer = await server.auth.fetch(asked);
      expect([201, 400]).toContain(answer.status);
      await checkAnswer(answer, "POST");
      expect(world.eventsOf("error")).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

function withoutBigInts(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

test("any request to a protected resource is refused", PATIENT, async () => {
  const sender = fc.oneof(
    headers,
    headers.map(({ origin: _, ...others }) => others),
  );
  await fc.assert(
    fc.asyncProperty(sender, fc.constantFrom(...METHODS), async (sent, method) => {
      const { world, server } = all;
      const result = await server.auth.protect(new Request(RESOURCE, { method, headers: dropUndefined(sent) }));
      if (!(result instanceof Response)) throw new Error(`let in: ${result.subject}`);
      expect([400, 401, 403]).toContain(result.status);
      await checkAnswer(result, method);
      expect(world.eventsOf("error")).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test("any text where a token is expected is no token", PATIENT, async () => {
  const { server, accessToken } = all;
  const spoiled = fc.oneof(
    hostile,
    fc
      .tuple(fc.nat(accessToken.length - 1), fc.string({ minLength: 1, maxLength: 3 }))
      .map(([at, text]) => accessToken.slice(0, at) + text + accessToken.slice(at + 1)),
  );
  await fc.assert(
    fc.asyncProperty(spoiled, async (token) => {
      fc.pre(token !== accessToken);
      expect(await server.auth.loadUpstreamTokens(token)).toBeNull();
    }),
    { numRuns: 300 },
  );
});

function dropUndefined(record: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

describe("large ones", PATIENT, () => {
  const TEN_MEGABYTES = 10 * 1024 * 1024;

  test.each(["token", "revoke", "register", "consent", "authorize"])(
    "a body of 10 MB to %s is refused before it is in memory, announced or not",
    async (endpoint) => {
      const { server } = all;
      const type = endpoint === "register" ? "application/json" : FORM;
      for (const announced of [{}, { "content-length": String(TEN_MEGABYTES) }, { "content-length": "5" }]) {
        let taken = 0;
        const stream = new ReadableStream({
          pull(controller) {
            taken += 64 * 1024;
            controller.enqueue(new Uint8Array(64 * 1024).fill(0x61));
            if (taken >= TEN_MEGABYTES) controller.close();
          },
        });
        const answer = await server.auth.fetch(
          new Request(`${BASE_URL}/oauth/${endpoint}`, {
            method: "POST",
            body: stream,
            headers: { "content-type": type, ...announced },
            duplex: "half",
          }),
        );
        expect([400, 413]).toContain(answer.status);
        expect(taken).toBeLessThanOrEqual(4 * 64 * 1024);
      }
    },
  );

  test.each([
    ["objects", '{"a":'.repeat(10_000)],
    ["arrays", "[".repeat(60_000)],
    ["redirect URIs", `{"redirect_uris":${"[".repeat(1_000)}${"]".repeat(1_000)}}`],
    ["members", `{${Array.from({ length: 5_000 }, (_, index) => `"m${index}":1`).join()}}`],
    ["a number", `{"redirect_uris":${"9".repeat(60_000)}}`],
    ["a name", JSON.stringify({ redirect_uris: [REDIRECT_URI], client_name: "a\u0301".repeat(10_000) })],
    ["a prototype", '{"__proto__":{"redirect_uris":["http://localhost/"]}}'],
    ["NULs", `{"redirect_uris":["http://localhost/\\u0000"],"client_name":"\\u0000"}`],
  ])("JSON of many or deep %s is refused", async (_, text) => {
    const asked = new Request(`${BASE_URL}/oauth/register`, {
      method: "POST",
      body: text,
      headers: { "content-type": "application/json" },
    });
    const answer = await all.server.auth.fetch(asked);
    expect(answer.status).toBe(400);
    await checkAnswer(answer, "POST");
  });

  test.each(["authorization", "cookie", "origin", "content-type", "sec-fetch-site", "x-forwarded-for"])(
    "a header %s of 200 KB is no trouble",
    async (name) => {
      const { server } = all;
      for (const value of [
        `Basic ${"a".repeat(200_000)}`,
        `Bearer ${"a".repeat(200_000)}`,
        "a=b; ".repeat(40_000),
        "=".repeat(200_000),
      ]) {
        for (const path of PATHS.slice(0, 6)) {
          const sent = { [name]: value };
          const answer = await server.auth.fetch(
            new Request(BASE_URL + path, { method: "POST", headers: sent, body: "a=b" }),
          );
          expect(answer.status).toBeLessThan(500);
          expect(answer.status).toBeGreaterThanOrEqual(400);
        }
        const access = await server.auth.protect(new Request(RESOURCE, { headers: { [name]: value } }));
        expect(access).toBeInstanceOf(Response);
      }
    },
  );

  test("a query of a megabyte, or of a million parameters, is refused", async () => {
    for (const query of [
      "a".repeat(1_000_000),
      "&".repeat(1_000_000),
      `state=${"%41".repeat(300_000)}`,
      "a=b&".repeat(250_000),
    ]) {
      for (const path of ["/oauth/authorize", "/oauth/callback"]) {
        expect((await all.server.get(`${path}?${query}`)).status).toBe(400);
      }
    }
  });
});
