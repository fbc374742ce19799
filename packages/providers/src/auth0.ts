/** Auth0: OpenID Connect with organisations. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { namesIn, personByIdToken, refused } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { given, hostUrl } from "./vendor-address.ts";

/** The options of {@link auth0}. Default scopes: `openid profile email offline_access`. */
export interface Auth0Options extends VendorOptions {
  /** The tenant's domain, or one of your own, without a scheme: `acme.eu.auth0.com`. */
  readonly domain: string;
  /** The identifier of the API that access tokens are for. Without one, Auth0 gives out opaque ones that only its own UserInfo takes. */
  readonly audience: string;
  /** The only organisation whose people may sign in, by its id (`org_…`) or its name. Default: any, and none. */
  readonly organization?: string | undefined;
  /** The claim into which an Action of yours puts roles, such as `https://acme.example/roles`: Auth0 has none for them. Default: `roles`. */
  readonly rolesClaim?: string | undefined;
}

/**
 * Signs people in with Auth0.
 *
 * `organizations` of a person is the id of the one that they signed in to.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://auth0.com/docs/secure/tokens/access-tokens/get-access-tokens Auth0: `audience`}
 * @see {@link https://auth0.com/docs/secure/tokens/refresh-tokens/revoke-refresh-tokens Auth0: what can be revoked}
 */
export function auth0(options: Auth0Options): UpstreamProvider {
  const { domain, audience, organization, rolesClaim = "roles" } = options;
  const params = {
    audience: given("audience", audience),
    ...(organization === undefined ? {} : { organization: given("organization", organization) }),
  };
  const scopes = ["openid", "profile", "email", "offline_access"];
  return defineUpstream({
    ...vendor(options, { id: "auth0", name: "Auth0", scopes, needs: ["openid"], params }),
    // The slash is part of the issuer, which tokens are compared with character by character.
    discovery: { issuer: `${hostUrl("domain", domain)}/` },
    idTokenVerifier: verifySignature,
    // Its revocation endpoint takes refresh tokens only.
    revokes: "one",
    identify: (sources) => {
      const { idToken, accessToken } = sources;
      // https://auth0.com/docs/manage-users/organizations/using-tokens: the parameter went through a browser, where anybody can take it out.
      if (
        organization !== undefined &&
        idToken?.[organization.startsWith("org_") ? "org_id" : "org_name"] !== organization
      )
        throw refused("another organisation");
      return {
        ...personByIdToken(sources),
        roles: namesIn(idToken?.[rolesClaim] ?? accessToken?.[rolesClaim]),
        // Ids only: a name is whatever an administrator of the organisation writes.
        organizations: namesIn(idToken?.org_id),
      };
    },
  });
}

/** The options of {@link Auth0Provider}: every one of the server, and those of {@link auth0}. */
export interface Auth0ProviderConfig extends PresetConfig, Auth0Options {}

/** A server whose people sign in with Auth0. */
export class Auth0Provider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: Auth0ProviderConfig) {
    super(withProvider(config, auth0(config)));
  }
}
