/** What this package needs of an authorization server: an `OAuthProxy`, or whatever answers like one. */
import type { OAuthProxy } from "@sallyport/oauth-core";

/** The part of an {@link OAuthProxy} that stands behind the tools of an MCP server. */
export type Authority = Pick<
  OAuthProxy,
  "protect" | "resources" | "impliedScopes" | "getAuthorizationServerMetadata" | "loadUpstreamTokens"
>;

/** The resource to check tokens for. @throws {Error} where there are several and none is named: a token for one would open another */
export function resourceOf(auth: Pick<Authority, "resources">, named: string | undefined): string {
  const [only, ...more] = auth.resources;
  const resource = named ?? (more.length === 0 ? only : undefined);
  if (resource === undefined) throw new Error("The server protects several resources. Name the one that this is.");
  return resource;
}
