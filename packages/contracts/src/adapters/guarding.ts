/** Clauses about the guard: its word goes out as it is, who is let in is known, and nobody gets past. RFC 6750, RFC 9728 §5.1. */

import type { Requirement } from "@sallyport/oauth-core";
import type { AppRequest, AppRoute, MountedServer } from "./adapter-subject.ts";
import { clause, nameOf, type Stage, shown } from "./stage.ts";
import { accessOf, CHALLENGE, standIn, targetOf, tokenOf } from "./stand-in.ts";
import { headerOf, type RawAnswer, type RawRequest } from "./wire.ts";

const REQUIREMENT: Requirement = { scopes: ["mcp:tools"], resource: "https://mcp.example.com/mcp" };
const BEARER = ["Authorization", `Bearer ${tokenOf("alice")}`] as const;

/** A protected route at `path`, and what reached it. */
function tools(
  path: string,
  reached: AppRequest[],
  answer: AppRoute["answer"] = async () => ({ body: "in" }),
): AppRoute {
  return {
    path,
    requirement: REQUIREMENT,
    answer: (asked) => {
      reached.push(asked);
      return answer(asked);
    },
  };
}

/** Holds that none of the requests reaches a protected route at `/mcp`, below a prefix if there is one, whatever else they are answered. */
async function nobodyGetsIn(stage: Stage, requests: readonly RawRequest[], prefix = ""): Promise<void> {
  const reached: AppRequest[] = [];
  const routes = [tools("/mcp", reached)];
  const site = await stage.serve(prefix === "" ? { routes } : { routes, prefix });
  for (const request of requests) {
    const answer = await site.tryToAsk(request);
    // What OPTIONS is for, frameworks do by themselves: it tells methods, and gets at nothing.
    const harmless = answer === undefined || request.method === "OPTIONS" || isRefusal(answer);
    const what = `${nameOf(request)} with ${shown(request.headers ?? [])}`;
    stage.hold(reached.length === 0, `${what} reached the handler`);
    stage.hold(harmless, `${what} was answered with ${answer?.status}`);
  }
  // The same server lets those in who may.
  await site.ask({ target: `${prefix}/mcp`, headers: [BEARER] });
  stage.same(reached.length, 1, "how often the handler was reached with a good token");
}

/** 4xx, or a redirect to a tidier path, where the guard stands as well; 431 and 501 of Node's own. */
function isRefusal({ status }: RawAnswer): boolean {
  return (status >= 300 && status < 500) || status === 501;
}

/** Spellings that one part of a program takes for `/mcp`, and another does not. */
const TRICKS = [
  "/mcp",
  "/mcp/",
  "/MCP",
  "/Mcp",
  "/mcp?",
  "/mcp?access_token=good-alice",
  "/mcp#",
  "/mcp#/../login",
  "//mcp",
  "/./mcp",
  "/mcp/.",
  "/mcp/..",
  "/mcp/../mcp",
  "/login/../mcp",
  "/login/%2e%2e/mcp",
  "/login/..%2fmcp",
  "/login;/../mcp",
  "/mcp;",
  "/mcp;a=b",
  "/mcp%3b",
  "/mcp%2f",
  "/mcp%00",
  "/%6dcp",
  "/%6Dcp/",
  "/mcp%20",
  "/mcp\\",
  "/\\mcp",
  "/login\\..\\mcp",
  "\\mcp",
  "mcp",
  "*",
  "http://127.0.0.1/mcp",
  "http://mcp.example.com/login/../mcp",
  "http:///mcp",
  "/mcp/oauth/token",
  "/oauth/token/../../mcp",
  "/.well-known/../mcp",
];

/** Every other way to ask. */
const METHODS = ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "QUERY", "get"];

