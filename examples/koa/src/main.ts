/** An MCP server with sign-in on Koa, as small as one can be. */

import Router from "@koa/router";
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { oauth, protect } from "@sallyport/koa";
import { toNodeHandler } from "@sallyport/node-http";
import { OAuthProxy, toAuthInfo } from "@sallyport/oauth-core";
import Koa from "koa";

const { env } = process;
const auth = new OAuthProxy({
  baseUrl: env["BASE_URL"] ?? "http://127.0.0.1:3000",
  upstreamAuthorizationEndpoint: env["UPSTREAM_AUTHORIZATION_ENDPOINT"] ?? "http://127.0.0.1:4000/authorize",
  upstreamTokenEndpoint: env["UPSTREAM_TOKEN_ENDPOINT"] ?? "http://127.0.0.1:4000/token",
  upstreamClientId: env["UPSTREAM_CLIENT_ID"] ?? "sallyport",
  upstreamClientSecret: env["UPSTREAM_CLIENT_SECRET"] ?? "a-secret-for-demonstrations-only",
  scopes: ["openid", "profile"],
  resourceScopes: ["mcp:tools"],
});

/** Made anew for each request, from the token of that request. */
const mcp = createMcpHandler(({ authInfo }) => {
  const server = new McpServer({ name: "example", version: "1.0.0" });
  server.registerTool("whoami", { description: "Says who is signed in." }, () => ({
    content: [{ type: "text", text: JSON.stringify(authInfo?.extra) }],
  }));
  return server;
});

const router = new Router().all("/mcp", protect(auth, { scopes: ["mcp:tools"] }), async (ctx) => {
  const authInfo = toAuthInfo(ctx.state.auth);
  await toNodeHandler((request) => mcp.fetch(request, { authInfo }))(ctx.req, ctx.res);
  ctx.respond = false;
});

new Koa()
  .use(oauth(auth))
  .use(router.routes())
  .listen(Number(env["PORT"] ?? 3000), "127.0.0.1", () => console.log(`ready ${auth.issuer}`));
