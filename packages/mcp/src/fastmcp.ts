/** For FastMCP 4: an object for its option `auth`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Access, type OAuthProxy, OAuthProxyError, toAuthInfo } from "@sallyport/oauth-core";
import { AuthProvider, type FastMCP, type OAuthSession } from "fastmcp";
import { resourceOf } from "./authority.ts";
import { onSessionIssued, watchResponses } from "./issued-sessions.ts";
import { OwnedSessions } from "./owned-sessions.ts";

/** Who calls a tool, as FastMCP hands it to `canAccess` and, as `session`, to `execute`. */
export interface SallyportSession extends OAuthSession {
  /** The upstream's access token, fresh. Empty where the upstream's session is over: the person then has to sign in again. */
  accessToken: string;
  /** The upstream's ID token, where it gave one. */
  idToken?: string;
  /** The scopes of our token, and all that they contain. */
  scopes: string[];
  /** All claims of our token. */
  claims: Record<string, unknown>;
  /** When our token expires, in seconds since 1970. */
  expiresAt: number;
  /** The person, stable for one identity provider. */
  subject: string;
  clientId: string;
  /** The upstream's refresh token stays with the server. */
  refreshToken?: never;
  [name: string]: unknown;
}

/** How the endpoint is guarded. */
export interface SallyportProviderOptions {
  /** Scopes without which nothing of the endpoint can be used. Default: none. */
  readonly scopes?: readonly string[] | undefined;
  /** The resource that the endpoint is; one of the server's. Default: the only one. */
  readonly resource?: string | undefined;
}

/** What somebody could do when their session began: FastMCP chooses a session's tools then, and never again. */
interface Rights {
  readonly scopes: readonly string[];
  readonly claims: string;
}

/** Claims that differ from token to token of the same person with the same rights. */
const OF_THE_TOKEN: ReadonlySet<string> = new Set(["exp", "iat", "nbf", "jti", "scope"]);

/** Where FastMCP serves the transport of 2024, whose second half never asks who sends. */
const SSE_PATH = "/sse";

/**
 * Sallyport behind FastMCP. Each request to the MCP endpoint is verified by our guard, and refused with its challenge; sessions belong to whoever began them.
 *
 * {@link mount} has to be called once: FastMCP's own OAuth routes would lose the cookies that tie a sign-in to one browser.
 *
 * @example
 * ```ts
 * const provider = new SallyportProvider(auth, { scopes: ["mcp:tools"] });
 * const server = new FastMCP<SallyportSession>({ name: "notes", version: "1.0.0", auth: provider });
 * provider.mount(server);
 * ```
 */
export class SallyportProvider extends AuthProvider<SallyportSession> {
  readonly #auth: OAuthProxy;
  readonly #resource: string;
  readonly #scopes: readonly string[];
  readonly #sessions = new OwnedSessions<Rights>();
  #mounted = false;

  /** @throws {Error} where the server protects several resources and none is named */
  constructor(auth: OAuthProxy, options: SallyportProviderOptions = {}) {
    // FastMCP's base class wants to make a proxy of its own of these; it never comes to that.
    super({ baseUrl: auth.issuer, clientId: "", clientSecret: "" });
    this.#auth = auth;
    this.#resource = resourceOf(auth, options.resource);
    this.#scopes = options.scopes ?? [];
    watchResponses();
  }

  /** Serves every endpoint and well-known document of the authorization server on FastMCP's HTTP server, in front of FastMCP's own. */
  mount(server: Pick<FastMCP<SallyportSession>, "getApp">): void {
    this.#mounted = true;
    server.getApp().use("*", async ({ req, env }, next) => {
      const response = await this.#auth.handle(req.raw);
      if (response === undefined) return next();
      // RFC 9700 §2.6: FastMCP lets every origin read every route. What may be read across origins is in our own answers.
      withoutCors((env as { readonly outgoing?: ServerResponse } | undefined)?.outgoing);
      return response;
    });
  }

