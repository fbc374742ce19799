/** For the official MCP SDK, version 1: `@modelcontextprotocol/sdk`. */
import { InvalidTokenError, ServerError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import type { OAuthTokenVerifier } from "@modelcontextprotocol/sdk/server/auth/provider.js";
import type { McpServer, RegisteredTool, ToolCallback } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { AnySchema, ZodRawShapeCompat } from "@modelcontextprotocol/sdk/server/zod-compat.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { type Authority, resourceOf } from "./authority.ts";
import { type Dialect, type GuardedToolConfig, guardServer, replaceMethod } from "./guarded-server.ts";
import { askForScopes } from "./step-up.ts";
import { type VerifierOptions, verifyToken } from "./token-verification.ts";

/** Registers a tool that only some people may use. */
export interface GuardedTools {
  registerTool<
    OutputArgs extends ZodRawShapeCompat | AnySchema,
    InputArgs extends undefined | ZodRawShapeCompat | AnySchema = undefined,
  >(
    name: string,
    config: GuardedToolConfig &
      Pick<RegisteredTool, "title" | "description" | "annotations" | "_meta"> & {
        inputSchema?: InputArgs;
        outputSchema?: OutputArgs;
      },
    callback: ToolCallback<InputArgs>,
  ): RegisteredTool;
}

const METHODS: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [ListToolsRequestSchema, "tools/list"],
  [CallToolRequestSchema, "tools/call"],
]);

const VERSION_1: Dialect = { methodOf: (schema) => METHODS.get(schema) };

/**
 * Guards the tools of an MCP server: from now on `registerTool` takes `canAccess`.
 *
 * Who may not use a tool does not see it and can't call it. Where more scopes would open it, the call is answered with 403 `insufficient_scope` and
 * all scopes that the tool needs, and the client's library asks the person for them. Version 1 can't do that itself, so the HTTP transport that the
 * server is connected to looks at the body of a request before it begins to answer.
 *
 * @example
 * ```ts
 * const server = guardTools(new McpServer({ name: "notes", version: "1.0.0" }), auth);
 * server.registerTool("delete_note", { canAccess: requireScopes("notes:write") }, () => ({ content: [] }));
 * ```
 * @throws {Error} where the server has tools already
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 RFC 6750 §3.1} `insufficient_scope`
 */
export function guardTools<T extends McpServer>(server: T, auth: Authority): GuardedTools & T {
  const access = guardServer(server, auth, VERSION_1);
  replaceMethod(server, "connect", (connect) => (transport) => {
    askForScopes(transport, access, auth);
    return connect(transport);
  });
  return server as GuardedTools & T;
}

/**
 * A verifier for the SDK's `requireBearerAuth`.
 *
 * Tokens are good for the one resource only. While it can't be known whether a token is good, the answer is 500 and not 401.
 *
 * @example
 * ```ts
 * app.use("/mcp", requireBearerAuth({ verifier: tokenVerifier(auth), resourceMetadataUrl }));
 * ```
 * @throws {Error} where the server protects several resources and none is named
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2}
 */
export function tokenVerifier(auth: Authority, options: VerifierOptions = {}): OAuthTokenVerifier {
  const resource = resourceOf(auth, options.resource);
  return {
    async verifyAccessToken(token) {
      const verified = await verifyToken(auth, token, resource);
      if (!("code" in verified)) return verified;
      throw new (verified.code === "invalid_token" ? InvalidTokenError : ServerError)(verified.description);
    },
  };
}
