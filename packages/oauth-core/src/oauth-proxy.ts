/** `OAuthProxy`: a complete authorization server to MCP clients, one pre-registered application to the upstream, and a guard in front of the tools. */
import { type AuthorizationServerMetadata, toCamelCase } from "./authorization-server-metadata.ts";
import { DEFAULT_RUNTIME } from "./default-runtime.ts";
import type { Access } from "./domain/bearers.ts";
import type { GrantListOptions, GrantPage, GrantSelection } from "./domain/connected-grants.ts";
import type { Engine } from "./domain/engine.ts";
import type { Observe } from "./domain/events.ts";
import { deriveKeys, type Keys } from "./domain/keys.ts";
import type { PageSettings } from "./endpoints/endpoint.ts";
import { register } from "./endpoints/registration.ts";
import { answerTokenRequest } from "./endpoints/token.ts";
import { createEngine } from "./engine.ts";
import { createObserve } from "./event-log.ts";
import { FrontDoor, type HandleOptions } from "./front-door.ts";
import { Guard, type Requirement } from "./guard.ts";
import { listOf } from "./option-values.ts";
import { type OAuthProxyConfig, resolveOptions, type Settings } from "./options.ts";
import type { RegistrationRequest, RegistrationResponse } from "./protocol/client-metadata.ts";
import { OAuthProxyError } from "./protocol/errors.ts";
import { knownClientOrigins } from "./protocol/known-callbacks.ts";
import { type Parameters, parseParameters } from "./protocol/parameters.ts";
import { type ScopeHierarchy, withImplied } from "./protocol/scope.ts";
import { formatServerMetadata, type ServerMetadata } from "./protocol/server-metadata.ts";
import type { TokenResponse } from "./protocol/token-response.ts";
import { createRoutes } from "./routes.ts";
import type { Runtime } from "./runtime.ts";
import { AvailableStorage } from "./state/available-storage.ts";
import { EncryptedTokenStorage } from "./state/encrypted-token-storage.ts";
import { MemoryTokenStorage } from "./state/memory-token-storage.ts";
import { KeyRing } from "./state/sealing.ts";
import { SingleProcessStorage } from "./state/single-process-storage.ts";
import { type AtomicTokenStorage, isAtomic, type TokenStorage } from "./state/token-storage.ts";
import { Origins } from "./transport/cors.ts";
import { type Reply, toResponse } from "./transport/reply.ts";
import { dispatch, pathOf, Router } from "./transport/router.ts";

/** The upstream's tokens of one grant, as `loadUpstreamTokens` gives them to a tool. The upstream's refresh token stays here. */
export interface LoadedUpstreamTokens {
  accessToken: string;
  /** Seconds from `issuedAt`; absent where the upstream named no lifetime. */
  expiresIn?: number;
  idToken?: string;
  issuedAt: Date;
  scope: string[];
  tokenType: string;
}

/** The authorization request of {@link OAuthProxy.authorize}. RFC 6749 §4.1.1. */
export interface AuthorizationParams {
  client_id: string;
  response_type: string;
  redirect_uri?: string;
  scope?: string;
  state?: string;
  code_challenge?: string;
  code_challenge_method?: string;
  resource?: string | readonly string[];
  [parameter: string]: unknown;
}

/** A token request as a plain object. RFC 6749 §4.1.3, §6. */
export interface TokenRequestParams {
  grant_type?: string;
  client_id?: string;
  client_secret?: string;
  code?: string;
  code_verifier?: string;
  redirect_uri?: string;
  refresh_token?: string;
  scope?: string;
  resource?: string | readonly string[];
}

/** Seconds between two clean-ups of the storage. */
const CLEANUP_INTERVAL = 60;

/**
 * The server. Every request of the authorization server goes to {@link handle} (or {@link fetch}); every request to a tool first goes to {@link protect}.
 *
 * @example
 * ```ts
 * const auth = new OAuthProxy({
 *   baseUrl: "https://mcp.example.com",
 *   upstreamAuthorizationEndpoint: "https://id.example.com/authorize",
 *   upstreamTokenEndpoint: "https://id.example.com/token",
 *   upstreamClientId: process.env.CLIENT_ID ?? "",
 *   upstreamClientSecret: process.env.CLIENT_SECRET ?? "",
 *   scopes: ["openid", "email"],
 * });
 * ```
 */
