/** An identity provider as an operator configures it, before the server has said where it lives and what it may use. */
import type { Runtime } from "../runtime.ts";
import type { Collection } from "../state/collection.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import type { Keys } from "./keys.ts";

/** What the server gives a provider to work with. */
export interface ProviderContext {
  /** Our callback for this provider and no other; what has to be registered there. RFC 9700 §4.4.2. */
  readonly redirectUri: string;
  /** Milliseconds for one request to the provider, the body included. */
  readonly requestTimeoutMs: number;
  /** The clock, randomness and outgoing requests; nothing else is to be reached for. */
  readonly runtime: Runtime;
  /** Sealed records of the provider's own, of one kind each, in the storage of the server. */
  readonly records: <T>(kind: string) => Collection<T>;
  /** Keys of the provider's own; the first signs, all verify. */
  readonly keys: Keys;
  /** Tells the operator, at the start or later. Never a token, a secret or a stranger's text. */
  readonly warn: (message: string) => void;
}

/**
 * An identity provider, as the options `provider` and `providers` take it. `@sallyport/providers` has one for each of the usual vendors, and `defineUpstream` makes
 * one of a description.
 */
export interface UpstreamProvider {
  /** One word of `a` to `z`, digits and `-`, at most 32: it stands in the callback's path and before the subject. Never change it, or everybody becomes somebody new. */
  readonly id: string;
  /** What people know it as: "Google". */
  readonly name: string;
  /** All that may be asked of it. Clients can leave some out and never add one. */
  readonly scopes: readonly string[];
  /** Those of `scopes` without which it can't be known who signed in; no client can leave them out. `openid`, `profile`, `email` and `offline_access` always are. */
  readonly requiredScopes?: readonly string[] | undefined;
  /**
   * Whether its people are named by their subjects alone, without the id before them: for accounts of our own, whose ids have no `|` in them and which only one provider of a
   * server may have. Default: false.
   */
  readonly plainSubjects?: boolean | undefined;
  /** Whether it sends its answer as a form (OAuth 2.0 Form Post Response Mode) and not in the URL. */
  readonly formPost?: boolean | undefined;
  /** Our client secret there, where it stays the same: keys are derived from it if it is the only provider and there is no option `secret`. */
  readonly clientSecret?: string | undefined;
  /** Called once, when the server is constructed. Must do no request. @throws {ConfigurationError} */
  create(context: ProviderContext): IdentityProvider;
}
