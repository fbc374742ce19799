/** Keycloak: one realm, with its roles. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { type Claims, defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { claimsIn, namesIn, personByIdToken } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { baseOf } from "./vendor-address.ts";

/** The options of {@link keycloak}. Default scopes: `openid profile email`; add `offline_access` for upstream sessions that outlive Keycloak's own. */
export interface KeycloakOptions extends VendorOptions {
  /** The realm: `https://id.example.com/realms/tools`. */
  readonly realmUrl: string;
}

/**
 * Signs people in with Keycloak.
 *
 * Roles are those of the realm and those of our own client, without a prefix; never those of other clients.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://www.keycloak.org/docs/latest/server_admin/#assigning-permissions-using-roles-and-groups Keycloak: roles and groups}
 * @see {@link https://www.keycloak.org/securing-apps/oidc-layers Keycloak: OpenID Connect endpoints}
 */
export function keycloak(options: KeycloakOptions): UpstreamProvider {
  const rolesOf = (claims: Claims | undefined): readonly string[] => [
    ...(namesIn(claimsIn(claims?.realm_access)?.roles) ?? []),
    // Another client's `admin` is not ours.
    ...(namesIn(claimsIn(claimsIn(claims?.resource_access)?.[options.clientId])?.roles) ?? []),
    ...(namesIn(claims?.roles) ?? []),
  ];
  return defineUpstream({
    ...vendor(options, { id: "keycloak", name: "Keycloak", scopes: ["openid", "profile", "email"], needs: ["openid"] }),
    discovery: { issuer: baseOf("realmUrl", options.realmUrl) },
    idTokenVerifier: verifySignature,
    identify: (sources) => {
      const { idToken, userinfo, accessToken } = sources;
      // As Keycloak is set up by default, roles stand in the access token only.
      const roles = new Set([idToken, userinfo, accessToken].flatMap(rolesOf));
      return { ...personByIdToken(sources), roles: [...roles] };
    },
  });
}

/** The options of {@link KeycloakProvider}: every one of the server, and those of {@link keycloak}. */
export interface KeycloakProviderConfig extends PresetConfig, KeycloakOptions {}

/** A server whose people sign in with Keycloak. */
export class KeycloakProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: KeycloakProviderConfig) {
    super(withProvider(config, keycloak(config)));
  }
}
