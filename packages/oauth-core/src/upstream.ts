/** What the author of an identity provider needs of the core, and nothing that serves requests: the port, and upstream OAuth servers as data. */
export type {
  Claims,
  Identity,
  IdentityProvider,
  LinkedIdentity,
  OwnAccount,
  OwnAccounts,
  Profile,
  SignIn,
  SignInAnswer,
  UpstreamTokens,
} from "./domain/identity-provider.ts";
export type { TokenVerificationResult, TokenVerifier } from "./domain/token-verifier.ts";
export type { ProviderContext, UpstreamProvider } from "./domain/upstream-provider.ts";
export { ConfigurationError, OAuthProxyError } from "./protocol/errors.ts";
export type { Runtime } from "./runtime.ts";
export { defineUpstream } from "./upstream/define-upstream.ts";
export type {
  Discovery,
  IdentifiedPerson,
  IdentitySources,
  IdTokenExpectation,
  IssuerCheck,
  TokenParamsRequest,
  UpstreamAuthMethod,
  UpstreamDescriptor,
  UpstreamEndpoints,
  UpstreamHttp,
} from "./upstream/descriptor.ts";
export { profileOf } from "./upstream/profile.ts";
