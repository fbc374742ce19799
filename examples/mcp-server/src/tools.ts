/** The tools: who you are here, who you are at the identity provider, and one that not everybody may use. */

import { type AuthInfo, type CallToolResult, McpServer } from "@modelcontextprotocol/server";
import { type OAuthProxy, OAuthProxyError, requireRole } from "@sallyport/oauth-core";

/** What the tools need. */
export interface ToolsContext {
  readonly auth: OAuthProxy;
  /** Where the identity provider describes a person; undefined where that is not configured. */
  readonly userinfoEndpoint: string | undefined;
}

const UPSTREAM_TIMEOUT_MS = 10_000;

const answer = (value: unknown): CallToolResult => ({
  content: [{ type: "text", text: JSON.stringify(value, null, 2) }],
});
const refusal = (text: string): CallToolResult => ({ content: [{ type: "text", text }], isError: true });

/**
 * The MCP server for one request of one person.
 *
 * It is made anew for each request, from the token that this request carried: nothing about a person outlives their request, so that no
 * other request can find it.
 */
export function createTools({ auth, userinfoEndpoint }: ToolsContext, person: AuthInfo): McpServer {
  const server = new McpServer({ name: "sallyport-example", title: "Sallyport example", version: "1.0.0" });

  server.registerTool(
    "whoami",
    {
      title: "Who am I?",
      description: "Says who is signed in, through which client, with which scopes and claims.",
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    () => answer({ clientId: person.clientId, scopes: person.scopes, ...person.extra }),
  );

  server.registerTool(
    "upstream_profile",
    {
      title: "My profile at the identity provider",
      description:
        "Asks the identity provider for the profile of the person who is signed in, with that person's own token.",
      annotations: { readOnlyHint: true, openWorldHint: true },
    },
    async () => {
      if (userinfoEndpoint === undefined) return refusal("This server was started without UPSTREAM_USERINFO_ENDPOINT.");
      return upstreamProfile(auth, person.token, userinfoEndpoint);
    },
  );

  server.registerTool(
    "admin_only",
    {
      title: "Administrators only",
      description: "Answers people who have the role admin, and refuses everybody else.",
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    () =>
      requireRole("admin")(person.extra)
        ? answer({ secret: "Only people with the role admin can read this." })
        : refusal("This needs the role admin, which you don't have."),
  );

  return server;
}

async function upstreamProfile(auth: OAuthProxy, token: string, endpoint: string): Promise<CallToolResult> {
  try {
    const upstream = await auth.loadUpstreamTokens(token);
    if (upstream === null) return refusal("The identity provider has ended the session. Sign in again.");
    const response = await fetch(endpoint, {
      headers: { accept: "application/json", authorization: `Bearer ${upstream.accessToken}` },
      // A redirect could lead the person's token elsewhere.
      redirect: "error",
      signal: AbortSignal.timeout(UPSTREAM_TIMEOUT_MS),
    });
    if (!response.ok) return refusal(`The identity provider answered with status ${response.status}.`);
    const profile: unknown = await response.json();
    return answer(profile);
  } catch (error) {
    // What went wrong is for the operator: messages of a failed request can name addresses inside.
    console.error("upstream_profile:", error);
    return refusal(
      error instanceof OAuthProxyError
        ? error.description
        : "The identity provider can't be reached. Try again shortly.",
    );
  }
}
