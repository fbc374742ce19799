/** An MCP server with sign-in for whatever serves a fetch function, as small as one can be: Bun, Deno, Workers. */
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import { OAuthProxy, toAuthInfo } from "@sallyport/oauth-core";

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

export default {
  /** For Bun, which would serve the whole network; the others are told on their command line. */
  hostname: "127.0.0.1",
  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== "/mcp") return auth.fetch(request);
    const access = await auth.protect(request, { scopes: ["mcp:tools"] });
    return access instanceof Response ? access : mcp.fetch(request, { authInfo: toAuthInfo(access) });
  },
};
