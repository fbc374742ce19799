import { once } from "node:events";
import type { Access } from "@sallyport/oauth-core";
import { type FastifyInstance, type FastifyServerOptions, fastify } from "fastify";
import { expect, expectTypeOf, onTestFinished, test } from "vitest";
import { access, authorization, guard, server } from "../../contracts/test/mounted.ts";
import { oauth, protect } from "./index.ts";

/** An app that is closed when the test is finished. */
function app(options: FastifyServerOptions = {}): FastifyInstance {
  const made = fastify(options);
  onTestFinished(() => made.close());
  return made;
}

test("a guarded route finds the access in request.auth, and knows its type", async () => {
  const made = app();
  made.post("/mcp", { onRequest: protect(guard, { scopes: ["mcp:tools"] }) }, (request) => {
    expectTypeOf(request.auth).toEqualTypeOf<Access>();
    return request.auth;
  });
  const answer = await made.inject({ method: "POST", url: "/mcp", headers: { authorization }, payload: { a: 1 } });
  expect(answer.json()).toEqual(access);
});

test("another route has none, mounted endpoints or not", async () => {
  for (const made of [app(), app().register(oauth(server()))]) {
    made.get("/open", (request) => ({ auth: request.auth ?? "nobody" }));
    expect((await made.inject({ url: "/open", headers: { authorization } })).json()).toEqual({ auth: "nobody" });
  }
});

test.each(["onRequest", "preParsing", "preValidation", "preHandler"] as const)(
  "it guards as a hook of the kind %s, and for all routes of a plug-in",
  async (kind) => {
    const made = app();
    made.register(async (inner) => {
      inner.addHook("onRequest", protect(guard));
      inner.get("/inner", (request) => request.auth.subject);
    });
    made.post("/mcp", { [kind]: protect(guard) }, (request) => request.auth.subject);
    for (const [method, url] of [
      ["GET", "/inner"],
      ["POST", "/mcp"],
    ] as const) {
      expect((await made.inject({ method, url })).statusCode).toBe(401);
      expect((await made.inject({ method, url, headers: { authorization } })).body).toBe("alice");
    }
  },
);

test.each(["/mcp", "/MCP", "/mcp/", "//mcp", "/%6dcp", "/x/../mcp", "/mcp;a=b", "/mcp?a=b", "/mcp%2f", "/mcp/a/b"])(
  "nobody gets to a route by the spelling %s without a token, however lenient the router is",
  async (url) => {
    let reached = 0;
    const made = app({
      routerOptions: {
        ignoreTrailingSlash: true,
        ignoreDuplicateSlashes: true,
        caseSensitive: false,
      },
    });
    for (const path of ["/mcp", "/mcp/*"])
      made.route({
        method: ["GET", "POST"],
        url: path,
        onRequest: protect(server()),
        handler: () => {
          reached += 1;
          return "in";
        },
      });
    for (const method of ["GET", "HEAD", "POST"] as const) {
      const headers = { authorization_: authorization, "x-authorization": authorization };
      expect([401, 404]).toContain((await made.inject({ method, url, headers })).statusCode);
    }
    expect(reached).toBe(0);
  },
);

test("who is refused after going away does not reach the route either", async () => {
  let reached = 0;
  const arrived = Promise.withResolvers<void>();
  const slow = {
    ...guard,
    async protect({ signal }: Request) {
      arrived.resolve();
      await once(signal, "abort");
      return new Response(null, { status: 401 });
    },
  };
  const made = app();
  made.get("/mcp", { onRequest: protect(slow) }, () => {
    reached += 1;
    return "in";
  });
  const origin = await made.listen({ port: 0, host: "127.0.0.1" });
  const leaving = new AbortController();
  const asking = fetch(`${origin}/mcp`, { signal: leaving.signal });
  await arrived.promise;
  leaving.abort();
  await expect(asking).rejects.toThrow();
  // Whatever was still to come of that request has come by the time that another one is answered.
  expect((await fetch(`${origin}/other`)).status).toBe(404);
  expect(reached).toBe(0);
});

test("the HEAD route that Fastify makes of a guarded GET is guarded", async () => {
  const made = app();
  made.get("/mcp", { onRequest: protect(guard) }, () => "in");
  expect((await made.inject({ method: "HEAD", url: "/mcp" })).statusCode).toBe(401);
  expect((await made.inject({ method: "HEAD", url: "/mcp", headers: { authorization } })).statusCode).toBe(200);
});

test("what the route throws is the app's to handle", async () => {
  const made = app();
  made.setErrorHandler((_error, _request, reply) => reply.code(418).send("the app's"));
  made.get("/mcp", { onRequest: protect(guard) }, () => {
    throw new Error("secret");
  });
  const answer = await made.inject({ url: "/mcp", headers: { authorization } });
  expect([answer.statusCode, answer.body]).toEqual([418, "the app's"]);
});

test("a refused request's body is not parsed", async () => {
  const made = app();
  made.post("/mcp", { onRequest: protect(server()) }, () => "in");
  const answer = await made.inject({
    method: "POST",
    url: "/mcp",
    headers: { "content-type": "application/json" },
    payload: "{broken",
  });
  expect([answer.statusCode, answer.body]).toEqual([401, ""]);
  expect(answer.headers["www-authenticate"]).toContain("resource_metadata=");
});
