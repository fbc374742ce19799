/** The public surface of `@sallyport/providers`. */
export { OAuthProvider, type OAuthProviderConfig } from "@sallyport/oauth-core";
export type { UpstreamProvider } from "@sallyport/oauth-core/upstream";
export { type AppleOptions, AppleProvider, type AppleProviderConfig, apple } from "./apple.ts";
export type { Application } from "./application.ts";
export { type AtlassianOptions, AtlassianProvider, type AtlassianProviderConfig, atlassian } from "./atlassian.ts";
export { type Auth0Options, Auth0Provider, type Auth0ProviderConfig, auth0 } from "./auth0.ts";
export { type AuthentikOptions, AuthentikProvider, type AuthentikProviderConfig, authentik } from "./authentik.ts";
export {
  type CognitoOptions,
  CognitoProvider,
  type CognitoProviderConfig,
  type CognitoTokenVerifierConfig,
  cognito,
  cognitoTokenVerifier,
} from "./cognito.ts";
export { type DexOptions, DexProvider, type DexProviderConfig, dex } from "./dex.ts";
export { type DiscordOptions, DiscordProvider, type DiscordProviderConfig, discord } from "./discord.ts";
export {
  AzureProvider,
  type AzureProviderConfig,
  type EntraOptions,
  EntraProvider,
  type EntraProviderConfig,
  entra,
} from "./entra.ts";
export { type GitHubOptions, GitHubProvider, type GitHubProviderConfig, github } from "./github.ts";
export { type GitLabOptions, GitLabProvider, type GitLabProviderConfig, gitlab } from "./gitlab.ts";
export { type GoogleOptions, GoogleProvider, type GoogleProviderConfig, google } from "./google.ts";
export { type KeycloakOptions, KeycloakProvider, type KeycloakProviderConfig, keycloak } from "./keycloak.ts";
export { type LinkedInOptions, LinkedInProvider, type LinkedInProviderConfig, linkedin } from "./linkedin.ts";
export { type OAuthOptions, oauth } from "./oauth.ts";
export { type OIDCOptions, OIDCProvider, type OIDCProviderConfig, oidc } from "./oidc.ts";
export { type OktaOptions, OktaProvider, type OktaProviderConfig, okta } from "./okta.ts";
export { type SalesforceOptions, SalesforceProvider, type SalesforceProviderConfig, salesforce } from "./salesforce.ts";
export { type SlackOptions, SlackProvider, type SlackProviderConfig, slack } from "./slack.ts";
export type { VendorOptions } from "./vendor.ts";
export { type ZitadelOptions, ZitadelProvider, type ZitadelProviderConfig, zitadel } from "./zitadel.ts";
