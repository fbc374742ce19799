/** The resource-server side: lets a request through with what is known of its sender, or answers with the challenge. RFC 6750 §3, RFC 9728 §5.1. */
import type { Access, Bearers } from "./domain/bearers.ts";
import type { Observe } from "./domain/events.ts";
import { formatChallenge, parseBearer } from "./protocol/bearer.ts";
import { ConfigurationError, OAuthProxyError } from "./protocol/errors.ts";
import { includesScope, type ScopeHierarchy } from "./protocol/scope.ts";
import { wellKnownUrl } from "./protocol/well-known.ts";
import { type Origins, originCors, PUBLIC_CORS, preflight } from "./transport/cors.ts";
import { errorReply, statusOf, toRefusal } from "./transport/error-reply.ts";
import { empty, json, type Reply } from "./transport/reply.ts";
import { pathOf } from "./transport/router.ts";

/** What a route demands. */
export interface Requirement {
  /** All of these, directly or by the scope hierarchy. Default: none. */
  readonly scopes?: readonly string[] | undefined;
  /** The protected resource that the route belongs to; one of the option `resources`. Default: the only one, or else the one whose path the request is under. */
  readonly resource?: string | undefined;
}

export interface GuardOptions {
  readonly bearers: Bearers;
  readonly resources: readonly string[];
  /** What a first-time client is told to ask for where a route names nothing. */
  readonly baseline: readonly string[];
  readonly hierarchy: ScopeHierarchy;
  readonly origins: Origins;
  readonly observe: Observe;
}

const METHODS = "GET, HEAD, POST, DELETE, OPTIONS";

/** Stands in front of the protected routes. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #byPath: readonly { readonly path: string; readonly resource: string }[];

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#byPath = options.resources
      .map((resource) => ({ path: new URL(resource).pathname.replace(/\/$/, ""), resource }))
      .sort((one, other) => other.path.length - one.path.length);
  }

  /** The verified access, or the answer to give instead. */
  async check(request: Request, requirement: Requirement): Promise<Access | Reply> {
    const resource = this.#resourceOf(request, requirement.resource);
    const needed = requirement.scopes ?? [];
    const origin = request.headers.get("origin");
    // MCP transports, "Security Warning": a page of another site must not reach the tools, whatever token it got hold of (DNS rebinding).
    if (!this.#options.origins.admits(origin))
      return this.#refuse(new OAuthProxyError("origin_refused"), resource, needed, undefined);
    try {
      const token = parseBearer(request.headers.get("authorization") ?? undefined);
      // RFC 6750 §3.1: who brings nothing is not told of an error, only of the way in.
      if (token === undefined) return this.#challenge(resource, needed, undefined, 401, origin);
      const access = await this.#options.bearers.verify(token, resource);
      if (!includesScope(new Set(access.scopes), needed, this.#options.hierarchy))
        throw new OAuthProxyError("token_scope");
      return access;
    } catch (error) {
      return this.#refuse(toRefusal(error), resource, needed, origin);
    }
  }

  /** Whether a request may be a preflight of a protected resource, by its URL or its target, and its method. */
  mayPreflight(url: string, method: string): boolean {
    if (method !== "OPTIONS") return false;
    const path = pathOf(url).replace(/\/$/, "");
    return this.#byPath.some((entry) => entry.path === path);
  }

  /** The answer to a preflight of a protected resource, or `undefined` where the request isn't one. It carries no token by design of CORS. */
  preflight(request: Request): Reply | undefined {
    const { url, method, headers } = request;
    if (!this.mayPreflight(url, method) || !headers.has("access-control-request-method")) return undefined;
    const origin = request.headers.get("origin");
    if (origin === null || !this.#options.origins.admits(origin))
      return json(403, new OAuthProxyError("origin_refused").toJSON());
    return empty(204, [...Object.entries(originCors(origin)), ...preflight(METHODS)]);
  }

  /** What the answers of a protected route need, so that a page that may use it can read them. */
  corsHeaders(request: Request): Record<string, string> {
    const origin = request.headers.get("origin");
    return origin !== null && this.#options.origins.admits(origin) ? originCors(origin) : {};
  }

  #resourceOf(request: Request, named: string | undefined): string {
    const { resources } = this.#options;
    if (named !== undefined) {
      if (!resources.includes(named)) throw new ConfigurationError("resource", "is not one of the option resources");
      return named;
    }
    const [only, ...more] = resources;
    if (only !== undefined && more.length === 0) return only;
    const path = pathOf(request.url);
    const match = this.#byPath.find((entry) => path === entry.path || path.startsWith(`${entry.path}/`));
    // Never "any of them": a token for one resource would open another.
    if (match === undefined)
      throw new ConfigurationError(
        "resource",
        "has to be named for a route that is under none of the option resources",
      );
    return match.resource;
  }

  #refuse(
    error: OAuthProxyError,
    resource: string,
    needed: readonly string[],
    origin: string | null | undefined,
  ): Reply {
    if (error.reason === "internal") this.#options.observe({ type: "error", endpoint: "guard", cause: error.cause });
    else this.#options.observe({ type: "access.refused", reason: error.reason });
    if (error.code === "invalid_token" || error.code === "insufficient_scope") {
      return this.#challenge(resource, needed, error, statusOf(error), origin ?? null);
    }
    const reply = errorReply(error, false);
    return origin === undefined ? reply : { ...reply, headers: [...reply.headers, ...corsOf(origin)] };
  }

  #challenge(
    resource: string,
    needed: readonly string[],
    error: OAuthProxyError | undefined,
    status: number,
    origin: string | null,
  ): Reply {
    const challenge = formatChallenge({
      ...(error === undefined ? {} : { error: error.code, errorDescription: error.description }),
      scope: needed.length > 0 ? needed : this.#options.baseline,
      resourceMetadata: wellKnownUrl("oauth-protected-resource", resource),
    });
    const headers: Reply["headers"] = [["www-authenticate", challenge], ...corsOf(origin)];
    return error === undefined ? empty(status, headers) : json(status, error.toJSON(), headers);
  }
}

function corsOf(origin: string | null): Reply["headers"] {
  return origin === null ? PUBLIC_CORS.slice(1) : Object.entries(originCors(origin));
}
