/** An MCP server with sign-in on Fastify, as small as one can be. */
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { oauth, protect } from "@sallyport/fastify";
import { toNodeHandler } from "@sallyport/node-http";
import { OAuthProxy, toAuthInfo } from "@sallyport/oauth-core";
import { fastify } from "fastify";

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

const app = fastify();
app.register(oauth(auth));
app.all("/mcp", { onRequest: protect(auth, { scopes: ["mcp:tools"] }) }, async (request, reply) => {
  reply.hijack();
  const context = { authInfo: toAuthInfo(request.auth), parsedBody: request.body };
  await toNodeHandler((asked) => mcp.fetch(asked, context))(request.raw, reply.raw);
});

await app.listen({ port: Number(env["PORT"] ?? 3000), host: "127.0.0.1" });
console.log(`ready ${auth.issuer}`);
