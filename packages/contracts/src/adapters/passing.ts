/** Clauses about what is none of the server's: the app gets it as if nobody had looked. */

import type { AppRoute, MountedServer } from "./adapter-subject.ts";
import { clause } from "./stage.ts";
import { standIn, targetOf } from "./stand-in.ts";

/** A route that answers with what it got. */
function echo(path: string): AppRoute {
  return {
    path,
    answer: async (asked) => ({
      headers: { "x-app": path },
      body: JSON.stringify({ method: asked.method, body: await asked.body() }),
    }),
  };
}

/** A server with one endpoint and one document. */
const two: MountedServer = standIn({
  async handle(request, options) {
    const known = ["/oauth/token", "/.well-known/oauth-authorization-server"].includes(targetOf(request));
    return known ? new (options?.Response ?? Response)("the server", { status: 200, headers: [] }) : undefined;
  },
});

export const passing = [
  clause({
    id: "not-ours",
    sentence: "the app's own /login and /token are the app's, and only an endpoint's exact path is not",
    async play(stage) {
      const own = ["/login", "/token", "/oauth/tokens", "/authorize", "/.well-known/other"];
      const site = await stage.serve({ auth: two, routes: [...own, "/oauth/token"].map(echo) });
      for (const target of own) {
        for (const method of ["GET", "POST"]) {
          const { status, body } = await site.ask({ method, target });
          stage.same(
            [status, body],
            [200, JSON.stringify({ method, body: "" })],
            `the app's answer to ${method} ${target}`,
          );
        }
      }
      stage.same((await site.ask({ target: "/oauth/token" })).body, "the server", "the answer of the endpoint");
    },
  }),
  clause({
    id: "not-anybodys",
    sentence: "what is nobody's gets the app's own 404",
    async play(stage) {
      const site = await stage.serve({ auth: two, routes: [echo("/login")] });
      for (const target of ["/", "/oauth", "/oauth/token/x", "/oauth/x/../nothing"])
        stage.same((await site.ask({ target })).status, 404, `the status of ${target}`);
      stage.same(site.reported, [], "what was reported as an error");
    },
  }),
  clause({
    id: "pass-unread",
    sentence: "a request that is passed on is unread: the app reads all of its body",
    async play(stage) {
      const site = await stage.serve({ auth: two, routes: [echo("/login")] });
      const body = "user=a&password=b+c&".repeat(10_000);
      const answer = await site.ask({
        method: "POST",
        target: "/login",
        headers: [["Content-Type", "text/plain"]],
        body,
      });
      stage.same(answer.body, JSON.stringify({ method: "POST", body }), "what the app read");
    },
  }),
  clause({
    id: "pass-parsers",
    sentence: "the app's own parsers work, in front of the server and behind it",
    async play(stage) {
      for (const parsers of ["before", "behind"] as const) {
        const site = await stage.serve({ auth: two, parsers, routes: [echo("/login")] });
        const post = async (type: string, body: string) =>
          (await site.ask({ method: "POST", target: "/login", headers: [["Content-Type", type]], body })).body;
        const expected = JSON.stringify({ method: "POST", body: { user: "a", word: "b c" } });
        stage.same(
          await post("application/json", '{"user":"a","word":"b c"}'),
          expected,
          `JSON with parsers ${parsers}`,
        );
        stage.same(
          await post("application/x-www-form-urlencoded", "user=a&word=b+c"),
          expected,
          `a form with parsers ${parsers}`,
        );
      }
    },
  }),
  clause({
    id: "pass-untouched",
    sentence: "the app's answer to what is passed on has nothing of the server's in it",
    async play(stage) {
      const auth: MountedServer = {
        ...two,
        corsHeaders: () => ({ "access-control-allow-origin": "https://a.example" }),
      };
      const site = await stage.serve({ auth, routes: [echo("/login")] });
      const { headers } = await site.ask({ target: "/login", headers: [["Origin", "https://a.example"]] });
      const foreign = headers.filter(([name]) => /^(?:access-control-|www-authenticate|set-cookie|vary)/.test(name));
      stage.same(foreign, [], "headers that the app has not set");
    },
  }),
];