  /**
   * The session of a verified request to the MCP endpoint.
   *
   * @throws {Response} for everybody else: FastMCP sends it as it is
   */
  override async authenticate(request: IncomingMessage | undefined): Promise<SallyportSession | undefined> {
    // MCP authorization, "Protocol Requirements": on stdio, whoever started the process is its user.
    if (request === undefined) return undefined;
    if (!this.#mounted) throw refusal(500, "The server is not assembled: call mount(server) of the SallyportProvider.");
    // Messages of such a session are taken from anybody who knows its id, so there must be none.
    if (pathOf(request) === SSE_PATH && new URL(this.#resource).pathname !== SSE_PATH) throw refusal(404, "Not found");
    const access = await this.#auth.protect(verifiable(request, this.#resource), {
      scopes: this.#scopes,
      resource: this.#resource,
    });
    if (!("token" in access)) throw access;
    this.#checkSession(request, access);
    return this.#sessionOf(access);
  }

  /** What FastMCP announces. Without a `proxy`, it serves no OAuth routes of its own. */
  override getOAuthConfig(): ReturnType<AuthProvider["getOAuthConfig"]> {
    const config: Partial<ReturnType<AuthProvider["getOAuthConfig"]>> = {
      authorizationServer: this.#auth.getAuthorizationServerMetadata(),
      enabled: true,
      protectedResource: { authorizationServers: [this.#auth.issuer], resource: this.#resource, scopesSupported: [] },
    };
    return config as ReturnType<AuthProvider["getOAuthConfig"]>;
  }

  /** There is none of FastMCP's. @throws {Error} always: the `OAuthProxy` is the one that the constructor was given */
  override getProxy(): never {
    return this.createProxy();
  }

  protected override createProxy(): never {
    throw new Error("SallyportProvider has no proxy of FastMCP's. Use the OAuthProxy that it was made with.");
  }

  protected override getAuthorizationEndpoint(): string {
    return this.#auth.getAuthorizationServerMetadata().authorizationEndpoint;
  }

  protected override getTokenEndpoint(): string {
    return this.#auth.getAuthorizationServerMetadata().tokenEndpoint;
  }

  protected override getDefaultScopes(): string[] {
    return [];
  }

  /** MCP transports, "Session Management": a session id is no credential, and what somebody else's session may do is not for whoever knows its id. */
  #checkSession(request: IncomingMessage, access: Access): void {
    const id = request.headers["mcp-session-id"];
    const authInfo = toAuthInfo(access);
    const now: Rights = { scopes: this.#auth.impliedScopes(access.scopes), claims: rightsIn(access.claims) };
    if (id === undefined) {
      onSessionIssued(request, (issued) => this.#sessions.add(issued, authInfo, now));
      return;
    }
    const then = this.#sessions.find(id, authInfo);
    // A session keeps the tools that it began with. Whoever has fewer rights today needs a new one.
    const covered = then?.claims === now.claims && then.scopes.every((scope) => now.scopes.includes(scope));
    if (!covered) throw refusal(404, "Session not found");
  }

  async #sessionOf(access: Access): Promise<SallyportSession> {
    try {
      const upstream = await this.#auth.loadUpstreamTokens(access.token);
      return {
        accessToken: upstream?.accessToken ?? "",
        ...(upstream?.idToken === undefined ? {} : { idToken: upstream.idToken }),
        scopes: this.#auth.impliedScopes(access.scopes),
        claims: { ...access.claims },
        expiresAt: access.expiresAt,
        subject: access.subject,
        clientId: access.clientId,
      };
    } catch (error) {
      // Anything but a Response would become a 401, and the client would throw its good token away.
      if (error instanceof OAuthProxyError) throw refusal(503, error.description, { "retry-after": "5" });
      throw refusal(500, "The server failed.");
    }
  }
}

/** A request that says no more than the guard looks at. Several `Authorization` headers stay several, and are refused. RFC 6750 §3.1. */
function verifiable(request: IncomingMessage, resource: string): Request {
  const headers = new Headers();
  for (const name of ["authorization", "origin"])
    for (const value of request.headersDistinct[name] ?? []) headers.append(name, value);
  return new Request(resource, { method: "POST", headers });
}

function pathOf(request: IncomingMessage): string {
  return new URL(request.url ?? "/", "http://localhost").pathname;
}

function rightsIn(claims: Readonly<Record<string, unknown>>): string {
  const lasting = Object.entries(claims).filter(([name]) => !OF_THE_TOKEN.has(name));
  return JSON.stringify(lasting.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function refusal(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Response {
  const code = status === 404 ? -32_001 : -32_000;
  return Response.json({ jsonrpc: "2.0", error: { code, message }, id: null }, { status, headers });
}

function withoutCors(response: ServerResponse | undefined): void {
  for (const name of response?.getHeaderNames() ?? [])
    if (name.startsWith("access-control-")) response?.removeHeader(name);
}
