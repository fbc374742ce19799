/** The public surface of `@sallyport/oauth-core`. */
export { type AuthInfo, toAuthInfo } from "./auth-info.ts";
export type { AuthorizationServerMetadata } from "./authorization-server-metadata.ts";
export type { CustomClaimsPassthroughConfig } from "./claims-options.ts";
export type { ConfiguredClient, RegistrationConfig } from "./client-options.ts";
export type { AllowFunction, AllowRules, LinkSubject, SignedInIdentity } from "./domain/admission.ts";
export type { Access } from "./domain/bearers.ts";
export type { ConnectedGrant, GrantListOptions, GrantPage, GrantSelection } from "./domain/connected-grants.ts";
export type { Happening, OAuthEvent, RevocationCause, UpstreamOperation } from "./domain/events.ts";
export type {
  JwksDocument,
  PublishingSigner,
  SignedToken,
  Signer,
  SignerParts,
  SigningHappening,
  SigningKeyRecord,
  SigningKeyRecords,
  SigningSource,
} from "./domain/signer.ts";
export type { TokenVerificationResult, TokenVerifier } from "./domain/token-verifier.ts";
export type { UpstreamProvider } from "./domain/upstream-provider.ts";
export type { HandleOptions } from "./front-door.ts";
export type { Requirement } from "./guard.ts";
export { JWTIssuer, type JWTIssuerConfig } from "./jwt-issuer.ts";
export { OAuthProvider, type OAuthProviderConfig } from "./oauth-provider.ts";
export {
  type AuthorizationParams,
  type LoadedUpstreamTokens,
  OAuthProxy,
  type TokenRequestParams,
} from "./oauth-proxy.ts";
export type { OAuthProxyConfig, PresetConfig } from "./options.ts";
export { type PKCEPair, PKCEUtils } from "./pkce-utils.ts";
export type { RegistrationRequest, RegistrationResponse } from "./protocol/client-metadata.ts";
export { ConfigurationError, type OAuthErrorCode, OAuthProxyError, type Reason } from "./protocol/errors.ts";
export type { ScopeHierarchy } from "./protocol/scope.ts";
export type { TokenResponse } from "./protocol/token-response.ts";
export { ResourceServer, type ResourceServerConfig } from "./resource-server.ts";
export type { Runtime } from "./runtime.ts";
export {
  type AuthSession,
  type Check,
  getAuthSession,
  requireAll,
  requireAny,
  requireAuth,
  requireRole,
  requireScopes,
} from "./session.ts";
export { EncryptedTokenStorage } from "./state/encrypted-token-storage.ts";
export { MemoryTokenStorage } from "./state/memory-token-storage.ts";
export {
  type AtomicTokenStorage,
  isAtomic,
  type KeyPage,
  type ListOptions,
  type TokenStorage,
} from "./state/token-storage.ts";
export type { Reply } from "./transport/reply.ts";
