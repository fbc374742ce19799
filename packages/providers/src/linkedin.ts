/** LinkedIn: OpenID Connect without what secures it. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { personOf } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link linkedin}. Default scopes: `openid profile email`. Refresh tokens are for selected partners only; without one the upstream's tokens last 60 days. */
export interface LinkedInOptions extends VendorOptions {}

/**
 * Signs people in with LinkedIn.
 *
 * The subject is a name that LinkedIn has for the person towards this one application.
 *
 * Danger: LinkedIn takes no PKCE from web applications and repeats no nonce, so that nothing binds a code to the browser that fetched it but our own cookie: whoever
 * steals a code from a person's address bar or history before it is redeemed can sign in as them.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://learn.microsoft.com/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2 LinkedIn: Sign in with OpenID Connect}
 * @see {@link https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow LinkedIn: authorization code flow}
 */
export function linkedin(options: LinkedInOptions): UpstreamProvider {
  const scopes = ["openid", "profile", "email"];
  return defineUpstream({
    ...vendor(options, { id: "linkedin", name: "LinkedIn", scopes, needs: ["openid", "profile"] }),
    endpoints: {
      authorization: "https://www.linkedin.com/oauth/v2/authorization",
      token: "https://www.linkedin.com/oauth/v2/accessToken",
      userinfo: "https://api.linkedin.com/v2/userinfo",
    },
    authMethod: "client_secret_post",
    // A `code_verifier` from a web application is answered with `invalid_client`.
    pkce: false,
    // https://github.com/linkedin-developers/linkedin-api-js-client/issues/34: its ID token does not repeat the nonce, and so is none of this sign-in. UserInfo speaks instead.
    mapToken: ({ id_token, ...answer }) => answer,
    identify: personOf,
  });
}

/** The options of {@link LinkedInProvider}: every one of the server, and those of {@link linkedin}. */
export interface LinkedInProviderConfig extends PresetConfig, LinkedInOptions {}

/** A server whose people sign in with LinkedIn. */
export class LinkedInProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: LinkedInProviderConfig) {
    super(withProvider(config, linkedin(config)));
  }
}
