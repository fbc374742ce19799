/** Any OAuth 2.0 server, by its endpoints. RFC 6749. */
import {
  defineUpstream,
  type UpstreamAuthMethod,
  type UpstreamDescriptor,
  type UpstreamProvider,
} from "@sallyport/oauth-core/upstream";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link oauth}. Default scopes: none. */
export interface OAuthOptions extends VendorOptions {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  /** Where it says who a token speaks for: `sub` or `id` of the answer is the subject. Default: none. */
  readonly userinfoEndpoint?: string | undefined;
  /** Where it ends tokens (RFC 7009). Default: none. */
  readonly revocationEndpoint?: string | undefined;
  /** How we authenticate there. Default: `client_secret_basic`. */
  readonly authMethod?: UpstreamAuthMethod | undefined;
  /** Its issuer. With it, `iss` of callbacks (RFC 9207) and of ID tokens is checked. Default: unchecked. */
  readonly issuer?: string | undefined;
  /**
   * Who it is, from everything that was said, and from further requests where they are needed. Default: the standard claims. Without this, a `userinfoEndpoint` or anything else that
   * names somebody, people have another pseudonym in each grant.
   */
  readonly identify?: UpstreamDescriptor["identify"];
}

/**
 * Signs people in at any OAuth 2.0 server, for the options `provider` and `providers`. For a server of its own there is `OAuthProvider`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1 RFC 6749 §4.1}
 * @throws {ConfigurationError} naming the option that can't work
 */
export function oauth(options: OAuthOptions): UpstreamProvider {
  const { authorizationEndpoint, tokenEndpoint, userinfoEndpoint, revocationEndpoint, authMethod, issuer, identify } =
    options;
  const name = URL.canParse(authorizationEndpoint) ? new URL(authorizationEndpoint).host : "OAuth";
  return defineUpstream({
    ...vendor(options, { id: "oauth", name, scopes: [], needs: [] }),
    endpoints: {
      authorization: authorizationEndpoint,
      token: tokenEndpoint,
      userinfo: userinfoEndpoint,
      revocation: revocationEndpoint,
    },
    authMethod,
    issuer,
    identify,
  });
}
