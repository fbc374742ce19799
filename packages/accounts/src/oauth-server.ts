/** `OAuthServer`: the whole authorization server with users of its own; the same engine as `OAuthProxy`, and nothing upstream. OAuth 2.1. */
import { ConfigurationError, OAuthProxy, type OAuthProxyConfig } from "@sallyport/oauth-core";
import type { UpstreamProvider } from "@sallyport/oauth-core/upstream";
import type { Accounts } from "./accounts.ts";

/** Options that are about an upstream, of which there is none. */
type UpstreamOnly = Extract<keyof OAuthProxyConfig, `upstream${string}`> | "extraAuthorizationParams" | "provider";
/** Options that would hand out an upstream's tokens. */
type PassThroughOnly = "enableTokenSwap" | "passThroughAudienceCheck" | "forwardPkce";

/** The options of {@link OAuthServer}: those of `OAuthProxy` that do not need an upstream. */
export interface OAuthServerConfig
  extends Omit<OAuthProxyConfig, UpstreamOnly | PassThroughOnly | "resourceScopes" | "scopes" | "secret"> {
  /** Our own users. */
  accounts: Accounts;
  /** What can be granted: `["notes:read", "notes:write"]`. Shown on the consent page in the words of `scopeDescriptions`. Default: none. */
  scopes?: readonly string[] | undefined;
  /** At least 32 bytes, from which every key is derived; a list to rotate: the first signs, all verify. Make one with: `openssl rand -base64 32`. */
  secret: string | readonly string[];
  /** Further places to sign in, offered beside the accounts; people can link them with their account. Default: none. */
  providers?: readonly UpstreamProvider[] | undefined;
}

/**
 * A complete OAuth 2.1 authorization server.
 *
 * @example
 * ```ts
 * const accounts = new Accounts();
 * const auth = new OAuthServer({
 *   baseUrl: "https://mcp.example.com",
 *   secret: process.env.SECRET ?? "",
 *   accounts,
 *   scopes: ["notes:read", "notes:write"],
 *   clients: [{ clientId: "notes-app", clientSecret: process.env.CLIENT_SECRET, redirectUris: ["https://notes.example.com/callback"], trusted: true }],
 * });
 * ```
 * @see {@link https://datatracker.ietf.org/doc/html/draft-ietf-oauth-v2-1 OAuth 2.1}
 */
export class OAuthServer extends OAuthProxy {
  /** Our own users, with the functions for operators. */
  readonly accounts: Accounts;

  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: OAuthServerConfig) {
    const { accounts, scopes, providers = [], ...others } = config;
    if (typeof accounts?.createUser !== "function") throw new ConfigurationError("accounts", "is missing");
    // What usually leads here is an environment variable that isn't set.
    if (others.secret === undefined || others.secret === "")
      throw new ConfigurationError("secret", "is missing; make one with: openssl rand -base64 32");
    super({
      ...others,
      ...(scopes === undefined ? {} : { resourceScopes: scopes }),
      ...(providers.length === 0 ? { provider: accounts } : { providers: [accounts, ...providers] }),
    });
    this.accounts = accounts;
  }
}
