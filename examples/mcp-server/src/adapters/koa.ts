/** The site on Koa. */
import Router from "@koa/router";
import { oauth, protect } from "@sallyport/koa";
import { toNodeHandler } from "@sallyport/node-http";
import { toAuthInfo } from "@sallyport/oauth-core";
import Koa, { type Middleware } from "koa";
import { type Listener, NOT_ALLOWED, NOT_FOUND, type Page, type Site, TOOLS_SCOPE } from "../site.ts";

export function onKoa({ auth, mcp, mcpUrl, homePaths, home }: Site): Listener {
  // A path that only resembles another is another.
  const router = new Router({ sensitive: true, strict: true });
  router.all(mcpUrl.pathname, protect(auth, { scopes: [TOOLS_SCOPE] }), async (ctx) => {
    const authInfo = toAuthInfo(ctx.state.auth);
    await toNodeHandler((request) => mcp.fetch(request, { authInfo }))(ctx.req, ctx.res);
    ctx.respond = false;
  });
  router.get([...homePaths], sending(home)).all([...homePaths], sending(NOT_ALLOWED));

  return new Koa().use(oauth(auth)).use(router.routes()).use(sending(NOT_FOUND)).callback();
}

function sending({ status, headers, body }: Page): Middleware {
  return (ctx) => {
    ctx.status = status;
    ctx.set(headers);
    ctx.body = body;
  };
}
