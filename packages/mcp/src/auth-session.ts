/** Who is calling a tool, read from what the MCP SDK hands to its handlers, in both of its versions. */
import type { AuthSession } from "@sallyport/oauth-core";

/** The `AuthInfo` of the MCP SDK, version 1 and 2, as far as it is read here. */
export interface SdkAuthInfo {
  readonly token: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAt?: number | undefined;
  readonly resource?: URL | undefined;
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
}

/** What a handler is called with: `ctx` of version 2, `extra` of version 1. */
export interface HandlerContext {
  /** Version 2. */
  readonly http?: { readonly authInfo?: SdkAuthInfo | undefined } | undefined;
  /** Version 1. */
  readonly authInfo?: SdkAuthInfo | undefined;
}

/** The person behind a request, and what they may do. The token is not part of it. */
export interface McpAuthSession extends AuthSession {
  /** The person, stable for one identity provider. */
  readonly subject: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** All claims of the token. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** The verified token of the request that a handler answers. A context belongs to one request, so this is never another's. */
export function authInfoOf(ctx: HandlerContext): SdkAuthInfo | undefined {
  return ctx.http === undefined ? ctx.authInfo : ctx.http.authInfo;
}

/** The session of a verified token; `undefined` where nobody is signed in, or whoever made the `AuthInfo` named no subject. */
export function sessionOf(authInfo: SdkAuthInfo | undefined): McpAuthSession | undefined {
  const { subject, claims } = authInfo?.extra ?? {};
  if (authInfo === undefined || typeof subject !== "string") return undefined;
  return {
    subject,
    clientId: authInfo.clientId,
    scopes: authInfo.scopes,
    claims: typeof claims === "object" && claims !== null ? (claims as Readonly<Record<string, unknown>>) : {},
  };
}

/**
 * Who calls this tool. Ask it of each call's own context and keep it no longer than the call: an MCP session may outlive a token.
 *
 * @example
 * ```ts
 * server.registerTool("whoami", {}, (ctx) => ({ content: [{ type: "text", text: getAuthSession(ctx).subject }] }));
 * ```
 * @throws {Error} where nobody is signed in: the request did not come through a guard of ours
 */
export function getAuthSession(ctx: HandlerContext): McpAuthSession {
  const session = sessionOf(authInfoOf(ctx));
  if (session === undefined)
    throw new Error("Nobody is signed in. The request reached the tool without passing the guard.");
  return session;
}
