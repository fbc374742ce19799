/** Clauses about where a client comes from: the connection says it, and a header only where its writer is trusted. RFC 7239 §8.1. */

import type { AdapterApp } from "./adapter-subject.ts";
import { clause, nameOf, type Stage, shown } from "./stage.ts";
import { standIn } from "./stand-in.ts";
import type { RawRequest } from "./wire.ts";

const HERE = "127.0.0.1";
/** A second address of this machine; macOS has none on its loopback interface. */
const THERE = process.platform === "darwin" ? HERE : "127.0.0.2";

const ELSEWHERE = "203.0.113.7";

/** Everything that some server or other believes. */
const FORGED: readonly (readonly (readonly [name: string, value: string])[])[] = [
  ...[
    "X-Forwarded-For",
    "X_Forwarded_For",
    "X-Forwarded",
    "Forwarded-For",
    "X-Real-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Originating-IP",
    "X-Remote-IP",
    "X-Remote-Addr",
    "Remote-Addr",
    "Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "CF-Connecting-IPv6",
    "Fastly-Client-IP",
    "Fly-Client-IP",
    "X-Azure-ClientIP",
    "X-Appengine-User-IP",
  ].map((name) => [[name, ELSEWHERE]] as const),
  [["X-Forwarded-For", `${ELSEWHERE}, 127.0.0.1, 10.0.0.1`]],
  [
    ["X-Forwarded-For", ELSEWHERE],
    ["X-Forwarded-For", ELSEWHERE],
  ],
  [["X-Forwarded-For", ""]],
  [["Forwarded", `for=${ELSEWHERE}`]],
  [["Forwarded", `for="[2001:db8::7]:4711";proto=https, for=${ELSEWHERE}`]],
];

/** Starts a server, and gives what it is told of where a request came from. */
async function telling(
  stage: Stage,
  app: Partial<AdapterApp> = {},
): Promise<(request: RawRequest) => Promise<unknown>> {
  const told: unknown[] = [];
  const auth = standIn({
    async handle(_, options) {
      told.push(options?.clientAddress ?? "unknown");
      return new (options?.Response ?? Response)("told", { status: 200, headers: [] });
    },
  });
  const site = await stage.serve({ auth, ...app });
  return async (request) => {
    told.length = 0;
    await site.ask({ ...request, target: (app.prefix ?? "") + request.target });
    stage.same(told.length, 1, `how often the server was asked for ${nameOf(request)}`);
    return told[0];
  };
}

const FORM = { method: "POST", target: "/oauth/token", body: "a=b" } as const;
const FORM_TYPE = ["Content-Type", "application/x-www-form-urlencoded"] as const;

export const addresses = [
  clause({
    id: "address-of-connection",
    sentence: "the server is told the address that the connection comes from, of every connection its own",
    waivable: true,
    async play(stage) {
      for (const app of [
        {},
        { prefix: "/outer" },
        { strippedPrefix: "/auth" },
        { parsers: "before" },
        { parsers: "behind" },
      ] as const) {
        const tell = await telling(stage, app);
        for (const from of [HERE, THERE, HERE])
          for (const request of [{ ...FORM, headers: [FORM_TYPE] }, { target: "/oauth/authorize?a=b" }]) {
            const what = `the address of ${nameOf(request)} in an app with ${shown(app)}`;
            stage.same(await tell({ ...request, from }), from, what);
          }
      }
    },
  }),
  clause({
    id: "address-not-forged",
    sentence:
      "X-Forwarded-For, Forwarded and their like change nothing of that address, unless the framework is told to trust a proxy",
    async play(stage) {
      for (const app of [{}, { prefix: "/outer" }]) {
        const tell = await telling(stage, app);
        const plain = await tell({ ...FORM, headers: [FORM_TYPE] });
        for (const forged of FORGED)
          stage.same(
            await tell({ ...FORM, headers: [FORM_TYPE, ...forged] }),
            plain,
            `the address with ${shown(forged)}`,
          );
      }
    },
  }),
  clause({
    id: "address-from-proxy",
    sentence:
      "told to trust one proxy, the framework takes the entry that this one has added to X-Forwarded-For, and none that the client wrote",
    waivable: true,
    async play(stage) {
      for (const app of [{}, { prefix: "/outer" }]) {
        const tell = await telling(stage, { ...app, trustsProxy: true });
        for (const [sent, expected] of [
          ["203.0.113.7", "203.0.113.7"],
          ["2001:db8::7", "2001:db8::7"],
          ["198.51.100.1, 127.0.0.1,203.0.113.7", "203.0.113.7"],
        ] as const) {
          const headers = [FORM_TYPE, ["X-Forwarded-For", sent]] as const;
          stage.same(await tell({ ...FORM, headers }), expected, `the address with X-Forwarded-For: ${sent}`);
        }
        const others = [FORM_TYPE, ["X-Real-IP", ELSEWHERE], ["Forwarded", `for=${ELSEWHERE}`]] as const;
        stage.same(await tell({ ...FORM, headers: others }), HERE, "the address of who came past the proxy");
      }
    },
  }),
];
