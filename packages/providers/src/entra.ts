/** Microsoft Entra ID, once Azure Active Directory: work and school accounts, and personal ones. */
import { OAuthProxy, type PresetConfig } from "@sallyport/oauth-core";
import {
  type Claims,
  ConfigurationError,
  defineUpstream,
  type IdentifiedPerson,
  type IdentitySources,
  type IssuerCheck,
  profileOf,
  type UpstreamProvider,
} from "@sallyport/oauth-core/upstream";
import { including, withProvider } from "./application.ts";
import { verifySignature } from "./id-token-signature.ts";
import { claimsIn, namesIn, refused } from "./openid-person.ts";
import { type VendorOptions, vendor } from "./vendor.ts";

/** The options of {@link entra}. */
export interface EntraOptions extends VendorOptions {
  /**
   * Whose accounts may sign in: the id of one directory; `organizations`, every work or school account of the world; `consumers`, personal accounts; `common`, both. Default:
   * `common`. Danger of all but an id: anybody can make a directory of their own, so keep people out with `allow: { tenants: [...] }`.
   */
  readonly tenantId?: string | undefined;
  /**
   * Default: `openid profile email`. `openid`, `profile` and `offline_access` are always asked for. A bare name is one of Microsoft Graph (`User.Read`), or of your own API
   * where there is an `identifierUri`; those of another API are written with it: `https://vault.azure.net/user_impersonation`. A token is for one API only: the one
   * whose scope comes first.
   */
  readonly scopes?: readonly string[] | undefined;
  /** The "Application ID URI" of your own API, such as `api://<client id>`: with it, bare names in `scopes` are that API's. */
  readonly identifierUri?: string | undefined;
  /** Of a national cloud: `https://login.microsoftonline.us`, `https://login.partner.microsoftonline.cn`. Default: `https://login.microsoftonline.com`. */
  readonly authority?: string | undefined;
}

/** The directory that every personal account is in. @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference Microsoft: ID token claims, `tid`} */
const CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad";
const SHARED: readonly string[] = ["common", "organizations", "consumers"];
const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
/** Microsoft Graph, in every cloud. @see {@link https://learn.microsoft.com/en-us/graph/deployments Microsoft: national cloud deployments} */
const GRAPH =
  /^https:\/\/(?:graph\.microsoft\.(?:com|us)|dod-graph\.microsoft\.us|microsoftgraph\.chinacloudapi\.cn)(?:\/|$)/i;

/** Of no API in particular. They never take a prefix. */
const OPENID: ReadonlySet<string> = new Set(["openid", "profile", "email", "offline_access"]);

/** `oid` comes with `profile` only, and a refresh token with `offline_access` only. */
const ALWAYS: readonly string[] = ["openid", "profile", "offline_access"];

/**
 * Signs people in with Microsoft Entra ID.
 *
 * The subject is `<oid>.<tid>`: the account's id in its directory, and the directory's. `sub` is another one for each application. `tenant` is the directory, `roles` are app
 * roles. `emailVerified` is `true` only where Entra says so by `xms_edov` or a verified address: whoever administers a directory writes what they like into `email`.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow Microsoft: authorization code flow}
 * @throws {ConfigurationError} naming the option that can't work
 */
export function entra(options: EntraOptions): UpstreamProvider {
  const { extraAuthorizationParams = {}, identifierUri, scopes: configured = ["email"] } = options;
  const tenant = tenantOf(options.tenantId ?? "common");
  const authority = authorityOf(options.authority ?? "https://login.microsoftonline.com");
  const scopes = including(
    ALWAYS,
    configured.map((word) => qualified(word, identifierUri)),
  );
  // AADSTS901002: "The 'resource' request parameter is not supported."
  if (Object.hasOwn(extraAuthorizationParams, "resource"))
    throw new ConfigurationError(
      "extraAuthorizationParams",
      "must have no resource, which Entra refuses; a scope names its API",
    );
  const base = `${authority}/${tenant}`;
  return defineUpstream({
    ...vendor({ ...options, scopes }, { id: "entra", name: "Microsoft", scopes, needs: ALWAYS }),
    authMethod: "client_secret_post",
    // Given and not discovered: a shared tenant's document has a template for an issuer, and names no code challenge method.
    endpoints: {
      authorization: `${base}/oauth2/v2.0/authorize`,
      token: `${base}/oauth2/v2.0/token`,
      jwks: `${base}/discovery/v2.0/keys`,
    },
    issuer: issuerCheck(authority, tenant),
    // AADSTS28003: without scope a code for several APIs is not redeemed; AADSTS28000: nor with scopes of more than one.
    tokenParams: ({ scope }) => ({
      scope: forOneApi(scopes.filter((word) => OPENID.has(word) || scope.includes(word))).join(" "),
    }),
    mapToken: (answer) => ({ ...answer, scope: grantedScope(answer, scopes) }),
    // It is for the API that it was asked for, and Graph's is not even a proper JWT.
    readAccessToken: false,
    userinfo: "never",
    // AADSTS50076 and 50079: a second factor is wanted now, and no refresh ever brings one.
    endsSession: ["interaction_required"],
    identify: identification(),
    idTokenVerifier: verifySignature,
  });
}

/** The options of {@link EntraProvider}: every one of the server, and those of {@link entra}. */
export interface EntraProviderConfig extends PresetConfig, EntraOptions {}

/** A server whose people sign in with Microsoft Entra ID. */
export class EntraProvider extends OAuthProxy {
  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: EntraProviderConfig) {
    super(withProvider(config, entra(config)));
  }
}

/** {@link EntraProvider} by the service's former name. */
export { EntraProvider as AzureProvider };
/** {@link EntraProviderConfig} by the service's former name. */
export type AzureProviderConfig = EntraProviderConfig;

