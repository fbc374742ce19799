import Router from "@koa/router";
import Koa from "koa";
import bodyParser from "koa-bodyparser";
import Koa2 from "koa2";
import { describe, expect, onTestFinished, test } from "vitest";
import { server } from "../../contracts/test/mounted.ts";
import { listen } from "../test/subject.ts";
import { oauth } from "./index.ts";

/** Serves until the test is finished, and gives the origin. */
async function serve(app: Pick<Koa, "callback">): Promise<string> {
  const { port, close } = await listen(app);
  onTestFinished(close);
  return `http://127.0.0.1:${port}`;
}

const METADATA = "/.well-known/oauth-authorization-server";

describe.each([
  ["Koa 3", Koa],
  ["Koa 2", Koa2],
])("%s", (_, App) => {
  test("RFC 8414 §3: the metadata document is the server's own", async () => {
    const auth = server();
    const origin = await serve(new App().use(oauth(auth)));
    const [answer, own] = [
      await fetch(origin + METADATA),
      await auth.fetch(new Request(`https://mcp.example.com${METADATA}`)),
    ];
    expect([answer.status, await answer.json()]).toEqual([200, await own.json()]);
    expect(answer.headers.get("cache-control")).toBe(own.headers.get("cache-control"));
  });

  test("middleware in front sees the answer, and that Koa has nothing left to do", async () => {
    const seen: unknown[] = [];
    const app = new App().use(async (ctx, next) => {
      await next();
      seen.push(ctx.status, ctx.respond);
      ctx.set("x-late", "1");
    });
    const origin = await serve(app.use(oauth(server())));
    const answer = await fetch(origin + METADATA);
    expect([answer.status, answer.headers.get("x-late")]).toEqual([200, null]);
    expect(seen).toEqual([200, false]);
  });

  test("RFC 6749 §3.1: a parameter that is given twice is refused, whether a parser stands in front or not", async () => {
    for (const parsers of [[], [bodyParser()]]) {
      const app = new App();
      for (const parser of parsers) app.use(parser);
      const origin = await serve(app.use(oauth(server())));
      const body = new URLSearchParams("grant_type=authorization_code&code=1&code=2");
      const answer = await fetch(`${origin}/oauth/token`, { method: "POST", body });
      expect([answer.status, await answer.json()]).toMatchObject([400, { error: "invalid_request" }]);
    }
  });

  test("RFC 7591 §3: a client registers behind a parser", async () => {
    const origin = await serve(new App().use(bodyParser()).use(oauth(server())));
    const answer = await fetch(`${origin}/oauth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ redirect_uris: ["http://127.0.0.1/cb"], client_name: "é😀" }),
    });
    expect([answer.status, await answer.json()]).toMatchObject([201, { client_name: "é😀" }]);
  });

  test("what a parser can't keep is read from the text that koa-bodyparser does keep", async () => {
    const form = `a[b]=1&a[b][c]=2&${"d=1&".repeat(30)}%zz=%ff`;
    const handle = async (request: Request) => new Response(await request.text());
    const origin = await serve(new App().use(bodyParser()).use(oauth({ handle })));
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    expect(await (await fetch(origin, { method: "POST", headers, body: form })).text()).toBe(form);
  });

  test("a router behind it gets what is left", async () => {
    const router = new Router().all("/token", (ctx) => {
      ctx.body = "the app";
    });
    const origin = await serve(new App().use(oauth(server())).use(router.routes()));
    expect(await (await fetch(`${origin}/token`)).text()).toBe("the app");
    expect((await fetch(`${origin}/login`)).status).toBe(404);
  });

  test("inside another framework, the path that this one has cut off still counts", async () => {
    const app = new App().use(async (ctx, next) => {
      Object.assign(ctx.req, { originalUrl: `/outer${ctx.url}` });
      await next();
    });
    const origin = await serve(app.use(oauth(server())));
    expect((await fetch(origin + METADATA)).status).toBe(404);
  });
});
