/** Clauses about what goes wrong: a bare 500 for the client, the error for the operator, and an end for who has gone away. */

import type { AppRequest, MountedServer } from "./adapter-subject.ts";
import { clause, type Site, type Stage } from "./stage.ts";
import { standIn, targetOf } from "./stand-in.ts";
import type { RawRequest } from "./wire.ts";

const DETAIL = "password=hunter2";

/** Ways to fail. */
const FAILURES: readonly (() => Promise<never>)[] = [
  async () => {
    throw new Error(DETAIL);
  },
  () => {
    throw Object.assign(new TypeError(DETAIL), {
      status: 200,
      statusCode: 200,
      expose: true,
      headers: { "x-detail": DETAIL },
    });
  },
  () => Promise.reject(DETAIL),
];

/** Holds that a request gets a 500 that says nothing, and that whoever operates the server is told. */
async function failsBare(stage: Stage, site: Site, request: RawRequest): Promise<void> {
  const told = site.reported.length;
  const answer = await site.ask(request);
  stage.same([answer.status, answer.bodyBytes], [500, 0], "status and length of the answer");
  stage.hold(!JSON.stringify(answer).includes(DETAIL), "the answer tells what was thrown");
  stage.same(site.reported.length - told, 1, "how often onError was told");
}

export const failures = [
  clause({
    id: "server-throws",
    sentence: "what the server throws becomes a bare 500, is reported, and the next request is answered",
    async play(stage) {
      for (const fail of FAILURES) {
        const handle: MountedServer["handle"] = (request) =>
          targetOf(request) === "/oauth/token" ? fail() : Promise.resolve(undefined);
        const routes = [{ path: "/login", answer: async () => ({ body: "fine" }) }];
        const site = await stage.serve({ auth: standIn({ handle }), routes });
        await failsBare(stage, site, { method: "POST", target: "/oauth/token", body: "" });
        stage.same((await site.ask({ target: "/login" })).body, "fine", "the answer to the next request");
      }
    },
  }),
  clause({
    id: "guard-throws",
    sentence: "what the guard throws becomes a bare 500, is reported, and lets nobody in",
    async play(stage) {
      for (const protect of FAILURES) {
        const reached: AppRequest[] = [];
        const answer = async (asked: AppRequest) => {
          reached.push(asked);
          return { body: "in" };
        };
        const site = await stage.serve({
          auth: standIn({ protect }),
          routes: [{ path: "/mcp", requirement: {}, answer }],
        });
        await failsBare(stage, site, { target: "/mcp", headers: [["Authorization", "Bearer good-alice"]] });
        stage.same(reached.length, 0, "how often the handler was reached");
      }
    },
  }),
  clause({
    id: "abort",
    sentence: "a client that goes away aborts its request, and that is no error",
    async play(stage) {
      const arrived = Promise.withResolvers<void>();
      const aborted = Promise.withResolvers<void>();
      const handle: MountedServer["handle"] = async ({ signal }) => {
        signal.addEventListener("abort", () => aborted.resolve());
        arrived.resolve();
        await aborted.promise;
        signal.throwIfAborted();
        return undefined;
      };
      const site = await stage.serve({ auth: standIn({ handle }) });
      const wire = site.open({ target: "/oauth/authorize" });
      await stage.within(arrived.promise, "the request did not arrive");
      wire.cut();
      await stage.within(aborted.promise, "the signal of the request was not aborted");
      stage.same(site.reported, [], "what was reported as an error");
    },
  }),
];
