/** The tools: who you are here, and your notes, which one scope lets an application read and another one write. */
import { type CallToolResult, McpServer } from "@modelcontextprotocol/server";
import type { OAuthServer } from "@sallyport/accounts";
import { getAuthSession } from "@sallyport/mcp";
import { guardTools } from "@sallyport/mcp/v2";
import { requireScopes } from "@sallyport/oauth-core";
import type { Notes } from "./notes.ts";

/** The scope without which no tool can be used. */
export const READ_SCOPE = "notes:read";
/** The scope for adding notes. */
export const WRITE_SCOPE = "notes:write";

const answer = (value: unknown): CallToolResult => ({
  content: [{ type: "text", text: JSON.stringify(value, null, 2) }],
});

/** The MCP server for one request: who is asking stands in what the tool is called with. */
export function createTools(auth: OAuthServer, notes: Notes): McpServer {
  const server = guardTools(
    new McpServer({ name: "sallyport-accounts-example", title: "Sallyport accounts example", version: "1.0.0" }),
    auth,
  );

  server.registerTool(
    "whoami",
    {
      title: "Who am I?",
      description: "Says who is signed in, through which application, with which scopes and claims.",
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (ctx) => {
      const { subject, clientId, scopes, claims } = getAuthSession(ctx);
      return answer({ subject, clientId, scopes, claims });
    },
  );

  server.registerTool(
    "list_notes",
    {
      title: "My notes",
      description: "Lists the notes of the person who is signed in.",
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    (ctx) => answer(notes.of(getAuthSession(ctx).subject)),
  );

  server.registerTool(
    "add_note",
    {
      title: "Add a note",
      description: "Notes the time, for the person who is signed in. Needs the scope notes:write.",
      annotations: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
      canAccess: requireScopes(READ_SCOPE, WRITE_SCOPE),
    },
    (ctx) => answer(notes.add(getAuthSession(ctx).subject, `Noted at ${new Date().toISOString()}`)),
  );

  return server;
}
