/** An MCP server with sign-in on version 1 of the official SDK, as small as one can be, with one tool that needs a scope of its own. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { oauth, protect } from "@sallyport/express";
import { getAuthSession } from "@sallyport/mcp";
import { guardTools } from "@sallyport/mcp/v1";
import { OAuthProxy, requireScopes } from "@sallyport/oauth-core";
import express from "express";

const { env } = process;
const auth = new OAuthProxy({
  baseUrl: env["BASE_URL"] ?? "http://127.0.0.1:3000",
  upstreamAuthorizationEndpoint: env["UPSTREAM_AUTHORIZATION_ENDPOINT"] ?? "http://127.0.0.1:4000/authorize",
  upstreamTokenEndpoint: env["UPSTREAM_TOKEN_ENDPOINT"] ?? "http://127.0.0.1:4000/token",
  upstreamClientId: env["UPSTREAM_CLIENT_ID"] ?? "sallyport",
  upstreamClientSecret: env["UPSTREAM_CLIENT_SECRET"] ?? "a-secret-for-demonstrations-only",
  scopes: ["openid", "profile"],
  resourceScopes: ["mcp:tools", "notes:write"],
  defaultScopes: ["mcp:tools"],
});

/** Made anew for each request; who is asking stands in what the tool is called with. */
function createServer(): McpServer {
  const server = guardTools(new McpServer({ name: "example", version: "1.0.0" }), auth);
  server.registerTool("whoami", { description: "Says who is signed in." }, (extra) => ({
    content: [{ type: "text", text: JSON.stringify(getAuthSession(extra)) }],
  }));
  server.registerTool(
    "write_note",
    { description: "Pretends to write a note.", canAccess: requireScopes("mcp:tools", "notes:write") },
    () => ({ content: [{ type: "text", text: "written" }] }),
  );
  return server;
}

const app = express();
app.use(oauth(auth));
app.all(
  "/mcp",
  protect(auth, { scopes: ["mcp:tools"] }, async (req, res) => {
    const server = createServer();
    const transport = new StreamableHTTPServerTransport({});
    res.once("close", () => void server.close());
    // The SDK's own types disagree about members that may be undefined.
    await server.connect(transport as Transport);
    await transport.handleRequest(req, res);
  }),
);

app.listen(Number(env["PORT"] ?? 3000), "127.0.0.1", () => console.log(`ready ${auth.issuer}`));
