/** Which scopes exist, which of them go upstream, and which are ours to grant. RFC 6749 §3.3; MCP authorization, "Scope Selection Strategy". */
import type { Scope } from "../protocol/scope.ts";

/** Words that say who somebody is and not what may be done; the upstream always gets them where they are configured. OpenID Connect Core §5.4, §11. */
const IDENTITY: ReadonlySet<string> = new Set(["openid", "profile", "email", "offline_access"]);

/** What may be asked of one provider. */
export interface UpstreamScopes {
  readonly scopes: readonly string[];
  /** Those without which it could not be known who signs in. */
  readonly requiredScopes?: readonly string[] | undefined;
}

/**
 * What is asked of a provider. A client can never add a scope to what the operator configured, only leave some out, and none that says who somebody is.
 */
export function selectUpstream(requested: Scope, { scopes, requiredScopes = [] }: UpstreamScopes): readonly string[] {
  const always = (word: string) => IDENTITY.has(word) || requiredScopes.includes(word);
  // Whoever names none of this provider's words has not meant to leave all of them out.
  return scopes.some((word) => requested.has(word))
    ? scopes.filter((word) => requested.has(word) || always(word))
    : scopes;
}

/** What is asked of a provider where all that matters is who somebody is: nothing that may be done in their name, and nothing that outlasts the answer. */
export function selectIdentity({ scopes, requiredScopes = [] }: UpstreamScopes): readonly string[] {
  return scopes.filter((word) => (IDENTITY.has(word) && word !== "offline_access") || requiredScopes.includes(word));
}

/** The scopes of one server. */
export class ScopePolicy {
  /** What may be asked of the upstream, or of any of several. */
  readonly upstream: readonly string[];
  /** What this server grants itself; never sent upstream. */
  readonly resource: readonly string[];
  readonly #defaults: readonly string[];

  constructor(upstream: readonly string[], resource: readonly string[], defaults: readonly string[]) {
    this.upstream = upstream;
    this.resource = resource.filter((word) => !upstream.includes(word));
    this.#defaults = defaults;
  }

  /** Everything a client may ask for. */
  get supported(): readonly string[] {
    return [...this.upstream, ...this.resource];
  }

  /** What a client needs to begin with, as the protected resource announces it. RFC 9728 §2; `offline_access` is no business of a resource. */
  get baseline(): readonly string[] {
    return [...this.upstream, ...this.#defaults].filter((word) => word !== "offline_access");
  }

  /** What a registration is told that it may use. */
  registered(requested: Scope | undefined): readonly string[] {
    const known = this.supported.filter((word) => requested?.has(word) ?? false);
    return known.length > 0 ? known : [...this.upstream, ...this.#defaults];
  }

  /**
   * Divides what a client asks for. Unknown words are dropped and never an error: clients ask for `openid profile email` where nothing is advertised.
   *
   * @param upstreams each provider that may be chosen; `scope` is then what is asked of any of them
   * @see {@link selectUpstream}
   */
  select(
    requested: Scope,
    upstreams: readonly UpstreamScopes[] = [{ scopes: this.upstream }],
  ): { scope: readonly string[]; resourceScope: readonly string[] } {
    const namesOfOurs = this.resource.some((word) => requested.has(word));
    return {
      scope: [...new Set(upstreams.flatMap((upstream) => selectUpstream(requested, upstream)))],
      resourceScope: namesOfOurs ? this.resource.filter((word) => requested.has(word)) : this.#defaults,
    };
  }
}
