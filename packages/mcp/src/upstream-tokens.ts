/** The upstream's tokens of the person who calls a tool. They never reach the client; the tool calls the upstream with them. */
import type { LoadedUpstreamTokens } from "@sallyport/oauth-core";
import { authInfoOf, type HandlerContext, type SdkAuthInfo } from "./auth-session.ts";
import type { Authority } from "./authority.ts";

type Loader = Pick<Authority, "loadUpstreamTokens">;

/** Who vouched for a token. The member `extra` is the key, because it stays the same object when a middleware copies the `AuthInfo`. */
const vouchers = new WeakMap<object, Loader>();

/** Remembers for {@link upstreamTokens} which server verified this token. */
export function vouchFor(authInfo: SdkAuthInfo | undefined, auth: Loader): void {
  if (authInfo?.extra !== undefined) vouchers.set(authInfo.extra, auth);
}

/**
 * The upstream's tokens of whoever calls this tool, refreshed first where they are about to expire; `null` where that person has to sign in
 * again. One read of the storage.
 *
 * @param auth the server; needed only where neither `guardTools` nor a verifier of ours saw the request
 * @throws {OAuthProxyError} `temporarily_unavailable` where storage or upstream can't be reached just now
 * @throws {Error} where nobody is signed in, or no server is known
 */
export async function upstreamTokens(ctx: HandlerContext, auth?: Loader): Promise<LoadedUpstreamTokens | null> {
  const authInfo = authInfoOf(ctx);
  const loader = auth ?? (authInfo?.extra === undefined ? undefined : vouchers.get(authInfo.extra));
  if (authInfo === undefined || loader === undefined)
    throw new Error("No server is known for this call. Guard the MCP server with guardTools, or name the server.");
  return loader.loadUpstreamTokens(authInfo.token);
}
