/** `ResourceServer`: a protected resource whose tokens come from an authorization server that is not ours. RFC 6750, RFC 9728. */
import { DEFAULT_RUNTIME } from "./default-runtime.ts";
import type { Access } from "./domain/bearers.ts";
import type { OAuthEvent } from "./domain/events.ts";
import type { TokenVerifier } from "./domain/token-verifier.ts";
import { VerifiedBearers } from "./domain/verified-bearers.ts";
import { createObserve } from "./event-log.ts";
import { FrontDoor, type HandleOptions } from "./front-door.ts";
import { Guard, type Requirement } from "./guard.ts";
import { originsOption, scopeOption } from "./option-values.ts";
import { ConfigurationError } from "./protocol/errors.ts";
import { knownClientOrigins } from "./protocol/known-callbacks.ts";
import { canonicalResource } from "./protocol/resource.ts";
import { formatResourceMetadata } from "./protocol/resource-metadata.ts";
import { type ScopeHierarchy, withImplied } from "./protocol/scope.ts";
import { serverUrl } from "./protocol/server-url.ts";
import { wellKnownPath } from "./protocol/well-known.ts";
import type { Runtime } from "./runtime.ts";
import { Origins } from "./transport/cors.ts";
import { document, type Reply } from "./transport/reply.ts";
import { Router } from "./transport/router.ts";

/** The options of {@link ResourceServer}. */
export interface ResourceServerConfig {
  /** The protected resource, as clients know it: its absolute URL, https or on a loopback address, without a query. */
  resource: string;
  /** The issuers that it takes tokens from, the preferred one first. Clients find everything else from there. */
  authorizationServers: readonly string[];
  /**
   * Verifies every token: signature, issuer, expiry, and that its audience is this very resource, because nothing else here knows in which words that
   * issuer says so. `JWKSVerifier` of `@sallyport/jwks` is one.
   */
  tokenVerifier: TokenVerifier;
  /** What a client is told to ask for where a route names nothing. Default: none. */
  scopes?: readonly string[];
  /** Scopes that contain others: `{ admin: ["read", "write"] }`. */
  scopeHierarchy?: ScopeHierarchy;
  /** What people know this resource as. Default: its host. */
  serverName?: string;
  /** Origins whose pages may call the resource, beside its own, loopback ones and those of well-known clients. */
  allowedOrigins?: readonly string[];
  /** Told everything worth observing. Default: warnings and failures go to the console, one line each. */
  onEvent?: (event: OAuthEvent) => void;
  /** Replaces the clock; for tests. */
  runtime?: Partial<Pick<Runtime, "now">>;
}

/**
 * The guard and the metadata of one protected resource, without an authorization server. It fits wherever an adapter takes an `OAuthProxy`.
 *
 * @example
 * ```ts
 * const auth = new ResourceServer({
 *   resource: "https://mcp.example.com/mcp",
 *   authorizationServers: ["https://id.example.com/realms/tools"],
 *   tokenVerifier: verifier,
 *   scopes: ["mcp:tools"],
 * });
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3 RFC 9728 §3}
 */
export class ResourceServer {
  readonly #door: FrontDoor;
  readonly #resource: string;
  readonly #hierarchy: ScopeHierarchy;

  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: ResourceServerConfig) {
    const { authorizationServers, tokenVerifier, allowedOrigins, scopeHierarchy = {} } = config;
    const url = serverUrl("resource", config.resource);
    if (url.search !== "") throw new ConfigurationError("resource", "must have no query");
    if (typeof tokenVerifier?.verify !== "function") throw new ConfigurationError("tokenVerifier", "has no verify");
    if (!Array.isArray(authorizationServers) || authorizationServers.length === 0)
      throw new ConfigurationError("authorizationServers", "at least one is needed");
    for (const [index, issuer] of authorizationServers.entries()) serverUrl(`authorizationServers[${index}]`, issuer);
    const scopes = scopeOption("scopes", config.scopes);
    this.#resource = canonicalResource(config.resource);
    this.#hierarchy = scopeHierarchy;
    const guard = new Guard({
      bearers: new VerifiedBearers(tokenVerifier),
      resources: [this.#resource],
      baseline: scopes,
      hierarchy: scopeHierarchy,
      origins: new Origins([url.origin, ...knownClientOrigins(), ...originsOption("allowedOrigins", allowedOrigins)]),
      observe: createObserve(config.onEvent, { ...DEFAULT_RUNTIME, ...config.runtime }),
    });
    this.#door = new FrontDoor(new Router(this.#documents(config, scopes)), guard);
  }

  /** The protected resource. RFC 8707. */
  get resources(): readonly string[] {
    return [this.#resource];
  }

  /** Answers a request for the metadata, and a preflight of the resource; `undefined` for any other. */
  async handle(request: Request, options: HandleOptions = {}): Promise<Response | undefined> {
    return this.#door.handle(request, options);
  }

  /** Whether {@link handle} may answer a request with this target and this method; as `OAuthProxy.owns`. */
  owns(target: string, method: string): boolean {
    return this.#door.owns(target, method);
  }

  /** What {@link handle} answers every GET of the metadata with; as `OAuthProxy.documentAt`. */
  documentAt(target: string, method: string): Reply | undefined {
    return this.#door.documentAt(target, method);
  }

  /** {@link handle} for runtimes that want a `Response` always: 404 where it is none of ours. Bound, so that `{ fetch: auth.fetch }` works. */
  readonly fetch = async (request: Request): Promise<Response> =>
    (await this.handle(request)) ?? new Response(null, { status: 404 });

  /**
   * Guards the resource: the verified access, or the `Response` to give instead: 401 or 403 with the challenge that tells a client how to get in,
   * 403 for a foreign `Origin`, 503 while the issuer's keys can't be had.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
   */
  async protect(
    request: Request,
    requirement: Requirement = {},
    options: HandleOptions = {},
  ): Promise<Access | Response> {
    return this.#door.protect(request, requirement, options);
  }

  /** The headers that the answers of a protected route need, so that a page of an admitted origin can read them. */
  corsHeaders(request: Request): Record<string, string> {
    return this.#door.corsHeaders(request);
  }

  /** These scopes, and all that they contain by the option `scopeHierarchy`. */
  impliedScopes(scopes: readonly string[]): string[] {
    return [...withImplied(new Set(scopes), this.#hierarchy)];
  }

  /** At the resource's own location, and at the root for clients that look only there. RFC 9728 §3.1. */
  #documents({ authorizationServers, serverName }: ResourceServerConfig, scopes: readonly string[]) {
    const metadata = formatResourceMetadata({
      resource: this.#resource,
      issuer: authorizationServers[0] ?? "",
      scopes,
      resourceName: serverName ?? new URL(this.#resource).host,
    });
    const reply = document(JSON.stringify({ ...metadata, authorization_servers: [...authorizationServers] }));
    const suffix = "oauth-protected-resource";
    return [...new Set([wellKnownPath(suffix, this.#resource), `/.well-known/${suffix}`])].map((path) => ({
      path,
      methods: { GET: reply },
      cors: true,
    }));
  }
}
