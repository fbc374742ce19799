/** Clauses about answers: what the server says is what the client hears. RFC 9110, RFC 6265. */

import type { MountedServer } from "./adapter-subject.ts";
import { clause } from "./stage.ts";
import { CHALLENGE, standIn } from "./stand-in.ts";
import { headerOf } from "./wire.ts";

/** A server with one answer, and a count of how often it was asked. */
function answering(
  status: number,
  body: string | null,
  headers: [string, string][],
  asked: string[] = [],
): MountedServer {
  return standIn({
    async handle(request, options) {
      asked.push(request.method);
      return new (options?.Response ?? Response)(request.method === "HEAD" ? null : body, { status, headers });
    },
  });
}

export const answers = [
  clause({
    id: "set-cookie-twice",
    sentence: "RFC 6265 §3: two Set-Cookie stay two, with their commas",
    async play(stage) {
      const cookies = ["__Host-a=1; Path=/; Expires=Wed, 21 Oct 2037 07:28:00 GMT; Secure", "b=2; Path=/; HttpOnly"];
      const site = await stage.serve({
        auth: answering(
          200,
          "",
          cookies.map((value) => ["set-cookie", value]),
        ),
      });
      stage.same(headerOf(await site.ask({ target: "/oauth/authorize" }), "set-cookie"), cookies, "Set-Cookie");
    },
  }),
  clause({
    id: "redirect-as-is",
    sentence: "a redirect goes to the client, with its Location as it is, and nobody follows it",
    async play(stage) {
      const asked: string[] = [];
      const location = "cursor://anysphere.cursor/cb?code=a%2Bb&state=%7B%22x%22%3A1%7D&iss=http%3A%2F%2F127.0.0.1#";
      const auth = answering(
        302,
        null,
        [
          ["location", location],
          ["cache-control", "no-store"],
          ["set-cookie", "a=1"],
        ],
        asked,
      );
      const answer = await (await stage.serve({ auth })).ask({ target: "/oauth/callback?code=1" });
      stage.same([answer.status, headerOf(answer, "location")], [302, [location]], "the answer");
      stage.same(
        [headerOf(answer, "set-cookie"), headerOf(answer, "cache-control")],
        [["a=1"], ["no-store"]],
        "its headers",
      );
      stage.same(asked, ["GET"], "what the server was asked");
    },
  }),
  clause({
    id: "answer-as-is",
    sentence: "status, headers and body of an answer are sent as they are, and nothing is added that would change them",
    async play(stage) {
      const body = '{"error":"x","text":"é😀"}\n';
      for (const status of [200, 201, 400, 401, 403, 405, 413, 429, 500, 503]) {
        const headers: [string, string][] = [
          ["content-type", "application/json"],
          ["cache-control", "no-store"],
          ["www-authenticate", CHALLENGE],
          ["retry-after", "5"],
          ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
          ["vary", "Origin"],
        ];
        const answer = await (await stage.serve({ auth: answering(status, body, headers) })).ask({
          target: "/oauth/token",
        });
        stage.same([answer.status, answer.body], [status, body], "the answer");
        for (const [name, value] of headers) stage.same(headerOf(answer, name), [value], `${name} of a ${status}`);
        for (const name of ["etag", "last-modified", "set-cookie", "access-control-allow-origin", "location"])
          stage.same(headerOf(answer, name), [], `${name} of a ${status}`);
      }
    },
  }),
  clause({
    id: "head-without-body",
    sentence: "RFC 9110 §9.3.2: HEAD reaches the server as HEAD, and its answer has the headers and no body",
    async play(stage) {
      const asked: string[] = [];
      const auth = answering(200, "a document", [["content-type", "application/json"]], asked);
      const site = await stage.serve({ auth });
      const answer = await site.ask({ method: "HEAD", target: "/.well-known/oauth-authorization-server" });
      stage.same([answer.status, answer.bodyBytes, asked], [200, 0, ["HEAD"]], "status, length and method");
      stage.same(headerOf(answer, "content-type"), ["application/json"], "its type");
    },
  }),
  clause({
    id: "no-content-without-body",
    sentence: "RFC 9110 §15.3.5: 204 has no body, and OPTIONS reaches the server",
    async play(stage) {
      const asked: string[] = [];
      const auth = answering(204, null, [["access-control-allow-methods", "POST, OPTIONS"]], asked);
      const headers = [
        ["Origin", "https://a.example"],
        ["Access-Control-Request-Method", "POST"],
      ] as const;
      const answer = await (await stage.serve({ auth })).ask({ method: "OPTIONS", target: "/oauth/token", headers });
      stage.same([answer.status, answer.bodyBytes, asked], [204, 0, ["OPTIONS"]], "status, length and method");
      stage.same(headerOf(answer, "access-control-allow-methods"), ["POST, OPTIONS"], "what it allows");
    },
  }),
];