function tenantOf(tenantId: string): string {
  const tenant = String(tenantId).toLowerCase();
  // A domain's name would do for Entra, but what stands in tokens is the id, and a name can pass to another directory.
  if (!SHARED.includes(tenant) && !GUID.test(tenant))
    throw new ConfigurationError(
      "tenantId",
      "must be common, organizations, consumers, or the id of a directory, and not its name",
    );
  return tenant;
}

function authorityOf(authority: string): string {
  const url = URL.canParse(authority) ? new URL(authority) : undefined;
  if (url === undefined || url.pathname !== "/" || url.search !== "" || url.hash !== "")
    throw new ConfigurationError("authority", "must be an origin such as https://login.microsoftonline.us");
  return url.origin;
}

/**
 * The issuer has the directory inside, and the token says once more which one it is: both have to be the same, and one that may sign in. Keys are shared by all directories,
 * so nothing else tells them apart.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens#multitenant-applications Microsoft: validate the issuer in multitenant applications}
 */
function issuerCheck(authority: string, tenant: string): IssuerCheck {
  const isAdmitted = (tid: string) =>
    GUID.test(tid) &&
    (tenant === "common" ||
      (tenant === "organizations" && tid !== CONSUMERS) ||
      (tenant === "consumers" && tid === CONSUMERS) ||
      tenant === tid);
  return (issuer, claims) => {
    const [before, tid = "", after] = [
      issuer.slice(0, authority.length + 1),
      issuer.slice(authority.length + 1, -"/v2.0".length),
      issuer.slice(-"/v2.0".length),
    ];
    if (before !== `${authority}/` || after !== "/v2.0" || !isAdmitted(tid)) return false;
    return claims === undefined || claims.tid === tid;
  };
}

/** A name as Entra knows it: the API's, with the API in front. */
function qualified(word: string, identifierUri: string | undefined): string {
  const isWhole = OPENID.has(word) || word.includes("://") || identifierUri === undefined;
  return isWhole ? word : `${identifierUri.replace(/\/$/, "")}/${word}`;
}

/** The API that a scope is of: what stands before its last part. Graph, which bare names belong to, is the empty one. */
function apiOf(word: string): string {
  const name = normalized(word);
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

/**
 * Scopes as one token request may have them: those of the first API, and of none.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc#the-scope-parameter Microsoft: a token is for one resource}
 */
function forOneApi(scopes: readonly string[]): readonly string[] {
  const first = scopes.find((word) => !OPENID.has(word));
  return scopes.filter((word) => OPENID.has(word) || apiOf(word) === apiOf(first ?? word));
}

/**
 * What was granted, in the words of the configuration. Entra writes Graph's scopes with or without the API in front and in a spelling of its own, and leaves out those of
 * OpenID Connect where the token is for another API than Graph, and `offline_access` always, though it gives what they ask for.
 *
 * @see {@link https://github.com/AzureAD/microsoft-authentication-library-for-android/issues/652 MSAL for Android: default scopes are not returned}
 */
function grantedScope({ scope }: Claims, configured: readonly string[]): unknown {
  if (typeof scope !== "string") return scope;
  const granted = new Set(scope.split(" ").map(normalized));
  // `.default` is whatever was consented to, and comes back as that.
  const isGranted = (word: string) => granted.has(normalized(word)) || word.endsWith(".default");
  return forOneApi(configured).filter((word) => OPENID.has(word) || isGranted(word));
}

/** In one spelling, without Graph in front. */
function normalized(word: string): string {
  return word.replace(GRAPH, "").toLowerCase();
}

/** Who it is; and to the operator, once, why groups are not known. */
function identification(): (sources: IdentitySources) => IdentifiedPerson {
  let isTold = false;
  return (sources) => {
    const person = identify(sources);
    if (!isTold && isOverage(sources.idToken ?? {})) {
      isTold = true;
      sources.warn(
        "somebody is in more groups than an ID token holds: theirs are unknown, and no rule that asks for a group lets them in. Have Entra send groups assigned to the application only, or use app roles.",
      );
    }
    return person;
  };
}

function identify({ idToken = {} }: IdentitySources): IdentifiedPerson {
  const { oid, tid, email, roles } = idToken;
  // https://learn.microsoft.com/en-us/entra/identity-platform/claims-validation: neither is unique without the other.
  if (!isGuid(oid) || !isGuid(tid)) throw refused("no oid or no tid");
  const [verified] = namesIn(idToken.verified_primary_email) ?? [];
  const profile = profileOf({ ...idToken, email: verified ?? email, roles });
  return {
    ...profile,
    subject: `${oid}.${tid}`,
    emailVerified:
      profile.email === undefined ? undefined : verified !== undefined || isDomainVerified(idToken.xms_edov),
    groups: isOverage(idToken) ? undefined : profile.groups,
    tenant: tid,
  };
}

/**
 * "nOAuth": `email` is what the directory's administrator wrote, and `email_verified` is none of Entra's claims.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/optional-claims-reference Microsoft: optional claims, `xms_edov`}
 */
function isDomainVerified(claim: unknown): boolean {
  return claim === true || claim === 1 || claim === "1" || claim === "true";
}

/**
 * More than 200 groups, and there are none in the token but a reference. Then groups are unknown, and nothing that asks for one lets anybody in: a list in part would let in
 * and keep out by chance.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference#groups-overage-claim Microsoft: groups overage claim}
 */
function isOverage({ hasgroups, _claim_names: names }: Claims): boolean {
  return Object.hasOwn(claimsIn(names) ?? {}, "groups") || hasgroups === true || hasgroups === "true";
}

function isGuid(value: unknown): value is string {
  return typeof value === "string" && GUID.test(value);
}
