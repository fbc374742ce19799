/** The successor of the authorization helpers of SDK version 1, under their names: change the import, and the server is ours. */
import type { OAuthRegisteredClientsStore } from "@modelcontextprotocol/sdk/server/auth/clients.js";
import {
  type BearerAuthMiddlewareOptions,
  requireBearerAuth as requireBearerAuthOfSdk,
} from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import type { OAuthServerProvider } from "@modelcontextprotocol/sdk/server/auth/provider.js";
import type { ProxyOptions as SdkProxyOptions } from "@modelcontextprotocol/sdk/server/auth/providers/proxyProvider.js";
import type { AuthRouterOptions } from "@modelcontextprotocol/sdk/server/auth/router.js";
import type { AuthInfo } from "@modelcontextprotocol/sdk/server/auth/types.js";
import { oauth, protect } from "@sallyport/express";
import { ConfigurationError, OAuthProxy, type OAuthProxyConfig, type TokenVerifier } from "@sallyport/oauth-core";
import type { RequestHandler } from "express";
import { vouchFor } from "./upstream-tokens.ts";
import { tokenVerifier } from "./v1.ts";

export type {
  AuthorizationParams,
  OAuthServerProvider,
  OAuthTokenVerifier,
} from "@modelcontextprotocol/sdk/server/auth/provider.js";
export type { ProxyEndpoints } from "@modelcontextprotocol/sdk/server/auth/providers/proxyProvider.js";
export {
  type AuthMetadataOptions,
  getOAuthProtectedResourceMetadataUrl,
  mcpAuthMetadataRouter,
} from "@modelcontextprotocol/sdk/server/auth/router.js";
export type { AuthRouterOptions, BearerAuthMiddlewareOptions };

/** What the old options say in another way, or what only the server itself can know. */
type Elsewhere =
  | "baseUrl"
  | "resources"
  | "upstreamAuthorizationEndpoint"
  | "upstreamTokenEndpoint"
  | "upstreamRevocationEndpoint"
  | "upstreamClientId"
  | "upstreamClientSecret"
  | "tokenVerifier";

/** The options of the SDK's `ProxyOAuthServerProvider`, the two that it lacked, and every other option of an {@link OAuthProxy}. */
export interface ProxyOptions extends SdkProxyOptions, Partial<Omit<OAuthProxyConfig, Elsewhere>> {
  /** Our own client id at the upstream. Default: the environment variable `UPSTREAM_CLIENT_ID`. */
  readonly clientId?: string | undefined;
  /** Our client secret there. Default: the environment variable `UPSTREAM_CLIENT_SECRET`. */
  readonly clientSecret?: string | undefined;
}

/** Where the router puts the server. */
type Site = Pick<OAuthProxyConfig, "baseUrl" | "resources" | "scopes" | "serverName">;

let open: (provider: ProxyOAuthServerProvider, site: Site) => OAuthProxy;
let optionsOf: (provider: ProxyOAuthServerProvider) => ProxyOptions;

/**
 * A proxy in front of an upstream authorization server.
 *
 * The old one handed the upstream's tokens to clients, and sent clients to register at the upstream. This one has one registration of its own there,
 * registers clients itself, asks people for their consent, and issues tokens of its own; `upstreamTokens` has the upstream's.
 *
 * - `verifyAccessToken` vets the upstream's token once, at sign-in.
 * - `getClient` and `endpoints.registrationUrl` are not used: nobody but this server is a client of the upstream.
 */
export class ProxyOAuthServerProvider implements OAuthServerProvider {
  readonly #options: ProxyOptions;
  #proxy: OAuthProxy | undefined;

  static {
    open = (provider, site) => provider.#open(site);
    optionsOf = (provider) => provider.#options;
  }

  /** @throws {ConfigurationError} where there are no credentials for the upstream */
  constructor(options: ProxyOptions) {
    const { clientId = process.env["UPSTREAM_CLIENT_ID"], clientSecret = process.env["UPSTREAM_CLIENT_SECRET"] } =
      options;
    this.#options = { ...options, clientId, clientSecret };
    for (const [option, value] of Object.entries({ clientId, clientSecret })) {
      if (value !== undefined || (option === "clientSecret" && options.upstreamTokenEndpointAuthMethod === "none"))
        continue;
      throw new ConfigurationError(
        option,
        `is missing. Register this server at the upstream, with the redirect URI BASE_URL/oauth/callback, and give its credentials as clientId and clientSecret, or as UPSTREAM_CLIENT_ID and UPSTREAM_CLIENT_SECRET in the environment`,
      );
    }
  }

