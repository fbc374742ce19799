/** `OAuthProvider`: the generic preset, with the shorter names that presets have. */
import { OAuthProxy } from "./oauth-proxy.ts";
import type { OAuthProxyConfig } from "./options.ts";

/** The options of {@link OAuthProvider}: short names for the upstream, and every other option of {@link OAuthProxyConfig}. */
export interface OAuthProviderConfig
  extends Omit<
    OAuthProxyConfig,
    | "provider"
    | "providers"
    | "upstreamAuthorizationEndpoint"
    | "upstreamTokenEndpoint"
    | "upstreamClientId"
    | "upstreamClientSecret"
    | "upstreamTokenEndpointAuthMethod"
  > {
  /** The upstream's authorization endpoint. */
  authorizationEndpoint: string;
  /** The upstream's token endpoint. */
  tokenEndpoint: string;
  /** How we authenticate there. Default: `client_secret_basic`. */
  tokenEndpointAuthMethod?: "client_secret_basic" | "client_secret_post" | "none";
  /** Our client id at the upstream. */
  clientId: string;
  /** Our client secret at the upstream. */
  clientSecret: string;
}

/** Any OAuth 2.0 or OpenID Connect server as upstream. */
export class OAuthProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: OAuthProviderConfig) {
    const { authorizationEndpoint, tokenEndpoint, tokenEndpointAuthMethod, clientId, clientSecret, ...others } = config;
    super({
      ...others,
      upstreamAuthorizationEndpoint: authorizationEndpoint,
      upstreamTokenEndpoint: tokenEndpoint,
      upstreamClientId: clientId,
      upstreamClientSecret: clientSecret,
      ...(tokenEndpointAuthMethod === undefined ? {} : { upstreamTokenEndpointAuthMethod: tokenEndpointAuthMethod }),
    });
  }
}
