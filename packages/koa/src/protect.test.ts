import { once } from "node:events";
import Router from "@koa/router";
import type { Access } from "@sallyport/oauth-core";
import Koa from "koa";
import Koa2 from "koa2";
import { describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { access, authorization, guard, server } from "../../contracts/test/mounted.ts";
import { listen } from "../test/subject.ts";
import { protect } from "./index.ts";

/** Serves until the test is finished, and gives the origin. */
async function serve(app: Pick<Koa, "callback">): Promise<string> {
  const { port, close } = await listen(app);
  onTestFinished(close);
  return `http://127.0.0.1:${port}`;
}

describe.each([
  ["Koa 3", Koa],
  ["Koa 2", Koa2],
])("%s", (_, App) => {
  test("a chain behind the guard finds the access in ctx.state.auth, and knows its type", async () => {
    const app = new App<Koa.DefaultState>().use(protect(guard, { scopes: ["mcp:tools"] })).use((ctx) => {
      expectTypeOf(ctx.state.auth).toEqualTypeOf<Access>();
      ctx.body = ctx.state.auth;
    });
    const answer = await fetch(await serve(app), { headers: { authorization } });
    expect(await answer.json()).toEqual(access);
  });

  test("a route of @koa/router behind the guard does as well", async () => {
    const router = new Router().post("/mcp", protect(guard), (ctx) => {
      expectTypeOf(ctx.state.auth).toEqualTypeOf<Access>();
      ctx.body = ctx.state.auth.subject;
    });
    const origin = await serve(new App().use(router.routes()));
    const answer = await fetch(`${origin}/mcp`, { method: "POST", headers: { authorization } });
    expect(await answer.text()).toBe("alice");
  });

  test.each(["/mcp", "/MCP", "/mcp/", "//mcp", "/%6dcp", "/x/../mcp", "/mcp;a=b", "/mcp?a=b", "/mcp%2f"])(
    "nobody gets to a route by the spelling %s without a token",
    async (path) => {
      let reached = 0;
      const router = new Router({ sensitive: false, strict: false }).all("/mcp{/*rest}", protect(server()), (ctx) => {
        reached += 1;
        ctx.body = "in";
      });
      const origin = await serve(new App().use(router.routes()));
      const answer = await fetch(origin + path, { headers: { "x-authorization": authorization, authorization_: "x" } });
      expect([401, 404]).toContain(answer.status);
      expect(reached).toBe(0);
    },
  );

  test("what the route throws is the app's to handle", async () => {
    const app = new App()
      .use(async (ctx, next) => {
        try {
          await next();
        } catch {
          ctx.status = 418;
        }
      })
      .use(protect(guard))
      .use(() => {
        throw new Error("the app's");
      });
    expect((await fetch(await serve(app), { headers: { authorization } })).status).toBe(418);
  });

  test("who is refused after going away does not reach the route either", async () => {
    let reached = 0;
    const states: unknown[] = [];
    const arrived = Promise.withResolvers<void>();
    const refused = Promise.withResolvers<void>();
    const slow = {
      ...guard,
      async protect({ signal }: Request) {
        arrived.resolve();
        await once(signal, "abort");
        return new Response(null, { status: 401 });
      },
    };
    const app = new App()
      .use(async (ctx, next) => {
        await next();
        states.push(ctx.respond);
        refused.resolve();
      })
      .use(protect(slow))
      .use(() => {
        reached += 1;
      });
    const leaving = new AbortController();
    const asking = fetch(await serve(app), { signal: leaving.signal });
    await arrived.promise;
    leaving.abort();
    await expect(asking).rejects.toThrow();
    await refused.promise;
    expect([reached, states]).toEqual([0, [false]]);
  });

  test("a refusal ends the chain, and Koa adds nothing to it", async () => {
    let reached = false;
    const app = new App().use(protect(server())).use(() => {
      reached = true;
    });
    const answer = await fetch(await serve(app));
    expect([answer.status, await answer.text(), reached]).toEqual([401, "", false]);
    expect(answer.headers.get("www-authenticate")).toContain("resource_metadata=");
  });
});
