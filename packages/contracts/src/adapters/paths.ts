/** Clauses about targets: an endpoint is found by exactly what was sent. RFC 9112 §3.2. */

import type { Reply } from "@sallyport/oauth-core";
import type { MountedServer } from "./adapter-subject.ts";
import { clause, type Stage } from "./stage.ts";
import { standIn, targetOf } from "./stand-in.ts";
import type { RawAnswer, RawRequest } from "./wire.ts";

/** Targets that some library on the way would tidy up, so that one path becomes another. */
const UNTIDY = [
  "/oauth/x/../token",
  "/oauth/%2e%2e/token",
  "/oauth/./token",
  "//oauth//token",
  "/oauth/token;a=b",
  "/oauth/token;/../login",
  "/oauth\\token",
  "/OAuth/Token",
  "/oauth/token/",
  "/oauth/%74oken",
  "/oauth%2ftoken",
  "/oauth/token?a=%2F..%2f&b=c+d%20e&next=http://127.0.0.1/../x",
  "/oauth/token?",
  "/.well-known/oauth-authorization-server/../x",
];

/** Holds that the server sees `expected` where `sent` is sent; each pair by a request of its own. */
async function arrives(
  stage: Stage,
  app: { prefix?: string; strippedPrefix?: string },
  pairs: readonly (readonly [sent: string, expected: string])[],
): Promise<void> {
  const seen: string[] = [];
  const auth = standIn({
    async handle(request, options) {
      seen.push(targetOf(request));
      return new (options?.Response ?? Response)("seen", { status: 200, headers: [] });
    },
  });
  const site = await stage.serve({ auth, ...app });
  for (const [sent, expected] of pairs) {
    seen.length = 0;
    await site.ask({ target: sent });
    stage.same(seen, [expected], `what the server saw of ${sent}`);
  }
}

const ENDPOINT = "/oauth/token";
const DOCUMENT = "/.well-known/oauth-authorization-server";
const FIXED: Reply = {
  status: 200,
  headers: [
    ["content-type", "application/json"],
    ["cache-control", "public, max-age=3600"],
    ["access-control-allow-origin", "*"],
  ],
  body: '{"name":"é"}',
};

/** A server with an endpoint and a fixed document, and what it was asked; `atOnce` it says what it knows without a request. */
function knowing(atOnce: boolean): { readonly auth: MountedServer; readonly asked: string[] } {
  const asked: string[] = [];
  const isAt = (target: string, path: string) =>
    ["", "/outer", "/auth"].some((prefix) => target.split("?", 1)[0] === prefix + path);
  const auth = standIn({
    async handle(request, options) {
      const target = targetOf(request);
      asked.push(`${request.method} ${target}`);
      const Answer = options?.Response ?? Response;
      if (isAt(target, ENDPOINT)) return new Answer("the server", { status: 200, headers: [["x-server", "1"]] });
      if (!isAt(target, DOCUMENT)) return undefined;
      const { body = "", headers } = FIXED;
      if (request.method !== "GET") return new Answer(null, { status: 405, headers: [["allow", "GET"]] });
      return new Answer(body, {
        status: 200,
        headers: headers.map(([name, value]): [string, string] => [name, value]),
      });
    },
  });
  if (!atOnce) return { auth, asked };
  const owns = (target: string, method: string) => {
    asked.push(`${method} ${target}`);
    return isAt(target, ENDPOINT) || isAt(target, DOCUMENT);
  };
  const documentAt = (target: string, method: string) => {
    asked.push(`${method} ${target}`);
    return method === "GET" && isAt(target, DOCUMENT) ? FIXED : undefined;
  };
  return { auth: { ...auth, owns, documentAt }, asked };
}

/** An answer, but for the time of day. */
function timeless(answer: RawAnswer | undefined): unknown {
  return answer && { ...answer, headers: answer.headers.filter(([name]) => name !== "date") };
}

export const paths = [
  clause({
    id: "target-as-sent",
    sentence: "RFC 9112 §3.2.1: the server sees path and query exactly as they were sent",
    waivable: true,
    play: (stage) =>
      arrives(
        stage,
        {},
        UNTIDY.map((target) => [target, target]),
      ),
  }),
  clause({
    id: "target-plain",
    sentence: "an ordinary path arrives whole, with its case, its escapes and its query",
    play: (stage) =>
      arrives(
        stage,
        {},
        ["/oauth/token", "/OAuth/Token", "/oauth/%74oken", "/oauth/authorize?a=%2F&b=c+d%20e", "/oauth/token/"].map(
          (target) => [target, target],
        ),
      ),
  }),
  clause({
    id: "target-under-prefix",
    sentence: "mounted under a prefix, the server sees the whole path and not what the framework left of it",
    play: (stage) =>
      arrives(
        stage,
        { prefix: "/outer" },
        ["/outer/oauth/token", "/outer/oauth/%74oken?a=b&a=c", "/outer/.well-known/oauth-authorization-server"].map(
          (target) => [target, target],
        ),
      ),
  }),
  clause({
    id: "target-behind-proxy",
    sentence: "behind a reverse proxy that strips a prefix, the server sees the path that the client asked for",
    play: (stage) =>
      arrives(stage, { strippedPrefix: "/auth" }, [
        ["/oauth/token", "/auth/oauth/token"],
        ["/oauth/authorize?a=b&a=%2F", "/auth/oauth/authorize?a=b&a=%2F"],
        // RFC 8414 §3.1: a well-known document stands in front of the issuer's path, where no prefix is stripped.
        ["/.well-known/oauth-authorization-server/auth", "/.well-known/oauth-authorization-server/auth"],
      ]),
  }),
  clause({
    id: "target-known-at-once",
    sentence:
      "a server that knows what is its own by target and method is asked for them as they were sent, and every answer is what it would be without",
    async play(stage) {
      const requests: readonly RawRequest[] = [
        ...UNTIDY.map((target) => ({ target })),
        ...[ENDPOINT, DOCUMENT, `${DOCUMENT}?a=b`, "/login"].flatMap((target) =>
          ["GET", "HEAD", "POST", "OPTIONS"].map((method) => ({ method, target, body: "" })),
        ),
      ];
      for (const app of [{}, { prefix: "/outer" }, { strippedPrefix: "/auth" }]) {
        const [asking, knowingAtOnce] = [knowing(false), knowing(true)];
        const first = await stage.serve({ ...app, auth: asking.auth });
        const second = await stage.serve({ ...app, auth: knowingAtOnce.auth });
        for (const { target, ...request } of requests) {
          const sent = { ...request, target: (app.prefix ?? "") + target };
          const [expected, answer] = [await first.tryToAsk(sent), await second.tryToAsk(sent)];
          const what = `of ${request.method ?? "GET"} ${sent.target}`;
          stage.same(knowingAtOnce.asked.at(-1), asking.asked.at(-1), `what the server was asked last ${what}`);
          stage.same(timeless(answer), timeless(expected), `the answer ${what}`);
        }
      }
    },
  }),
  clause({
    id: "query-repeated",
    sentence: "RFC 6749 §3.1: a query parameter that is given twice arrives twice, in its order",
    async play(stage) {
      const target = "/oauth/authorize?scope=a&client_id=x&scope=b&client_id=&scope[]=c&client_id[x]=y";
      await arrives(stage, {}, [[target, target]]);
    },
  }),
];
