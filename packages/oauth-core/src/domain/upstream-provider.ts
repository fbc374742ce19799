/** An identity provider as an operator configures it, before the server has said where it lives and what it may use. */
import type { Runtime } from "../runtime.ts";
import type { IdentityProvider } from "./identity-provider.ts";

/** What the server gives a provider to work with. */
export interface ProviderContext {
  /** Our callback for this provider and no other; what has to be registered there. RFC 9700 §4.4.2. */
  readonly redirectUri: string;
  /** Milliseconds for one request to the provider, the body included. */
  readonly requestTimeoutMs: number;
  /** The clock, randomness and outgoing requests; nothing else is to be reached for. */
  readonly runtime: Runtime;
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
  /** Whether it sends its answer as a form (OAuth 2.0 Form Post Response Mode) and not in the URL. */
  readonly formPost?: boolean | undefined;
  /** Our client secret there, where it stays the same: keys are derived from it if it is the only provider and there is no option `secret`. */
  readonly clientSecret?: string | undefined;
  /** Called once, when the server is constructed. Must do no request. @throws {ConfigurationError} */
  create(context: ProviderContext): IdentityProvider;
}
