/** Our application at a provider: what the operator registered there, and how a preset hands it to the server. */
import type { OAuthProxyConfig, PresetConfig } from "@sallyport/oauth-core";
import type { UpstreamProvider } from "@sallyport/oauth-core/upstream";

/** What every provider needs to know. */
export interface Application {
  /** Our client id there. */
  readonly clientId: string;
  /** Our client secret there. Keys are derived from it where it belongs to the only provider, and no `secret` is given. */
  readonly clientSecret: string;
  /** What may be asked of the provider. Clients can leave some out and never add one. Each provider has its own default. */
  readonly scopes?: readonly string[] | undefined;
  /** Further parameters of the authorization request. Those that the flow needs can't be replaced. */
  readonly extraAuthorizationParams?: Readonly<Record<string, string>> | undefined;
  /**
   * One word of `a` to `z`, digits and `-`: it stands before each subject, and in the callback's path where there are several providers. For a second application
   * at the same vendor. Danger: with another id everybody becomes somebody new.
   */
  readonly id?: string | undefined;
}

/** The options of a preset as those of the server: what belongs to the provider goes to it and nowhere else. */
export function withProvider(config: PresetConfig & Application, provider: UpstreamProvider): OAuthProxyConfig {
  const { clientId, clientSecret, scopes, extraAuthorizationParams, id, ...others } = config;
  return { ...others, provider };
}

/** Scopes, with those that the provider can't do without in front. */
export function including(needed: readonly string[], scopes: readonly string[]): readonly string[] {
  return [...new Set([...needed, ...scopes])];
}