export class OAuthProxy {
  readonly #settings: Settings;
  readonly #engine: Engine;
  readonly #door: FrontDoor;
  readonly #hierarchy: ScopeHierarchy;
  readonly #router: Router;
  readonly #metadata: ServerMetadata;
  readonly #storage: TokenStorage;
  readonly #ownStorage: MemoryTokenStorage | undefined;
  #cleanedAt: number;

  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: OAuthProxyConfig) {
    const settings = resolveOptions(config);
    const runtime: Runtime = { ...DEFAULT_RUNTIME, ...config.runtime };
    const observe = createObserve(config.onEvent, runtime);
    const upstreamClientSecret = settings.providers[0].provider.clientSecret ?? "";
    const { fromUpstreamSecret, ...keys } = deriveKeys({
      secrets: listOf(config.secret) ?? [],
      jwtSigningKey: listOf(config.jwtSigningKey),
      encryptionKey: config.encryptionKey === false ? undefined : listOf(config.encryptionKey),
      consentSigningKey: listOf(config.consentSigningKey),
      upstreamClientSecret,
      issuer: settings.issuer,
    });
    warn(config, fromUpstreamSecret ? upstreamClientSecret : undefined, observe);

    this.#settings = settings;
    const storage = config.tokenStorage ?? new MemoryTokenStorage({ now: config.runtime?.now });
    this.#ownStorage = config.tokenStorage === undefined && storage instanceof MemoryTokenStorage ? storage : undefined;
    this.#storage = storage;
    this.#cleanedAt = runtime.now();
    // A storage that the operator wrapped with keys of their own seals already.
    const seals =
      config.encryptionKey !== false &&
      !(storage instanceof EncryptedTokenStorage && config.encryptionKey === undefined);
    const ringOf = (sealing: Keys) => (seals ? new KeyRing(sealing, { randomBytes: runtime.randomBytes }) : undefined);
    const engine = createEngine({
      config,
      settings,
      keys,
      storage: new AvailableStorage(atomic(storage, observe)),
      ring: ringOf(keys.storage),
      providerRing: ringOf(keys["provider-records"]),
      sealed: seals || storage instanceof EncryptedTokenStorage,
      runtime,
      observe,
    });
    this.#engine = engine;
    this.#metadata = formatServerMetadata({
      issuer: settings.issuer,
      endpoints: {
        authorization: settings.urls.authorize,
        token: settings.urls.token,
        registration: settings.registration.enabled ? settings.urls.register : undefined,
        revocation: settings.urls.revoke,
        jwks: engine.publishingSigner === undefined ? undefined : settings.urls.jwks,
      },
      scopes: engine.scopes.supported,
      issParameter: config.advertiseIssuerParameter ?? true,
    });
    this.#router = new Router(createRoutes(settings, engine, pageSettings(config, settings), this.#metadata));
    this.#hierarchy = config.scopeHierarchy ?? {};
    const guard = new Guard({
      bearers: engine.bearers,
      resources: settings.resources,
      baseline: engine.scopes.baseline,
      hierarchy: this.#hierarchy,
      origins: new Origins([
        settings.origin,
        ...settings.resources.map(originOf),
        ...knownClientOrigins(),
        ...(config.allowedOrigins ?? []),
      ]),
      observe,
    });
    this.#door = new FrontDoor(this.#router, guard);
  }

  /** The issuer: `baseUrl` without a trailing slash. */
  get issuer(): string {
    return this.#settings.issuer;
  }

  /** The protected resources. RFC 8707. */
  get resources(): readonly string[] {
    return this.#settings.resources;
  }

  /**
   * Answers a request to one of our endpoints or well-known documents; `undefined` where it is none of ours.
   *
   * Whatever arrives, the promise is fulfilled: with a 4xx for what is wrong with the request, with a 503 while storage or upstream can't be reached.
   */
  async handle(request: Request, options: HandleOptions = {}): Promise<Response | undefined> {
    this.#cleanUp();
    this.#engine.keyWatch.look();
    return this.#door.handle(request, options);
  }

  /**
   * Whether {@link handle} may answer a request with this target (path and query, as they were sent) and this method; `false` is final. It is one
   * look-up: an adapter asks it first, so that requests to the app around it are passed on before anything is built for them.
   *
   * Overriding {@link handle}, to answer more, means overriding this as well.
   */
  owns(target: string, method: string): boolean {
    return this.#door.owns(target, method);
  }

  /**
   * What {@link handle} answers every GET of a well-known document with, so that an adapter can send it as it stands; `undefined` for any other target
   * and any other method.
   */
  documentAt(target: string, method: string): Reply | undefined {
    return this.#door.documentAt(target, method);
  }

  /** {@link handle} for runtimes that want a `Response` always: 404 where it is none of ours. Bound, so that `{ fetch: auth.fetch }` works. */
  readonly fetch = async (request: Request): Promise<Response> =>
    (await this.handle(request)) ?? new Response(null, { status: 404 });

  /**
   * Guards a protected resource: the verified access, or the `Response` to give instead: 401 or 403 with the challenge that tells a client how to
   * get in, 403 for a foreign `Origin`, 503 while it can't be known.
   *
   * @example
   * ```ts
   * const access = await auth.protect(request, { scopes: ["mcp:tools"] });
   * if (access instanceof Response) return access;
   * ```
   * @throws {ConfigurationError} where `resource` is none of the option `resources`
   * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
   * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
   */
  async protect(
    request: Request,
    requirement: Requirement = {},
    options: HandleOptions = {},
  ): Promise<Access | Response> {
    this.#engine.keyWatch.look();
    return this.#door.protect(request, requirement, options);
  }

  /**
   * These scopes, and all that they contain by the option `scopeHierarchy`: what a check of single scopes has to look at, or a broad one would not open what it contains.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 RFC 6750 §3.1} `insufficient_scope`
   */
  impliedScopes(scopes: readonly string[]): string[] {
    return [...withImplied(new Set(scopes), this.#hierarchy)];
  }

  /** The headers that the answers of a protected route need, so that a page of an admitted origin can read them. */
  corsHeaders(request: Request): Record<string, string> {
    return this.#door.corsHeaders(request);
  }

  /** Registers a client. @throws {OAuthProxyError} @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3 RFC 7591 §3} */
  async registerClient(request: RegistrationRequest): Promise<RegistrationResponse> {
    return register(this.#engine, request);
  }

  /** Begins an authorization: the consent page, or a redirect, or a page that says what is wrong. @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1 RFC 6749 §4.1.1} */
  async authorize(params: AuthorizationParams): Promise<Response> {
    return this.fetch(new Request(`${this.#settings.urls.authorize}?${formOf(params)}`));
  }

  /**
   * Answers the upstream's callback: a redirect to the client, or a page. The request must carry the browser's cookies. With `providers` its path has to end in the
   * provider's id, as the callback's own does.
   */
  async handleCallback(request: Request): Promise<Response> {
    const { providers } = this.#settings;
    const at = pathOf(request.url);
    const called = providers.find(({ provider: { id } }) => providers.length === 1 || at.endsWith(`/${id}`));
    return called === undefined ? new Response(null, { status: 404 }) : this.#at(called.redirectUri, request);
  }

  /** Answers the consent form: a redirect upstream or to the client, or a page. The request must carry the browser's cookies. */
  async handleConsent(request: Request): Promise<Response> {
    return this.#at(this.#settings.urls.consent, request);
  }

  /** Redeems an authorization code. @throws {OAuthProxyError} @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3 RFC 6749 §4.1.3} */
  async exchangeAuthorizationCode(request: TokenRequestParams): Promise<TokenResponse> {
    return this.#token({ ...request, grant_type: "authorization_code" });
  }

  /** Refreshes. @throws {OAuthProxyError} @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-6 RFC 6749 §6} */
  async exchangeRefreshToken(request: TokenRequestParams): Promise<TokenResponse> {
    return this.#token({ ...request, grant_type: "refresh_token" });
  }

  /**
   * The upstream's tokens behind an access token of ours, refreshed first where they are about to expire. `null` where there is no token, it is not
   * valid, or the upstream's is over and can't be renewed. One read of the storage.
   *
   * @throws {OAuthProxyError} `temporarily_unavailable` where storage or upstream can't be reached just now; nothing is lost, try again. `server_error` where
   *   the person's identity provider is configured no more
   */
  async loadUpstreamTokens(token: string | undefined): Promise<LoadedUpstreamTokens | null> {
    const { bearers, grants, upstreamSessions, runtime } = this.#engine;
    try {
      const grantId = token === undefined ? undefined : await bearers.grantOf(token);
      if (grantId === undefined) return null;
      const { value } = await upstreamSessions.fresh(grantId, await grants.living(grantId));
      const { upstream } = value;
      if (upstream === undefined || (upstream.expiresAt !== undefined && upstream.expiresAt <= runtime.now()))
        return null;
      return {
        accessToken: upstream.accessToken,
        issuedAt: new Date(upstream.issuedAt * 1000),
        scope: [...upstream.scope],
        tokenType: upstream.tokenType,
        ...(upstream.expiresAt === undefined ? {} : { expiresIn: upstream.expiresAt - upstream.issuedAt }),
        ...(upstream.idToken === undefined ? {} : { idToken: upstream.idToken }),
      };
    } catch (error) {
      if (error instanceof OAuthProxyError && (error.code === "invalid_token" || error.code === "invalid_grant"))
        return null;
      throw error;
    }
  }

  /**
   * Who is connected: one page of living grants, of everybody or of one person. For operators, and for a page on which people see what they let in.
   *
   * Costs one page of the storage's `list` (on Redis a walk over all keys, on PostgreSQL and disk an index) and one read for each grant on it. A
   * sign-in that ends meanwhile may be missing.
   *
   * @example
   * ```ts
   * const { grants, cursor } = await auth.listGrants({ subject: access.subject });
   * ```
   * @throws {ConfigurationError} naming `tokenStorage`, where it has no `list`
   * @throws {TypeError} for a `subject` that is named and is none
   * @throws {RangeError} for a `limit` or a `cursor` that is none
   * @throws {OAuthProxyError} `temporarily_unavailable` while the storage can't be reached
   */
  async listGrants(options: GrantListOptions = {}): Promise<GrantPage> {
    return this.#engine.connectedGrants.list(options);
  }

  /**
   * Ends a grant: its tokens count no more, here at once and elsewhere within `revocationCheckTtl`, and the upstream's are revoked where it can.
   *
   * An id says nothing about who asks. **On a page for people pass their `subject`**, or one person ends another's.
   *
   * @returns whether it was this call that ended it; `false` for one that is over, that is not of `subject`, or that never was
   * @throws {OAuthProxyError} `temporarily_unavailable` while the storage can't be reached
   * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2 RFC 7009 §2}
   */
  async revokeGrant(id: string, options: Pick<GrantSelection, "subject"> = {}): Promise<boolean> {
    return this.#engine.connectedGrants.end(id, options);
  }

  /**
   * Signs a person out everywhere: ends every grant of theirs, as {@link revokeGrant} does.
   *
   * A sign-in that is under way may still end after it. Where a secret has been taken out of the option `secret` within a grant's life, ask for
   * `thorough`. After a rejection some may have been ended; call it again.
   *
   * @returns how many it ended
   * @throws as {@link listGrants}
   */
  async revokeGrants(selection: GrantSelection & { readonly subject: string }): Promise<number> {
    return this.#engine.connectedGrants.endAll(selection);
  }

  /** The server metadata, with its members in camelCase. @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 RFC 8414 §2} */
  getAuthorizationServerMetadata(): AuthorizationServerMetadata {
    return toCamelCase(this.#metadata);
  }

  /** Lets go of what this server made itself. A storage that was passed in belongs to whoever passed it. No timer is ever left. */
  destroy(): void {
    this.#ownStorage?.destroy();
  }

  async #token(request: TokenRequestParams): Promise<TokenResponse> {
    return answerTokenRequest(this.#engine, undefined, parametersOf(request));
  }

  async #at(url: string, request: Request): Promise<Response> {
    const route = this.#router.find(new Request(url));
    if (route === undefined) throw new Error("the routes are incomplete");
    return toResponse(await dispatch(route, request), Response, request.method);
  }

  /** Beside a request now and then, never in its way: the process needs no timer for it. */
  #cleanUp(): void {
    const now = this.#engine.runtime.now();
    if (now - this.#cleanedAt < CLEANUP_INTERVAL) return;
    this.#cleanedAt = now;
    this.#storage
      .cleanup()
      .catch((cause: unknown) => this.#engine.observe({ type: "error", endpoint: "cleanup", cause }));
  }
}

function atomic(storage: TokenStorage, observe: Observe): AtomicTokenStorage {
  if (isAtomic(storage)) return storage;
  observe({
    type: "warning",
    message:
      "tokenStorage has no claim and replace: single use holds inside this process only. Several processes must not share it, or one code pays twice.",
  });
  return new SingleProcessStorage(storage);
}

function warn(config: OAuthProxyConfig, keySource: string | undefined, observe: Observe): void {
  const tell = (message: string) => observe({ type: "warning", message });
  if (config.enableTokenSwap === false) {
    tell(
      "enableTokenSwap is off: clients get the upstream's tokens. MCP forbids a server to accept or pass on tokens that were not issued for it" +
        " (authorization, Token Handling and Access Token Privilege Restriction).",
    );
  }
  if (config.encryptionKey === false) tell("encryptionKey is false: everything is stored in plaintext.");
  if (config.consentRequired === false)
    tell("consentRequired is false: whoever follows a link of any registered client is signed in to it unasked.");
  if (keySource !== undefined && Buffer.byteLength(keySource) < 32) {
    tell("keys are derived from a short upstream client secret. Set the option secret to at least 32 random bytes.");
  }
}

function pageSettings(config: OAuthProxyConfig, settings: Settings): PageSettings {
  return {
    serverName: config.serverName ?? new URL(settings.issuer).host,
    scopeDescriptions: config.scopeDescriptions ?? {},
    consentAction: settings.urls.consent,
    origin: settings.origin,
    secure: settings.secure,
  };
}

function originOf(url: string): string {
  return new URL(url).origin;
}

function parametersOf(request: object): Parameters {
  return parseParameters(formOf(request));
}

function formOf(request: object): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(request)) {
    for (const each of Array.isArray(value) ? value : [value]) if (typeof each === "string") form.append(name, each);
  }
  return form.toString();
}
