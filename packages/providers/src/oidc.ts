/** Any OpenID Connect provider, by its issuer. OpenID Connect Core 1.0, OpenID Connect Discovery 1.0. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, type UpstreamAuthMethod, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { personByIdToken } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link oidc}. */
export interface OIDCOptions extends VendorOptions {
  /** The issuer, character for character as its discovery document names it. https, or http on a loopback address. */
  readonly issuer: string;
  /** The discovery document. Default: `/.well-known/openid-configuration` below the issuer. */
  readonly discoveryUrl?: string | undefined;
  /** How we authenticate there. Default: what discovery names, `client_secret_basic` before `client_secret_post`. */
  readonly authMethod?: UpstreamAuthMethod | undefined;
  /** What people know it as, where they have a choice. Default: the issuer's host. */
  readonly name?: string | undefined;
  /** Default: `openid profile email`. `openid` is always asked for. `offline_access` is for you to add where the provider gives refresh tokens for it only. */
  readonly scopes?: readonly string[] | undefined;
}

/**
 * Signs people in at any OpenID Connect provider: endpoints by discovery, the ID token with its signature, `iss`, `aud`, `azp`, `exp`, `iat` and `nonce`, and UserInfo,
 * whose `sub` has to be the ID token's.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth OpenID Connect Core §3.1}
 * @throws {ConfigurationError} naming the option that can't work
 */
export function oidc(options: OIDCOptions): UpstreamProvider {
  const { issuer, discoveryUrl } = options;
  return defineUpstream({
    ...vendor(options, { id: "oidc", name: hostOf(issuer), scopes: ["profile", "email"], needs: ["openid"] }),
    authMethod: options.authMethod,
    discovery: { issuer, url: discoveryUrl },
    // OpenID Connect Core §5.4: in the code flow, claims that scopes ask for come from UserInfo, and in the ID token only where a provider is so kind.
    userinfo: "always",
    identify: personByIdToken,
    idTokenVerifier: verifySignature,
  });
}

/** The options of {@link OIDCProvider}: every one of the server, and those of {@link oidc}. */
export interface OIDCProviderConfig extends PresetConfig, OIDCOptions {}

/** A server whose people sign in at an OpenID Connect provider. */
export class OIDCProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: OIDCProviderConfig) {
    super(withProvider(config, oidc(config)));
  }
}

function hostOf(issuer: string): string {
  return URL.canParse(issuer) ? new URL(issuer).host : "OpenID Connect";
}