/** What stands for a token and is none, in one header or in several. */
const NO_TOKENS: readonly (readonly (readonly [string, string])[])[] = [
  [],
  ...[
    "",
    "Bearer",
    "Bearer ",
    "good-alice",
    "Bearer  ",
    "Bearer bad",
    "Basic good-alice",
    "DPoP good-alice",
    "Bearergood-alice",
    "Bearer good-alice bob",
    "Bearer good-alice,",
    "Bearer good-alice, Bearer good-alice",
    "Bearer good-alice\tx",
    "Bearer \u00a0good-alice",
    'Bearer "good-alice"',
    "Bearer good-\u00e9",
    "Bearer,Bearer good-alice",
  ].map((value) => [["Authorization", value]] as const),
  [BEARER, BEARER],
  [BEARER, ["Authorization", "Bearer bad"]],
  [["Authorization", "Bearer bad"], BEARER],
  [
    ["authorization", "Basic x"],
    ["AUTHORIZATION", BEARER[1]],
  ],
  ...[
    "Authorization ",
    "Authorization_",
    "_Authorization",
    "Authoriz_ation",
    "HTTP_AUTHORIZATION",
    "X-Authorization",
    "X_Authorization",
    "X-Forwarded-Authorization",
    "Proxy-Authorization",
    "Cookie",
    "X-Auth",
    "X-Forwarded-User",
  ].map((name) => [[name, BEARER[1]]] as const),
];

/** What a client can say about where it was, which an adapter must not believe. */
const CLAIMS = [
  ["X-Forwarded-Host", "other.example"],
  ["X-Forwarded-Proto", "https"],
  ["X-Forwarded-For", "127.0.0.1"],
  ["X-Forwarded-Prefix", "/other"],
  ["Forwarded", 'host="other.example";proto=https;for=127.0.0.1'],
  ["X-Original-URL", "/login"],
  ["X-Rewrite-URL", "/login"],
  ["X-HTTP-Method-Override", "PUT"],
  ["X_Forwarded_Host", "other.example"],
] as const;

