/** Atlassian: OAuth 2.0 (3LO) with Atlassian's own user object. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, profileOf, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { subjectIn } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link atlassian}. Default scopes: `read:me offline_access`; the app needs the User Identity API. */
export interface AtlassianOptions extends VendorOptions {}

/**
 * Signs people in with Atlassian.
 *
 * Jira, Confluence and the others in its cloud. It does not say whether an address is verified, so that no rule on addresses matches.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps/ Atlassian: OAuth 2.0 (3LO) apps}
 */
export function atlassian(options: AtlassianOptions): UpstreamProvider {
  return defineUpstream({
    ...vendor(options, {
      id: "atlassian",
      name: "Atlassian",
      scopes: ["read:me", "offline_access"],
      needs: ["read:me"],
      // Without the first there are no tokens for its APIs; without the second no new scopes for somebody who has consented before.
      params: { audience: "api.atlassian.com", prompt: "consent" },
    }),
    endpoints: {
      authorization: "https://auth.atlassian.com/authorize",
      token: "https://auth.atlassian.com/oauth/token",
      userinfo: "https://api.atlassian.com/me",
    },
    authMethod: "client_secret_post",
    // So it calls a refresh token that has expired or was used before: `refresh_token is invalid`, with 403.
    endsSession: ["unauthorized_client"],
    // Its access tokens are JWTs for its APIs, and no word about the person.
    readAccessToken: false,
    identify: ({ userinfo }) => ({ ...profileOf(userinfo), subject: subjectIn(userinfo?.account_id) }),
  });
}

/** The options of {@link AtlassianProvider}: every one of the server, and those of {@link atlassian}. */
export interface AtlassianProviderConfig extends PresetConfig, AtlassianOptions {}

/** A server whose people sign in with Atlassian. */
export class AtlassianProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: AtlassianProviderConfig) {
    super(withProvider(config, atlassian(config)));
  }
}
