/** Every option, its unit, its default, its danger; resolved and validated once. */
import type { ClaimsPolicy } from "./domain/claims.ts";
import type { Client, RegistrationPolicy } from "./domain/clients.ts";
import type { OAuthEvent } from "./domain/events.ts";
import type { TokenVerifier } from "./domain/sign-ins.ts";
import type { GrantTypeName, TokenEndpointAuthMethod } from "./protocol/client-metadata.ts";
import { ConfigurationError, OAuthProxyError } from "./protocol/errors.ts";
import { parseRedirectUri } from "./protocol/redirect-uri.ts";
import { compileRedirectUriPattern } from "./protocol/redirect-uri-pattern.ts";
import { canonicalResource } from "./protocol/resource.ts";
import { type ScopeHierarchy, scopeOf } from "./protocol/scope.ts";
import type { Runtime } from "./runtime.ts";
import type { TokenStorage } from "./state/token-storage.ts";

/** Which claims of the upstream's tokens are carried into ours. Claims with a meaning in a protocol never are, whatever is set here. */
export interface CustomClaimsPassthroughConfig {
  /** From the upstream's access token, where it is a JWT. Default: true. Its claims win over those of the ID token. */
  fromAccessToken?: boolean;
  /** From the upstream's ID token. Default: true. */
  fromIdToken?: boolean;
  /** Put before every name. Default: false (no prefix), so that `roles` stays `roles`. */
  claimPrefix?: string | false;
  /** Only these. Default: all but the protected ones and contact data (`address`, `phone_number`, `birthdate`, `gender`). */
  allowedClaims?: readonly string[];
  /** Never these. Default: none. */
  blockedClaims?: readonly string[];
  /** Characters of one value, as JSON where it isn't text. Longer ones are left out. Default: 2000. */
  maxClaimValueSize?: number;
  /** Also objects and lists of objects. Default: false: text, numbers, truth, and flat lists of them, which is what roles and groups are. */
  allowComplexClaims?: boolean;
}

/** A client that the operator registered by hand. */
export interface ConfiguredClient {
  clientId: string;
  /** Makes it a confidential client, which may use `client_secret_basic` or `client_secret_post`. Default: none, a public client. */
  clientSecret?: string | undefined;
  clientName?: string | undefined;
  /** Compared exactly, but for the port of a loopback address. Private schemes are allowed. */
  redirectUris: readonly string[];
  /** Limits a confidential client to one method. */
  tokenEndpointAuthMethod?: TokenEndpointAuthMethod | undefined;
  /** Default: both. */
  grantTypes?: readonly GrantTypeName[] | undefined;
  /**
   * The operator vouches for it: people are not asked. Default: false.
   *
   * Danger: never for a client whose redirect URI anybody else can receive, a loopback address above all.
   */
  trusted?: boolean | undefined;
}

/** How clients may register themselves. */
export interface RegistrationConfig {
  /** Keep each registration in the storage instead of in a signed client id: 24 hours until its first use, then 90 days from the last. Default: false. */
  store?: boolean;
  /** Admit the callbacks of well-known hosted clients (Claude, ChatGPT, Cursor, VS Code, …). Default: true. */
  knownClients?: boolean;
}

/** The options of {@link OAuthProxy}. All durations are whole seconds unless the name says `Ms`. */
export interface OAuthProxyConfig {
  /** The upstream's authorization endpoint. https, or http on a loopback address. */
  upstreamAuthorizationEndpoint: string;
  /** The upstream's token endpoint. */
  upstreamTokenEndpoint: string;
  /** Our client id at the upstream. */
  upstreamClientId: string;
  /** Our client secret at the upstream. Keys are derived from it where no `secret` is given. */
  upstreamClientSecret: string;
  /**
   * The public URL of this server, without a trailing slash: the issuer, and the beginning of every URL that leaves it. https, or http on a loopback address.
   *
   * Nothing is ever derived from `Host` or a forwarded header.
   */
  baseUrl: string;

