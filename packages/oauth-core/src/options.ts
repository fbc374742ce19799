/** Every option, its unit, its default, its danger; resolved and validated once. */
import { checkAllow } from "./allow-options.ts";
import { type CustomClaimsPassthroughConfig, claimsOption } from "./claims-options.ts";
import { type ConfiguredClient, clientsOption, type RegistrationConfig, registrationOption } from "./client-options.ts";
import type { ClaimsPolicy } from "./domain/claims.ts";
import type { Client, RegistrationPolicy } from "./domain/clients.ts";
import type { OAuthEvent } from "./domain/events.ts";
import type { SigningSource } from "./domain/signer.ts";
import { listOf, originsOption, pathOption, scopeOption, wholeNumber } from "./option-values.ts";
import { ConfigurationError } from "./protocol/errors.ts";
import { canonicalResource } from "./protocol/resource.ts";
import type { ScopeHierarchy } from "./protocol/scope.ts";
import { serverUrl } from "./protocol/server-url.ts";
import {
  type ProviderOptions,
  type ProviderSetting,
  providersOption,
  type UpstreamOptions,
} from "./provider-options.ts";
import type { Runtime } from "./runtime.ts";
import type { TokenStorage } from "./state/token-storage.ts";

/** The options of {@link OAuthProxy}. All durations are whole seconds unless the name says `Ms`. */
export interface OAuthProxyConfig extends ProviderOptions {
  /**
   * The public URL of this server, without a trailing slash: the issuer, and the beginning of every URL that leaves it. https, or http on a loopback address.
   *
   * Nothing is ever derived from `Host` or a forwarded header.
   */
  baseUrl: string;

  /** Where our own endpoints are, below `baseUrl`. Default: `/oauth`. */
  basePath?: string;
  /** The callback's path, below `baseUrl`; register it with the upstream. Default: `/oauth/callback`. */
  redirectPath?: string;
  /** The protected resources (RFC 8707), absolute, without a query, each with a path of its own. Default: `${baseUrl}/mcp`. */
  resources?: readonly string[];
  /** Scopes of our own, granted on the consent page and never sent upstream. Default: none. */
  resourceScopes?: readonly string[];
  /** Those of `resourceScopes` that a client gets when it names none of them. Default: all. */
  defaultScopes?: readonly string[];
  /** What a scope means, in words for the consent page. */
  scopeDescriptions?: Readonly<Record<string, string>>;
  /** Scopes that contain others: `{ admin: ["read", "write"] }`. */
  scopeHierarchy?: ScopeHierarchy;
  /** What people know this server as, for the pages. Default: the host of `baseUrl`. */
  serverName?: string;
  /** Origins whose pages may call the protected resources, beside our own, loopback ones and those of well-known clients. */
  allowedOrigins?: readonly string[];

  /** Clients that are registered by hand. */
  clients?: readonly ConfiguredClient[];
  /** Whether and how clients may register themselves (RFC 7591). Default: true. */
  registration?: boolean | RegistrationConfig;
  /**
   * Redirect URIs that may be registered beside loopback addresses and those of well-known clients: `https://*.example.com/*`, `http://localhost:*`.
   *
   * A pattern only filters registration; an authorization request is always compared exactly with what was registered.
   */
  allowedRedirectUriPatterns?: readonly string[];

  /** Ask the person before they are sent upstream. Default: true. Danger when false: any client that registers gets whoever follows its link. */
  consentRequired?: boolean;
  /** Seconds for which one approval stands for the next, in the same browser, for the same client, redirect URI and scopes, never for a loopback address. Default: 0, never. */
  rememberConsent?: number;
  /** Seconds for one sign-in. Default: 600. */
  transactionTtl?: number;
  /** Seconds. Default: 300. */
  authorizationCodeTtl?: number;
  /** Put `iss` into the metadata's promises (RFC 9207). It is sent either way. Default: true; some applications lose it before their library sees it. */
  advertiseIssuerParameter?: boolean;

  /** Issue tokens of our own and keep the upstream's. Default: true. Danger when false: see `passThroughAudienceCheck`. */
  enableTokenSwap?: boolean;
  /**
   * With `enableTokenSwap: false`, `false` accepts that nothing checks for whom the upstream's tokens were issued, but for the fact that we handed them out.
   * Otherwise a `tokenVerifier` has to.
   */
  passThroughAudienceCheck?: false;
  /** Seconds. Default: 3600. */
  accessTokenTtl?: number;
  /** Seconds, from the last refresh. Default: 2 592 000 (30 days). */
  refreshTokenTtl?: number;
  /** Seconds after its first use for which a refresh token may be used again and gives the same next one. Default: 120. */
  refreshTokenGracePeriod?: number;
  /** Seconds for which another process may not have heard of a revocation; 0 asks the storage on every request. Default: 5. */
  revocationCheckTtl?: number;
  /** Which claims of the upstream are carried into our tokens. Default: true. */
  customClaimsPassthrough?: boolean | CustomClaimsPassthroughConfig;