export const guarding = [
  clause({
    id: "challenge-as-is",
    sentence: "RFC 6750 §3: a 401 and a 403 of the guard go out as they are, and the handler is not reached",
    async play(stage) {
      for (const status of [401, 403, 503]) {
        const reached: AppRequest[] = [];
        const headers: [string, string][] = [
          ["www-authenticate", CHALLENGE],
          ["access-control-expose-headers", "www-authenticate"],
          ["cache-control", "no-store"],
          ["content-type", "application/json"],
        ];
        const protect: MountedServer["protect"] = async (_request, _requirement, options) =>
          new (options?.Response ?? Response)('{"error":"é"}', { status, headers });
        const site = await stage.serve({ auth: standIn({ protect }), routes: [tools("/mcp", reached)] });
        const answer = await site.ask({ target: "/mcp" });
        stage.same(
          [answer.status, answer.body, reached.length],
          [status, '{"error":"é"}', 0],
          "status, body and handler",
        );
        for (const [name, value] of headers) stage.same(headerOf(answer, name), [value], name);
      }
    },
  }),
  clause({
    id: "access-known",
    sentence: "who was let in is known where the framework's users look for it, and nowhere else",
    async play(stage) {
      const reached: AppRequest[] = [];
      const open: AppRoute = { ...tools("/open", reached), requirement: undefined };
      const site = await stage.serve({ routes: [tools("/mcp", reached), open] });
      for (const target of ["/mcp", "/open"]) await site.ask({ target, headers: [BEARER] });
      const { token, clientId, scopes, expiresAt, subject } = accessOf("alice");
      stage.same(
        pick(reached[0]?.access),
        { token, clientId, scopes, expiresAt, subject },
        "what is known on the protected route",
      );
      stage.hold(reached[1]?.access === undefined, "something is known on a route without a guard");
    },
  }),
  clause({
    id: "guard-sees-request",
    sentence: "the guard gets the request as it was sent, and what the route demands",
    async play(stage) {
      for (const [prefix, strippedPrefix, expected] of [
        ["", "", "/mcp?a=%2F&a=b"],
        ["/outer", "", "/outer/mcp?a=%2F&a=b"],
        ["", "/auth", "/auth/mcp?a=%2F&a=b"],
      ] as const) {
        const seen: unknown[] = [];
        const protect: MountedServer["protect"] = async (request, requirement) => {
          seen.push([request.method, targetOf(request), requirement, request.headers.get("origin")]);
          return accessOf("alice");
        };
        const app = { ...(prefix === "" ? {} : { prefix }), ...(strippedPrefix === "" ? {} : { strippedPrefix }) };
        const site = await stage.serve({ auth: standIn({ protect }), routes: [tools("/mcp", [])], ...app });
        const headers = [["Origin", "https://foreign.example"]] as const;
        await site.ask({ method: "POST", target: `${prefix}/mcp?a=%2F&a=b`, headers });
        stage.same(seen, [["POST", expected, REQUIREMENT, "https://foreign.example"]], "what the guard was asked");
      }
    },
  }),
  clause({
    id: "guard-cors",
    sentence: "Fetch standard, CORS protocol: the answers of a protected route carry the guard's headers",
    async play(stage) {
      const cors = { "access-control-allow-origin": "https://a.example", vary: "Origin" };
      const site = await stage.serve({
        auth: standIn({ corsHeaders: () => cors }),
        routes: [tools("/mcp", [], async () => ({ status: 201, headers: { "x-app": "1" }, body: "in" }))],
      });
      const answer = await site.ask({ target: "/mcp", headers: [BEARER] });
      stage.same([answer.status, answer.body, headerOf(answer, "x-app")], [201, "in", ["1"]], "the app's answer");
      for (const [name, value] of Object.entries(cors)) stage.same(headerOf(answer, name), [value], name);
    },
  }),
  clause({
    id: "guard-body-unread",
    sentence: "the guard reads nothing of the body: the handler, or the parser in front of it, gets all of it",
    async play(stage) {
      const echo: AppRoute["answer"] = async (asked) => ({ body: JSON.stringify(await asked.body()) });
      for (const parsers of [undefined, "before", "behind"] as const) {
        const site = await stage.serve({ parsers, routes: [tools("/mcp", [], echo)] });
        const text = JSON.stringify({ id: 1, padding: "é".repeat(20_000) });
        const headers = [["Content-Type", "application/json"], BEARER] as const;
        const { body } = await site.ask({ method: "POST", target: "/mcp", headers, body: text });
        stage.same(
          body,
          parsers === undefined ? JSON.stringify(text) : text,
          `what the handler read, with parsers ${parsers}`,
        );
      }
    },
  }),
  clause({
    id: "guard-not-passed-by-path",
    sentence:
      "no spelling of a path leads to the handler without a token: `..`, `%2e`, `//`, `;`, backslashes, case, other forms of target",
    async play(stage) {
      for (const prefix of ["", "/outer"]) {
        const targets = [...new Set([...TRICKS, ...TRICKS.map((target) => prefix + target)])];
        const requests = [
          ...targets.map((target) => ({ target })),
          ...targets.map((target) => ({ method: "POST", target, body: "" })),
          ...METHODS.map((method) => ({ method, target: `${prefix}/mcp` })),
        ];
        await nobodyGetsIn(stage, requests, prefix);
      }
    },
  }),
  clause({
    id: "guard-not-passed-by-header",
    sentence: "no malformed Authorization, no second one, and no header with another name leads to the handler",
    play: (stage) =>
      nobodyGetsIn(
        stage,
        NO_TOKENS.map((headers) => ({ target: "/mcp", headers })),
      ),
  }),
  clause({
    id: "guard-not-passed-by-size",
    sentence: "headers of a megabyte are refused or cut off, and never get in",
    play: (stage) =>
      nobodyGetsIn(stage, [
        { target: "/mcp", headers: [["Authorization", `Bearer good-alice${"a".repeat(1_000_000)}`]] },
        { target: "/mcp", headers: [["X-Padding", "a".repeat(1_000_000)], BEARER] },
        { target: `/mcp?${"a".repeat(1_000_000)}`, headers: [BEARER] },
      ]),
  }),
  clause({
    id: "claims-change-nothing",
    sentence: "a foreign Host, Origin and forwarded headers change neither the way nor the verdict",
    async play(stage) {
      const seen: string[] = [];
      const reached: AppRequest[] = [];
      const auth = standIn({
        async handle(request, options) {
          seen.push(`${request.method} ${targetOf(request)}`);
          if (targetOf(request) !== "/oauth/token") return undefined;
          return new (options?.Response ?? Response)("the server", { status: 200, headers: [] });
        },
      });
      const site = await stage.serve({ auth, routes: [tools("/mcp", reached)] });
      for (const host of ["other.example", "127.0.0.1:1", "a b/c@d", "", "[::1"])
        for (const claims of [[], CLAIMS, [["Origin", "https://other.example"]]] as const) {
          const headers = [["Host", host], ...claims] as const;
          seen.length = 0;
          reached.length = 0;
          const endpoint = await site.tryToAsk({ method: "POST", target: "/oauth/token", headers });
          const refused = await site.tryToAsk({ target: "/mcp", headers });
          const admitted = await site.tryToAsk({ target: "/mcp", headers: [...headers, BEARER] });
          // Node and frameworks may refuse a Host that is none; they may not believe it.
          if ([endpoint, refused, admitted].every((answer) => answer?.status === 400)) continue;
          const what = `with Host ${host} and ${shown(claims)}`;
          stage.same(
            [endpoint?.status, refused?.status, admitted?.status],
            [200, 401, 200],
            `the three answers ${what}`,
          );
          stage.same([seen[0], reached.length], ["POST /oauth/token", 1], `what was seen ${what}`);
        }
    },
  }),
  clause({
    id: "events-as-they-come",
    sentence: "a protected route streams events one by one: nothing is kept back, and nothing is changed",
    async play(stage) {
      const second = Promise.withResolvers<void>();
      const events = async function* () {
        yield "data: 1é\n\n";
        await second.promise;
        yield "data: 2\n\n";
      };
      const answer: AppRoute["answer"] = async () => ({
        headers: { "content-type": "text/event-stream" },
        body: events(),
      });
      const site = await stage.serve({ routes: [tools("/mcp", [], answer)] });
      const wire = site.open({ target: "/mcp", headers: [BEARER] });
      const early = await stage.within(
        wire.until("data: 1é\n\n"),
        "the first event did not come before the second was made",
      );
      stage.hold(
        early.includes("data: 1é\n\n") && !early.includes("data: 2"),
        `the first event came as ${shown(early)}`,
      );
      second.resolve();
      const whole = await stage.within(wire.answer(), "the stream did not end");
      stage.same(whole?.body, "data: 1é\n\ndata: 2\n\n", "the whole stream");
      const [type = "none"] = whole === undefined ? [] : headerOf(whole, "content-type");
      stage.hold(type.startsWith("text/event-stream"), `its type was ${type}`);
    },
  }),
  clause({
    id: "events-abandoned",
    sentence: "the handler of a protected stream notices when its client goes away",
    async play(stage) {
      const reached: AppRequest[] = [];
      const events = async function* (asked: AppRequest) {
        yield "data: 1\n\n";
        await asked.gone;
      };
      const answer: AppRoute["answer"] = async (asked) => ({
        headers: { "content-type": "text/event-stream" },
        body: events(asked),
      });
      const site = await stage.serve({ routes: [tools("/mcp", reached, answer)] });
      const wire = site.open({ target: "/mcp", headers: [BEARER] });
      await stage.within(wire.until("data: 1"), "the first event did not come");
      wire.cut();
      await stage.within(reached[0]?.gone ?? Promise.resolve(), "the handler was not told that its client is gone");
    },
  }),
];

/** The members that the contract asks for, in its order. */
function pick(access: AppRequest["access"]): unknown {
  if (access === undefined) return undefined;
  const { token, clientId, scopes, expiresAt, subject } = access;
  return { token, clientId, scopes, expiresAt, subject };
}
