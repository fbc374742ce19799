/** ZITADEL: OpenID Connect with reserved scopes. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import { type Claims, defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { claimsIn, namesIn, personByIdToken, refused } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";
import { baseOf, given } from "./vendor-address.ts";

/** The options of {@link zitadel}. Default scopes: `openid profile email offline_access`, and the reserved ones that the other options need. */
export interface ZitadelOptions extends VendorOptions {
  /** The instance: `https://acme.zitadel.cloud`. */
  readonly instanceUrl: string;
  /** The project whose roles count, and that access tokens are for. Default: that of the application, where it asserts roles. */
  readonly projectId?: string | undefined;
  /** The only organisation whose people may sign in, and whose roles count, by its id. Default: any. */
  readonly organization?: string | undefined;
}

const OWNER = "urn:zitadel:iam:user:resourceowner";

/**
 * Signs people in with ZITADEL.
 *
 * Roles are the keys of the project's roles, `organizations` is the id of the one that the account belongs to.
 *
 * @throws {ConfigurationError} naming the option that can't work
 * @see {@link https://zitadel.com/docs/apis/openidoauth/scopes ZITADEL: scopes}
 * @see {@link https://zitadel.com/docs/apis/openidoauth/claims ZITADEL: claims}
 */
export function zitadel(options: ZitadelOptions): UpstreamProvider {
  const { instanceUrl, projectId, organization } = options;
  const needs = [
    "openid",
    OWNER,
    ...(organization === undefined ? [] : [`urn:zitadel:iam:org:id:${given("organization", organization)}`]),
    ...(projectId === undefined
      ? []
      : [`urn:zitadel:iam:org:project:id:${given("projectId", projectId)}:aud`, "urn:zitadel:iam:org:projects:roles"]),
  ];
  const scopes = ["openid", "profile", "email", "offline_access"];
  const rolesClaim = `urn:zitadel:iam:org:project:${projectId === undefined ? "" : `${projectId}:`}roles`;
  return defineUpstream({
    ...vendor(options, { id: "zitadel", name: "ZITADEL", scopes, needs }),
    discovery: { issuer: baseOf("instanceUrl", instanceUrl) },
    idTokenVerifier: verifySignature,
    // Beside an access token, the ID token leaves the person's claims to UserInfo.
    userinfo: "always",
    identify: (sources) => {
      const said: Claims = { ...sources.userinfo, ...sources.idToken };
      const owner = said[`${OWNER}:id`];
      // The scope that asks for it went through a browser, where anybody can take it out.
      if (organization !== undefined && owner !== organization) throw refused("another organisation");
      return {
        ...personByIdToken(sources),
        roles: rolesIn(said[rolesClaim], organization),
        organizations: namesIn(owner),
      };
    },
  });
}

/** The options of {@link ZitadelProvider}: every one of the server, and those of {@link zitadel}. */
export interface ZitadelProviderConfig extends PresetConfig, ZitadelOptions {}

/** A server whose people sign in with ZITADEL. */
export class ZitadelProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: ZitadelProviderConfig) {
    super(withProvider(config, zitadel(config)));
  }
}

/** `{ "editor": { "<organisation>": "<its domain>" } }`: a role, and in which organisations it was given. */
function rolesIn(value: unknown, organization: string | undefined): readonly string[] | undefined {
  const granted = claimsIn(value);
  if (granted === undefined) return undefined;
  const counts = (places: unknown) => organization === undefined || Object.hasOwn(claimsIn(places) ?? {}, organization);
  return Object.keys(granted).filter((role) => counts(granted[role]));
}