  /** Where state lives. Default: a `MemoryTokenStorage`, for one process and until it ends. */
  tokenStorage?: TokenStorage | undefined;
  /**
   * The one secret from which each purpose derives its own key; a list to rotate: the first signs, all verify. At least 32 bytes each.
   * Default: derived from the upstream client secret and `baseUrl`, so that restarts and replicas agree.
   */
  secret?: string | readonly string[] | undefined;
  /** Signs access tokens (HS256), as it stands. At least 32 bytes. Default: derived from `secret`. */
  jwtSigningKey?: string | readonly string[] | undefined;
  /**
   * Signs access tokens with an asymmetric key instead, and publishes it under `jwks_uri`, so that others can verify them: `new SigningKeys()` of
   * `@sallyport/jwks`. Default: HS256 with `jwtSigningKey`. A change between the two refuses the access tokens that are out; clients refresh.
   */
  signing?: SigningSource | undefined;
  /** Seals everything in the storage. Default: derived from `secret`. `false` stores plaintext: for development only. */
  encryptionKey?: string | Uint8Array | readonly (string | Uint8Array)[] | false | undefined;
  /** Signs the cookies of the sign-in. Default: derived from `secret`. */
  consentSigningKey?: string | readonly string[] | undefined;

  /** Told everything worth observing. Default: warnings and failures go to the console, one line each. */
  onEvent?: (event: OAuthEvent) => void;
  /** Replaces the clock, randomness and outgoing requests; for tests. */
  runtime?: Partial<Runtime>;
}

/** The options of a preset, which says itself what the upstream is: every other one. */
export interface PresetConfig extends Omit<OAuthProxyConfig, keyof UpstreamOptions | "provider" | "providers"> {}

/** The options as the server works with them. */
export interface Settings {
  readonly issuer: string;
  readonly origin: string;
  readonly secure: boolean;
  readonly paths: Readonly<
    Record<"authorize" | "token" | "register" | "revoke" | "jwks" | "consent" | "callback", string>
  >;
  readonly urls: Settings["paths"];
  /** What all those begin with, but for `redirectPath`. */
  readonly base: { readonly path: string; readonly url: string };
  readonly resources: readonly string[];
  readonly providers: readonly [ProviderSetting, ...ProviderSetting[]];
  readonly resourceScopes: readonly string[];
  readonly defaultScopes: readonly string[];
  readonly clients: readonly Client[];
  readonly registration: RegistrationPolicy;
  readonly claims: ClaimsPolicy | undefined;
  readonly ttl: Readonly<Record<TtlName, number>>;
  readonly upstreamRequestTimeoutMs: number;
}

const TTLS = {
  transactionTtl: 600,
  authorizationCodeTtl: 300,
  accessTokenTtl: 3600,
  refreshTokenTtl: 2_592_000,
  refreshTokenGracePeriod: 120,
  revocationCheckTtl: 5,
  rememberConsent: 0,
} as const;
type TtlName = keyof typeof TTLS;
const MAY_BE_ZERO: readonly TtlName[] = ["refreshTokenGracePeriod", "revocationCheckTtl", "rememberConsent"];
const TEN_YEARS = 315_360_000;

