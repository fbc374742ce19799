/** The options that say where people sign in, and which of them may. */
import type { Allow } from "./allow-options.ts";
import type { LinkSubject } from "./domain/admission.ts";
import { UNNAMED_PROVIDER } from "./domain/identity-providers.ts";
import type { TokenVerifier } from "./domain/token-verifier.ts";
import type { UpstreamProvider } from "./domain/upstream-provider.ts";
import { scopeOption } from "./option-values.ts";
import { ConfigurationError } from "./protocol/errors.ts";
import { serverUrl } from "./protocol/server-url.ts";
import { defineUpstream } from "./upstream/define-upstream.ts";

/** One upstream, described by single options. Instead of these there may be `provider` or `providers`. */
export interface UpstreamOptions {
  /** The upstream's authorization endpoint. https, or http on a loopback address. Needed unless there is a `provider`. */
  upstreamAuthorizationEndpoint?: string | undefined;
  /** The upstream's token endpoint. Needed unless there is a `provider`. */
  upstreamTokenEndpoint?: string | undefined;
  /** Our client id at the upstream. Needed unless there is a `provider`. */
  upstreamClientId?: string | undefined;
  /** Our client secret at the upstream. Keys are derived from it where no `secret` is given. Needed unless there is a `provider`. */
  upstreamClientSecret?: string | undefined;
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
  /** Scopes that are asked of the upstream. Clients can leave some out and never add one. Default: none. */
  scopes?: readonly string[];
}

/** Where people sign in, and which of them may. */
export interface ProviderOptions extends UpstreamOptions {
  /** One identity provider, instead of the `upstream…` options. Its subjects begin with its id: `google|1234`. */
  provider?: UpstreamProvider | undefined;
  /**
   * Several identity providers, of which people choose one; instead of the `upstream…` options. Each has a callback of its own to be registered with it, `redirectPath`
   * with its id: `/oauth/callback/google`. Subjects begin with the id. Needs a `secret`.
   */
  providers?: readonly UpstreamProvider[] | undefined;
  /**
   * Who may sign in: rules, several sets of rules of which one has to match, or a function. Default: everybody whom the provider signs in. Asked at the sign-in, and
   * again whenever the provider says anew who it is; whoever may no longer loses the grant.
   */
  allow?: Allow | undefined;
  /**
   * Names of your own for people, such as one name for several accounts of one person. Called at each sign-in, after `allow`; a grant keeps the subject that it began with.
   *
   * Danger: whoever gets a name is that person here. Never decide by an address unless `emailVerified` is `true`.
   */
  linkSubject?: LinkSubject | undefined;
  /** Milliseconds for one request to the upstream. Default: 10 000. */
  upstreamRequestTimeoutMs?: number;
  /**
   * Send the client's PKCE challenge upstream, and redeem the upstream's code at our token endpoint with the client's verifier. Default: false, the upstream
   * sees a challenge of our own.
   */
  forwardPkce?: boolean;
  /** Verifies tokens of the upstream: at sign-in, and with `enableTokenSwap: false` on every request. With several providers it is asked about the tokens of each. */
  tokenVerifier?: TokenVerifier | undefined;
}

/** Where a provider calls back, and how its people are named. */
export interface ProviderSetting {
  readonly provider: UpstreamProvider;
  /** Whether the subject begins with the provider's id. */
  readonly qualified: boolean;
  /** The path of its callback on this host. */
  readonly callbackPath: string;
  /** The whole of it, as it is registered with the provider. */
  readonly redirectUri: string;
}

/** Where callbacks are. */
interface Callback {
  readonly path: string;
  readonly url: string;
}

const UPSTREAM_OPTIONS = [
  "upstreamAuthorizationEndpoint",
  "upstreamTokenEndpoint",
  "upstreamClientId",
  "upstreamClientSecret",
  "upstreamTokenEndpointAuthMethod",
  "upstreamIssuer",
  "upstreamUserinfoEndpoint",
  "upstreamRevocationEndpoint",
  "extraAuthorizationParams",
  "scopes",
] as const satisfies readonly (keyof UpstreamOptions)[];

