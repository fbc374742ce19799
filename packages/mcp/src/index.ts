/** The public surface of `@sallyport/mcp`: what is the same for every MCP library. Each library has an entry of its own. */
export { getAuthSession, type HandlerContext, type McpAuthSession, type SdkAuthInfo } from "./auth-session.ts";
export type { Authority } from "./authority.ts";
export { OwnedSessions, type OwnedSessionsOptions } from "./owned-sessions.ts";
export type { ToolCheck } from "./tool-access.ts";
export { upstreamTokens } from "./upstream-tokens.ts";
