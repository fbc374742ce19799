/** For the official MCP SDK, version 2: `@modelcontextprotocol/server`. */
import {
  type McpServer,
  OAuthError,
  OAuthErrorCode,
  type OAuthTokenVerifier,
  type RegisteredTool,
  type ScopeChallengeHandler,
  type StandardSchemaWithJSON,
  type ToolCallback,
} from "@modelcontextprotocol/server";
import { type Authority, resourceOf } from "./authority.ts";
import { type Dialect, type GuardedToolConfig, guardServer } from "./guarded-server.ts";
import { type VerifierOptions, verifyToken } from "./token-verification.ts";

/** Registers a tool that only some people may use. */
export interface GuardedTools {
  registerTool<
    OutputArgs extends StandardSchemaWithJSON,
    InputArgs extends StandardSchemaWithJSON | undefined = undefined,
  >(
    name: string,
    config: GuardedToolConfig &
      Pick<RegisteredTool, "title" | "description" | "annotations" | "icons" | "_meta"> & {
        inputSchema?: InputArgs;
        outputSchema?: OutputArgs;
      },
    callback: ToolCallback<InputArgs>,
  ): RegisteredTool;
}

/** Version 2 asks for missing scopes itself, before it begins to answer; it only has to be told which. */
const VERSION_2: Dialect = {
  methodOf: (named) => named,
  registration: (missing) => {
    const scopeChallenge: ScopeChallengeHandler = ({ authInfo }) => {
      const [first, ...more] = missing(authInfo);
      return first === undefined
        ? undefined
        : {
            scopes: [first, ...more],
            errorDescription: "The access token lacks a scope that this operation needs.",
          };
    };
    return { scopeChallenge };
  },
};

/**
 * Guards the tools of an MCP server: from now on `registerTool` takes `canAccess`.
 *
 * Who may not use a tool does not see it and can't call it. Where more scopes would open it, the call is answered with 403 `insufficient_scope` and
 * all scopes that the tool needs, and the client's library asks the person for them.
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
  guardServer(server, auth, VERSION_2);
  return server as GuardedTools & T;
}

/**
 * A verifier for the SDK's bearer middlewares: `requireBearerAuth` of `@modelcontextprotocol/server`, `/express`, `/hono` and `/fastify`.
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
      const code = verified.code === "invalid_token" ? OAuthErrorCode.InvalidToken : OAuthErrorCode.ServerError;
      throw new OAuthError(code, verified.description);
    },
  };
}