/** The identity providers of a server, in the order in which they are offered. @throws {ConfigurationError} naming the option */
export function providersOption(
  config: ProviderOptions & { readonly secret?: unknown },
  callback: Callback,
): readonly [ProviderSetting, ...ProviderSetting[]] {
  const { provider, providers } = config;
  const callbackPath = callback.path;
  const redirectUri = callback.url;
  if (provider === undefined && providers === undefined)
    return [{ provider: unnamedProvider(config), qualified: false, callbackPath, redirectUri }];
  const both = UPSTREAM_OPTIONS.find((option) => config[option] !== undefined);
  if (both !== undefined) throw new ConfigurationError(both, "belongs to each provider where there is one");
  if (provider !== undefined) {
    if (providers !== undefined) throw new ConfigurationError("providers", "can't be there beside provider");
    checkProvider("provider", provider);
    return [{ provider, qualified: !provider.plainSubjects, callbackPath, redirectUri }];
  }
  return severalProviders(config, providers ?? [], callback);
}

function severalProviders(
  { secret }: { readonly secret?: unknown },
  providers: readonly UpstreamProvider[],
  callback: Callback,
): readonly [ProviderSetting, ...ProviderSetting[]] {
  const settings = providers.map((provider, index): ProviderSetting => {
    checkProvider(`providers[${index}]`, provider);
    const { id, plainSubjects } = provider;
    const qualified = !plainSubjects;
    return { provider, qualified, callbackPath: `${callback.path}/${id}`, redirectUri: `${callback.url}/${id}` };
  });
  // Two of them could name two people the same.
  if (providers.filter(({ plainSubjects }) => plainSubjects).length > 1)
    throw new ConfigurationError("providers", "only one may have accounts of our own");
  const ids = providers.map(({ id }) => id);
  const twice = ids.findIndex((id, index) => ids.indexOf(id) !== index);
  if (twice !== -1) throw new ConfigurationError(`providers[${twice}]`, "has the id of another one");
  const [first, ...others] = settings;
  if (first === undefined) throw new ConfigurationError("providers", "at least one is needed");
  // Keys that came from one of them would change with it, and sign out the people of all the others.
  if (secret === undefined)
    throw new ConfigurationError("secret", "needed with providers; make one with: openssl rand -base64 32");
  return [first, ...others];
}

/** Names that subjects begin with for other reasons. */
const RESERVED: readonly string[] = [UNNAMED_PROVIDER, "anonymous"];

function checkProvider(option: string, provider: UpstreamProvider): void {
  if (typeof provider?.create !== "function") throw new ConfigurationError(option, "is no identity provider");
  if (!/^[a-z0-9-]{1,32}$/.test(provider.id) || RESERVED.includes(provider.id))
    throw new ConfigurationError(`${option}.id`, "must be one word of a to z, digits and -, and not a reserved one");
  if (typeof provider.name !== "string" || provider.name.trim() === "")
    throw new ConfigurationError(`${option}.name`, "is missing");
  scopeOption(`${option}.scopes`, provider.scopes);
}

/** The provider of the `upstream…` options. */
function unnamedProvider(config: UpstreamOptions): UpstreamProvider {
  for (const option of ["upstreamAuthorizationEndpoint", "upstreamTokenEndpoint"] as const) {
    if (config[option] === undefined)
      throw new ConfigurationError(option, "is missing, and there is no provider either");
    serverUrl(option, config[option]);
  }
  for (const option of ["upstreamUserinfoEndpoint", "upstreamRevocationEndpoint"] as const) {
    if (config[option] !== undefined) serverUrl(option, config[option]);
  }
  const authMethod = config.upstreamTokenEndpointAuthMethod ?? "client_secret_basic";
  if (!AUTH_METHODS.includes(authMethod))
    throw new ConfigurationError("upstreamTokenEndpointAuthMethod", `must be one of ${AUTH_METHODS.join(", ")}`);
  const { upstreamClientId: clientId, upstreamClientSecret: clientSecret } = config;
  // What usually leads here is an environment variable that isn't set.
  if (typeof clientId !== "string" || clientId === "") throw new ConfigurationError("upstreamClientId", "is missing");
  if (typeof clientSecret !== "string" || (clientSecret === "" && authMethod !== "none"))
    throw new ConfigurationError("upstreamClientSecret", "is missing");
  const authorization = config.upstreamAuthorizationEndpoint ?? "";
  return defineUpstream({
    id: UNNAMED_PROVIDER,
    name: new URL(authorization).host,
    clientId,
    clientSecret,
    authMethod,
    scopes: scopeOption("scopes", config.scopes),
    endpoints: {
      authorization,
      token: config.upstreamTokenEndpoint ?? "",
      userinfo: config.upstreamUserinfoEndpoint,
      revocation: config.upstreamRevocationEndpoint,
    },
    issuer: config.upstreamIssuer,
    authorizationParams: config.extraAuthorizationParams,
  });
}

const AUTH_METHODS: readonly unknown[] = ["client_secret_basic", "client_secret_post", "none"];
