/** Salesforce: production, a sandbox, or a My Domain. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { ConfigurationError, defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { namesIn, personByIdToken } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { hostUrl } from "./vendor-address.ts";

/** The options of {@link salesforce}. Default scopes: `openid profile email offline_access`; add `api` for its REST API. */
export interface SalesforceOptions extends VendorOptions {
  /** Where people sign in: `test.salesforce.com` for sandboxes, or `acme.my.salesforce.com`. Default: `login.salesforce.com`. */
  readonly domain?: string | undefined;
  /** Seconds for which an access token counts as good: the session timeout that is set in Salesforce, whose answers do not tell it. Default: 7200, as is Salesforce's. */
  readonly sessionTimeout?: number | undefined;
}

/**
 * Signs people in with Salesforce.
 *
 * The subject is the person's identity URL, `organizations` the org's id; the claim `instance_url` says where its API is.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_web_server_flow.htm Salesforce: web server flow}
 * @see {@link https://help.salesforce.com/s/articleView?id=sf.remoteaccess_using_userinfo_endpoint.htm Salesforce: UserInfo endpoint}
 */
export function salesforce(options: SalesforceOptions): UpstreamProvider {
  const { domain = "login.salesforce.com", sessionTimeout = 7200 } = options;
  if (!Number.isSafeInteger(sessionTimeout) || sessionTimeout < 1)
    throw new ConfigurationError("sessionTimeout", "must be a whole number of seconds");
  const scopes = ["openid", "profile", "email", "offline_access"];
  return defineUpstream({
    ...vendor(options, { id: "salesforce", name: "Salesforce", scopes, needs: ["openid"] }),
    discovery: { issuer: hostUrl("domain", domain) },
    idTokenVerifier: verifySignature,
    // It names no lifetime, and a token that seems to have none would never be refreshed.
    mapToken: (answer) => ({ expires_in: sessionTimeout, ...answer }),
    // One scope under two names, and the answer has the other one.
    scopeAliases: { refresh_token: "offline_access" },
    // The ID token has the subject and little else.
    userinfo: "always",
    identify: (sources) => ({
      ...personByIdToken(sources),
      organizations: namesIn(sources.userinfo?.organization_id),
      claims: { instance_url: sources.tokenAnswer.instance_url },
    }),
  });
}

/** The options of {@link SalesforceProvider}: every one of the server, and those of {@link salesforce}. */
export interface SalesforceProviderConfig extends PresetConfig, SalesforceOptions {}

/** A server whose people sign in with Salesforce. */
export class SalesforceProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: SalesforceProviderConfig) {
    super(withProvider(config, salesforce(config)));
  }
}
