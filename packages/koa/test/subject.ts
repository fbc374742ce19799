/** The adapter on trial, in an app of Koa. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import Router from "@koa/router";
import type { AdapterApp, AdapterServer, AdapterSubject, AppRoute } from "@sallyport/contracts/adapters";
import type Koa from "koa";
import type { Context, Middleware } from "koa";
import bodyParser from "koa-bodyparser";
import mount from "koa-mount";
import { oauth, protect } from "../src/index.ts";

/** Serves with the major version of Koa whose constructor this is. */
export function koaSubject(App: typeof Koa): AdapterSubject {
  return { serve: (app) => listen(appOf(App, app)) };
}

function appOf(
  App: typeof Koa,
  { auth, routes, prefix, strippedPrefix, parsers, trustsProxy, onError }: AdapterApp,
): Koa {
  const options = { strippedPrefix, onError };
  const router = new Router();
  for (const route of routes) {
    const guards = route.requirement === undefined ? [] : [protect(auth, route.requirement, options)];
    router.register(route.path, ["GET", "POST"], [...guards, handler(route)]);
  }
  const inner = new App();
  if (parsers === "before") inner.use(bodyParser({ formLimit: "1mb" }));
  inner.use(oauth(auth, options));
  if (parsers === "behind") inner.use(bodyParser({ formLimit: "1mb" }));
  inner.use(router.routes());

  const outer = prefix === undefined ? inner : new App().use(mount(prefix, inner));
  if (trustsProxy) Object.assign(outer, { proxy: true, maxIpsCount: 1 });
  // Koa prints what handlers throw.
  outer.silent = true;
  return outer;
}

function handler({ answer }: AppRoute): Middleware {
  return async (ctx: Context) => {
    const gone = once(ctx.res, "close").then(() =>
      ctx.res.writableFinished ? new Promise<void>(() => undefined) : undefined,
    );
    const body = async () => ("body" in ctx.request ? ctx.request.body : text(ctx.req));
    const answered = await answer({ method: ctx.method, access: ctx.state.auth, body, gone });
    ctx.body = typeof answered.body === "object" ? Readable.from(answered.body) : (answered.body ?? null);
    ctx.status = answered.status ?? 200;
    ctx.set(answered.headers ?? {});
  };
}

/** Serves an app on a port that is free. */
export async function listen(app: Pick<Koa, "callback">): Promise<AdapterServer> {
  const server = createServer(app.callback()).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
