/** Clauses about targets: an endpoint is found by exactly what was sent. RFC 9112 §3.2. */

import { clause, type Stage } from "./stage.ts";
import { standIn, targetOf } from "./stand-in.ts";

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
    id: "query-repeated",
    sentence: "RFC 6749 §3.1: a query parameter that is given twice arrives twice, in its order",
    async play(stage) {
      const target = "/oauth/authorize?scope=a&client_id=x&scope=b&client_id=&scope[]=c&client_id[x]=y";
      await arrives(stage, {}, [[target, target]]);
    },
  }),
];
