/** Okta: OpenID Connect with authorization servers of one's own. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, profileOf, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { personByIdToken, refused } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { given, hostUrl } from "./vendor-address.ts";

/** The options of {@link okta}. Default scopes: `openid profile email offline_access`; add `groups` where the authorization server has it. */
export interface OktaOptions extends VendorOptions {
  /** The organisation's domain, without a scheme: `acme.okta.com`. */
  readonly domain: string;
  /** The authorization server that gives out the tokens. `false` is that of the organisation itself, whose access tokens are for Okta's own API. Default: `default`. */
  readonly authorizationServerId?: string | false | undefined;
  /** What access tokens must be for: the audience of the authorization server. Checked at each sign-in. Default: unchecked. */
  readonly audience?: string | undefined;
}

/**
 * Signs people in with Okta.
 *
 * Roles are the claim of that name; where there is none, groups are roles as well, because only administrators can make one.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://developer.okta.com/docs/concepts/auth-servers/ Okta: authorization servers}
 * @see {@link https://developer.okta.com/docs/guides/customize-tokens-groups-claim/main/ Okta: groups claim}
 */
export function okta(options: OktaOptions): UpstreamProvider {
  const { domain, authorizationServerId = "default", audience } = options;
  const origin = hostUrl("domain", domain);
  const scopes = ["openid", "profile", "email", "offline_access"];
  const needs = ["openid", ...(options.scopes?.includes("groups") ? ["groups"] : [])];
  return defineUpstream({
    ...vendor(options, { id: "okta", name: "Okta", scopes, needs }),
    discovery: {
      issuer:
        authorizationServerId === false
          ? origin
          : `${origin}/oauth2/${encodeURIComponent(given("authorizationServerId", authorizationServerId))}`,
    },
    idTokenVerifier: verifySignature,
    // https://help.okta.com/en-us/Content/topics/security/api-config-claims.htm: beside an access token, the ID token leaves most claims to UserInfo.
    userinfo: "always",
    identify: (sources) => {
      const { idToken, userinfo, accessToken } = sources;
      if (audience !== undefined && ![accessToken?.aud].flat().includes(audience)) throw refused("access token: aud");
      const { groups } = profileOf(idToken, userinfo, { groups: accessToken?.groups });
      const { roles = groups } = profileOf(idToken, userinfo, { roles: accessToken?.roles });
      return { ...personByIdToken(sources), groups, roles };
    },
  });
}

/** The options of {@link OktaProvider}: every one of the server, and those of {@link okta}. */
export interface OktaProviderConfig extends PresetConfig, OktaOptions {}

/** A server whose people sign in with Okta. */
export class OktaProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: OktaProviderConfig) {
    super(withProvider(config, okta(config)));
  }
}