  /** The server. @throws {ConfigurationError} before `mcpAuthRouter` was called, which says where it is */
  get oauthProxy(): OAuthProxy {
    if (this.#proxy === undefined) throw new ConfigurationError("provider", "has to be given to mcpAuthRouter first");
    return this.#proxy;
  }

  /** Verifies a token of ours. @throws {InvalidTokenError | ServerError} of the SDK */
  async verifyAccessToken(token: string): Promise<AuthInfo> {
    return tokenVerifier(this.oauthProxy).verifyAccessToken(token);
  }

  /** There is none: clients are known by what they registered here. @throws {ConfigurationError} always */
  get clientsStore(): OAuthRegisteredClientsStore {
    return onlyHere();
  }

  /** @throws {ConfigurationError} always: our router does not ask for it */
  async authorize(): Promise<never> {
    return onlyHere();
  }

  /** @throws {ConfigurationError} always: our router does not ask for it */
  async challengeForAuthorizationCode(): Promise<never> {
    return onlyHere();
  }

  /** @throws {ConfigurationError} always: our router does not ask for it */
  async exchangeAuthorizationCode(): Promise<never> {
    return onlyHere();
  }

  /** @throws {ConfigurationError} always: our router does not ask for it */
  async exchangeRefreshToken(): Promise<never> {
    return onlyHere();
  }

  #open(site: Site): OAuthProxy {
    if (this.#proxy !== undefined) throw new ConfigurationError("provider", "already belongs to another mcpAuthRouter");
    const {
      endpoints,
      verifyAccessToken,
      getClient: _,
      fetch: fetchIt,
      clientId,
      clientSecret,
      ...rest
    } = this.#options;
    this.#proxy = new OAuthProxy({
      // Where the old router had them; the callback and the consent page are new.
      basePath: "/",
      redirectPath: "/oauth/callback",
      ...site,
      ...rest,
      upstreamAuthorizationEndpoint: endpoints.authorizationUrl,
      upstreamTokenEndpoint: endpoints.tokenUrl,
      upstreamRevocationEndpoint: endpoints.revocationUrl,
      upstreamClientId: clientId ?? "",
      upstreamClientSecret: clientSecret ?? "",
      ...(verifyAccessToken === undefined ? {} : { tokenVerifier: vetting(verifyAccessToken) }),
      runtime: { ...(fetchIt === undefined ? {} : { fetch: fetchIt }), ...rest.runtime },
    });
    return this.#proxy;
  }
}

/**
 * Mounts the authorization server at the root of an Express application, as the old router did: `/authorize`, `/token`, `/register`, `/revoke`, and the
 * well-known documents; and two paths that are new, `/consent` and `/oauth/callback`.
 *
 * One line at the start says what is no longer done, and which options are not used.
 *
 * @throws {ConfigurationError} for a provider that is not ours: only its own code knows what it does, so it stays with the SDK's router
 */
export function mcpAuthRouter(options: AuthRouterOptions): RequestHandler {
  const {
    provider,
    issuerUrl,
    baseUrl = issuerUrl,
    resourceServerUrl = baseUrl,
    scopesSupported,
    resourceName,
  } = options;
  // A subclass overrides what nobody calls here, a check of its own perhaps: it would be gone without a word.
  if (!(provider instanceof ProxyOAuthServerProvider) || provider.constructor !== ProxyOAuthServerProvider)
    throw new ConfigurationError(
      "provider",
      "must be a ProxyOAuthServerProvider of @sallyport/mcp, and no subclass of it",
    );
  const proxy = open(provider, {
    baseUrl: baseUrl.href,
    resources: [resourceServerUrl.href],
    ...(scopesSupported === undefined ? {} : { scopes: scopesSupported }),
    ...(resourceName === undefined ? {} : { serverName: resourceName }),
  });
  sayWhatIsOver(options, optionsOf(provider), proxy);
  return oauth(proxy);
}

/**
 * The SDK's `requireBearerAuth`. With a provider of ours our own guard decides, so that the challenge names scopes and metadata, a broad scope contains
 * a narrow one, foreign origins are refused, and a storage that is down is 503.
 */
export function requireBearerAuth(options: BearerAuthMiddlewareOptions): RequestHandler {
  const { verifier, requiredScopes = [], expectedResource } = options;
  if (!(verifier instanceof ProxyOAuthServerProvider)) return requireBearerAuthOfSdk(options);
  return (req, res, next) => {
    const proxy = verifier.oauthProxy;
    const [resource] = proxy.resources;
    if (expectedResource !== undefined && expectedResource.href !== new URL(resource ?? "").href)
      throw new ConfigurationError("expectedResource", "is not the resource that mcpAuthRouter was given");
    const admitted = protect(proxy, { scopes: requiredScopes, resource }, ({ auth }) => {
      vouchFor(auth, proxy);
      next();
    });
    return admitted(req, res, next);
  };
}

function vetting(verify: ProxyOptions["verifyAccessToken"]): TokenVerifier {
  return {
    verify: async (token) =>
      verify(token).then(
        () => ({ valid: true }),
        (error: unknown) => ({ valid: false, error: error instanceof Error ? error.name : "refused" }),
      ),
  };
}

/** Options of the old router that nothing here reads. */
const UNUSED = [
  "serviceDocumentationUrl",
  "authorizationOptions",
  "clientRegistrationOptions",
  "revocationOptions",
  "tokenOptions",
] as const satisfies readonly (keyof AuthRouterOptions)[];

function sayWhatIsOver(options: AuthRouterOptions, provider: ProxyOptions, proxy: OAuthProxy): void {
  const unused: string[] = UNUSED.filter((name) => options[name] !== undefined);
  if (provider.getClient !== undefined) unused.push("getClient");
  if (provider.endpoints.registrationUrl !== undefined) unused.push("endpoints.registrationUrl");
  const message =
    `clients get tokens of ${proxy.issuer} and no longer the upstream's, and register here.` +
    (unused.length === 0 ? "" : ` Not used: ${unused.join(", ")}.`) +
    " Rate limits are for whatever stands in front.";
  if (provider.onEvent === undefined) console.warn(`[sallyport] ${message}`);
  else provider.onEvent({ type: "warning", message, at: Math.floor(Date.now() / 1000), traceId: undefined });
}

function onlyHere(): never {
  throw new ConfigurationError("provider", "works with mcpAuthRouter of @sallyport/mcp, and not with the SDK's");
}
