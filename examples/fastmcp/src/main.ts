/** An MCP server with sign-in on FastMCP, as small as one can be, with one tool that not everybody may use. */
import { SallyportProvider, type SallyportSession } from "@sallyport/mcp/fastmcp";
import { OAuthProxy, requireAuth, requireRole } from "@sallyport/oauth-core";
import { FastMCP } from "fastmcp";

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

const provider = new SallyportProvider(auth, { scopes: ["mcp:tools"] });
const server = new FastMCP<SallyportSession>({ name: "example", version: "1.0.0", auth: provider });
provider.mount(server);

server.addTool({
  name: "whoami",
  description: "Says who is signed in.",
  canAccess: requireAuth,
  execute: async (_, { session }) => JSON.stringify({ subject: session?.subject, claims: session?.claims }),
});
server.addTool({
  name: "admin_only",
  description: "Answers people who have the role admin; nobody else sees it.",
  canAccess: requireRole("admin"),
  execute: async () => "Hello, admin.",
});

await server.start({
  transportType: "httpStream",
  httpStream: { host: "127.0.0.1", port: Number(env["PORT"] ?? 3000), stateless: true },
});
console.log(`ready ${auth.issuer}`);