/** Checks everything that can be checked before the first request. @throws {ConfigurationError} naming the option */
export function resolveOptions(config: OAuthProxyConfig): Settings {
  const base = serverUrl("baseUrl", config.baseUrl);
  if (base.search !== "") throw new ConfigurationError("baseUrl", "must have no query");
  const issuer = base.href.replace(/\/+$/, "");
  checkStorage(config.tokenStorage);
  if (listOf(config.secret)?.length === 0)
    throw new ConfigurationError("secret", "is an empty list; leave it out to use the default");
  checkSigning(config);
  originsOption("allowedOrigins", config.allowedOrigins);
  if (
    config.enableTokenSwap === false &&
    config.tokenVerifier === undefined &&
    config.passThroughAudienceCheck !== false
  ) {
    throw new ConfigurationError(
      "enableTokenSwap",
      "without token swap a tokenVerifier has to check the audience, or passThroughAudienceCheck be false",
    );
  }

  const basePath = pathOption("basePath", config.basePath ?? "/oauth");
  const below = {
    authorize: `${basePath}/authorize`,
    token: `${basePath}/token`,
    register: `${basePath}/register`,
    revoke: `${basePath}/revoke`,
    jwks: `${basePath}/jwks`,
    consent: `${basePath}/consent`,
    callback:
      config.redirectPath === undefined ? `${basePath}/callback` : pathOption("redirectPath", config.redirectPath),
  };
  const prefixed = (start: string) => mapValues(below, (path) => start + path);
  const prefix = new URL(issuer).pathname.replace(/\/$/, "");
  const paths = prefixed(prefix);
  const urls = prefixed(issuer);
  const providers = providersOption(config, { path: paths.callback, url: urls.callback });
  checkAllow(
    config.allow,
    providers.map(({ provider }) => provider.id),
  );
  const { callback, ...others } = paths;
  const all = [...Object.values(others), ...providers.map(({ callbackPath }) => callbackPath)];
  if (new Set(all).size < all.length) throw new ConfigurationError("redirectPath", "is already an endpoint's path");

  const resourceScopes = scopeOption("resourceScopes", config.resourceScopes);
  const defaultScopes =
    config.defaultScopes === undefined ? resourceScopes : scopeOption("defaultScopes", config.defaultScopes);
  if (!defaultScopes.every((word) => resourceScopes.includes(word)))
    throw new ConfigurationError("defaultScopes", "names what is not in resourceScopes");

  return {
    issuer,
    origin: base.origin,
    secure: base.protocol === "https:",
    paths,
    urls,
    base: { path: prefix + basePath, url: issuer + basePath },
    resources: resourcesOption(config.resources ?? [`${issuer}/mcp`]),
    providers,
    resourceScopes,
    defaultScopes,
    clients: clientsOption(config.clients ?? []),
    registration: registrationOption(config),
    claims: claimsOption(config.customClaimsPassthrough ?? true),
    ttl: Object.fromEntries(Object.keys(TTLS).map((name) => [name, ttlOption(name as TtlName, config)])) as Record<
      TtlName,
      number
    >,
    upstreamRequestTimeoutMs: wholeNumber(
      "upstreamRequestTimeoutMs",
      config.upstreamRequestTimeoutMs ?? 10_000,
      1,
      600_000,
    ),
  };
}

function checkStorage(storage: TokenStorage | undefined): void {
  if (storage === undefined) return;
  for (const verb of ["get", "save", "delete", "cleanup"] as const) {
    if (typeof storage[verb] !== "function") throw new ConfigurationError("tokenStorage", `has no ${verb}`);
  }
}

function checkSigning({ signing, enableTokenSwap, jwtSigningKey }: OAuthProxyConfig): void {
  if (signing === undefined) return;
  if (typeof signing.signer !== "function") throw new ConfigurationError("signing", "has no signer");
  // Either would be a key that the operator takes for the one that signs, and does not.
  if (enableTokenSwap === false) throw new ConfigurationError("signing", "without token swap there is nothing to sign");
  if (jwtSigningKey !== undefined) throw new ConfigurationError("jwtSigningKey", "signs nothing beside signing");
}

function resourcesOption(resources: readonly string[]): readonly string[] {
  if (resources.length === 0) throw new ConfigurationError("resources", "at least one is needed");
  const byPath = new Map<string, string>();
  for (const [index, resource] of resources.entries()) {
    const option = `resources[${index}]`;
    const { pathname, search } = serverUrl(option, resource);
    // RFC 9728 §3.1: metadata is found by the path. One document can't speak for two resources, and the guard tells routes apart by it as well.
    if (search !== "") throw new ConfigurationError(option, "must have no query");
    // The slash-less form where there is no path; what clients compare must be spelt in one way only.
    const canonical = canonicalResource(resource);
    const path = pathname.replace(/\/$/, "");
    if ((byPath.get(path) ?? canonical) !== canonical)
      throw new ConfigurationError(option, "has the path of another one");
    byPath.set(path, canonical);
  }
  return [...byPath.values()];
}

function ttlOption(name: TtlName, config: OAuthProxyConfig): number {
  return wholeNumber(name, config[name] ?? TTLS[name], MAY_BE_ZERO.includes(name) ? 0 : 1, TEN_YEARS);
}

function mapValues<K extends string>(
  record: Readonly<Record<K, string>>,
  change: (value: string) => string,
): Record<K, string> {
  return Object.fromEntries(Object.entries<string>(record).map(([key, value]) => [key, change(value)])) as Record<
    K,
    string
  >;
}