  /** How we authenticate at the upstream. Default: `client_secret_basic`; `none` for a public client, which then needs a `secret` of ours. */
  upstreamTokenEndpointAuthMethod?: "client_secret_basic" | "client_secret_post" | "none";
  /** The upstream's issuer. With it, `iss` of callbacks (RFC 9207) and of ID tokens is checked. Default: unchecked. */
  upstreamIssuer?: string | undefined;
  /** Where the upstream tells who a token speaks for; asked at sign-in where there is no ID token. Default: none, the subject is then the token's own `sub`, or new each time. */
  upstreamUserinfoEndpoint?: string | undefined;
  /** Where the upstream ends tokens (RFC 7009). Default: none. */
  upstreamRevocationEndpoint?: string | undefined;
  /** Further parameters of the upstream's authorization request, such as `access_type=offline`. Those that we set ourselves can't be replaced. */
  extraAuthorizationParams?: Readonly<Record<string, string>>;
  /** Milliseconds for one request to the upstream. Default: 10 000. */
  upstreamRequestTimeoutMs?: number;
  /** Scopes that are asked of the upstream. Clients can leave some out and never add one. Default: none. */
  scopes?: readonly string[];
  /**
   * Send the client's PKCE challenge upstream, and redeem the upstream's code at our token endpoint with the client's verifier. Default: false, the upstream
   * sees a challenge of our own.
   */
  forwardPkce?: boolean;
  /** Verifies tokens of the upstream: at sign-in, and with `enableTokenSwap: false` on every request. */
  tokenVerifier?: TokenVerifier | undefined;

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
  /** Seals everything in the storage. Default: derived from `secret`. `false` stores plaintext: for development only. */
  encryptionKey?: string | Uint8Array | readonly (string | Uint8Array)[] | false | undefined;
  /** Signs the cookies of the sign-in. Default: derived from `secret`. */
  consentSigningKey?: string | readonly string[] | undefined;

  /** Told everything worth observing. Default: warnings and failures go to the console, one line each. */
  onEvent?: (event: OAuthEvent) => void;
  /** Replaces the clock, randomness and outgoing requests; for tests. */
  runtime?: Partial<Runtime>;
}

/** The options as the server works with them. */
export interface Settings {
  readonly issuer: string;
  readonly origin: string;
  readonly secure: boolean;
  readonly paths: Readonly<Record<"authorize" | "token" | "register" | "revoke" | "consent" | "callback", string>>;
  readonly urls: Settings["paths"];
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
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
  checkUpstream(config);
  checkStorage(config.tokenStorage);
  if (listOf(config.secret)?.length === 0)
    throw new ConfigurationError("secret", "is an empty list; leave it out to use the default");
  config.allowedOrigins?.forEach(checkOrigin);
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
    consent: `${basePath}/consent`,
    callback:
      config.redirectPath === undefined ? `${basePath}/callback` : pathOption("redirectPath", config.redirectPath),
  };
  const prefixed = (prefix: string) => mapValues(below, (path) => prefix + path);
  const paths = prefixed(new URL(issuer).pathname.replace(/\/$/, ""));
  if (new Set(Object.values(paths)).size < Object.keys(paths).length)
    throw new ConfigurationError("redirectPath", "is already an endpoint's path");

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
    urls: prefixed(issuer),
    resources: resourcesOption(config.resources ?? [`${issuer}/mcp`]),
    scopes: scopeOption("scopes", config.scopes),
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

const UPSTREAM_AUTH_METHODS: readonly unknown[] = ["client_secret_basic", "client_secret_post", "none"];

function checkUpstream(config: OAuthProxyConfig): void {
  for (const option of ["upstreamAuthorizationEndpoint", "upstreamTokenEndpoint"] as const)
    serverUrl(option, config[option]);
  for (const option of ["upstreamUserinfoEndpoint", "upstreamRevocationEndpoint"] as const) {
    if (config[option] !== undefined) serverUrl(option, config[option]);
  }
  const method = config.upstreamTokenEndpointAuthMethod ?? "client_secret_basic";
  if (!UPSTREAM_AUTH_METHODS.includes(method)) {
    throw new ConfigurationError(
      "upstreamTokenEndpointAuthMethod",
      `must be one of ${UPSTREAM_AUTH_METHODS.join(", ")}`,
    );
  }
  // What usually leads here is an environment variable that isn't set.
  if (typeof config.upstreamClientId !== "string" || config.upstreamClientId === "")
    throw new ConfigurationError("upstreamClientId", "is missing");
  if (typeof config.upstreamClientSecret !== "string" || (config.upstreamClientSecret === "" && method !== "none"))
    throw new ConfigurationError("upstreamClientSecret", "is missing");
}

function checkStorage(storage: TokenStorage | undefined): void {
  if (storage === undefined) return;
  for (const verb of ["get", "save", "delete", "cleanup"] as const) {
    if (typeof storage[verb] !== "function") throw new ConfigurationError("tokenStorage", `has no ${verb}`);
  }
}

/** Compared as text with what browsers send, so anything that is no whole origin in that spelling would never match. */
function checkOrigin(origin: string, index: number): void {
  const url = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#*@]+$/.test(origin) && URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || (url.origin !== "null" && url.origin !== origin))
    throw new ConfigurationError(`allowedOrigins[${index}]`, "must be an origin such as https://app.example.com");
}

/** One or several of something, as a list. */
export function listOf<T extends string | Uint8Array>(value: T | readonly T[] | undefined): readonly T[] | undefined {
  if (value === undefined) return undefined;
  return typeof value === "string" || value instanceof Uint8Array ? [value] : value;
}

function serverUrl(option: string, value: string): URL {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined) throw new ConfigurationError(option, "is no absolute URL");
  const isLoopback = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  // MCP authorization, "Communication Security": everything over https. Plain http on this very computer is for development, and is chosen by writing it.
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback)) {
    throw new ConfigurationError(option, "must be https, or http on localhost, 127.0.0.1 or [::1]");
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "")
    throw new ConfigurationError(option, "must have neither credentials nor a fragment");
  return url;
}

function pathOption(option: string, value: string): string {
  const path = value === "/" ? "" : value.replace(/\/$/, "");
  if (path !== "" && !/^(?:\/[A-Za-z0-9._~-]+)+$/.test(path))
    throw new ConfigurationError(option, "must be a path such as /oauth");
  if (path.split("/").some((segment) => segment === "." || segment === ".."))
    throw new ConfigurationError(option, "must have no dot segments");
  return path;
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

function scopeOption(option: string, words: readonly string[] = []): readonly string[] {
  try {
    return [...scopeOf(words)];
  } catch (error) {
    if (!(error instanceof OAuthProxyError)) throw error;
    throw new ConfigurationError(option, "has a word that RFC 6749 §3.3 does not allow");
  }
}

function clientsOption(clients: readonly ConfiguredClient[]): readonly Client[] {
  const ids = clients.map(({ clientId }) => clientId);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
  if (twice !== -1) throw new ConfigurationError(`clients[${twice}].clientId`, "stands in the list twice");
  return clients.map(clientOption);
}

function clientOption(client: ConfiguredClient, index: number): Client {
  const option = `clients[${index}]`;
  if (typeof client.clientId !== "string" || !/^[\x20-\x7e]{1,255}$/.test(client.clientId))
    throw new ConfigurationError(`${option}.clientId`, "must be printable ASCII");
  if (client.redirectUris.length === 0)
    throw new ConfigurationError(`${option}.redirectUris`, "at least one is needed");
  if (client.clientSecret === "") throw new ConfigurationError(`${option}.clientSecret`, "is empty");
  const confidential = client.clientSecret !== undefined;
  const method = client.tokenEndpointAuthMethod;
  if (method !== undefined && confidential !== (method !== "none")) {
    throw new ConfigurationError(
      `${option}.tokenEndpointAuthMethod`,
      "does not fit to whether there is a clientSecret",
    );
  }
  return {
    clientId: client.clientId,
    clientName: client.clientName,
    redirectUris: client.redirectUris.map((uri, at) => redirectUriOption(`${option}.redirectUris[${at}]`, uri)),
    authMethods:
      method !== undefined ? [method] : confidential ? ["client_secret_basic", "client_secret_post"] : ["none"],
    grantTypes: client.grantTypes ?? ["authorization_code", "refresh_token"],
    configured: true,
    trusted: client.trusted ?? false,
    clientSecret: client.clientSecret,
  };
}

function redirectUriOption(option: string, uri: string): string {
  try {
    return parseRedirectUri(uri);
  } catch (error) {
    if (!(error instanceof OAuthProxyError)) throw error;
    throw new ConfigurationError(option, error.description);
  }
}

function registrationOption({
  registration = true,
  allowedRedirectUriPatterns = [],
}: OAuthProxyConfig): RegistrationPolicy {
  const { store = false, knownClients = true } = typeof registration === "object" ? registration : {};
  return {
    enabled: registration !== false,
    store,
    knownClients,
    patterns: allowedRedirectUriPatterns.map(compileRedirectUriPattern),
  };
}

function claimsOption(value: boolean | CustomClaimsPassthroughConfig): ClaimsPolicy | undefined {
  if (value === false) return undefined;
  const config = value === true ? {} : value;
  return {
    fromAccessToken: config.fromAccessToken ?? true,
    fromIdToken: config.fromIdToken ?? true,
    claimPrefix: config.claimPrefix ?? false,
    allowedClaims: config.allowedClaims === undefined ? undefined : new Set(config.allowedClaims),
    blockedClaims: new Set(config.blockedClaims),
    maxClaimValueSize: wholeNumber(
      "customClaimsPassthrough.maxClaimValueSize",
      config.maxClaimValueSize ?? 2000,
      0,
      65_536,
    ),
    allowComplexClaims: config.allowComplexClaims ?? false,
  };
}

function ttlOption(name: TtlName, config: OAuthProxyConfig): number {
  return wholeNumber(name, config[name] ?? TTLS[name], MAY_BE_ZERO.includes(name) ? 0 : 1, TEN_YEARS);
}

function wholeNumber(option: string, value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new ConfigurationError(option, `must be a whole number from ${least} to ${most}`);
  return value;
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
