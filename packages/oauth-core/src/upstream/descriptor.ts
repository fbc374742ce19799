/** An upstream OAuth 2.0 or OpenID Connect server as data: where it is, what it wants, and the few places where a vendor deviates. */
import type { Claims, Profile, UpstreamTokens } from "../domain/identity-provider.ts";
import type { TokenVerifier } from "../domain/token-verifier.ts";
import type { Runtime } from "../runtime.ts";

/** How we authenticate at the token and revocation endpoints. RFC 6749 §2.3.1. */
export type UpstreamAuthMethod = "client_secret_basic" | "client_secret_post" | "none";

/** Where an upstream is. https, or http on a loopback address. */
export interface UpstreamEndpoints {
  readonly authorization: string;
  readonly token: string;
  /** OpenID Connect Core §5.3, or whatever says who a token speaks for. */
  readonly userinfo?: string | undefined;
  /** RFC 7009. */
  readonly revocation?: string | undefined;
  /** The keys that ID tokens are signed with. RFC 7517. */
  readonly jwks?: string | undefined;
}

/** Where to find out. OpenID Connect Discovery 1.0 §4, RFC 8414 §3. */
export interface Discovery {
  /** What the document must name as its `issuer`, character for character. */
  readonly issuer: string;
  /** The document. Default: `/.well-known/openid-configuration` below the issuer. */
  readonly url?: string | undefined;
}

/** Whether an `iss` is one of this upstream's, where it has many: Entra's are one for each tenant. `claims` is absent for the `iss` of a callback. */
export type IssuerCheck = (issuer: string, claims: Claims | undefined) => boolean;

/** What the signature of an ID token has to be checked against. */
export interface IdTokenExpectation {
  /** Of the document or the description. Already checked against the token when the verifier is asked. */
  readonly issuer: string | IssuerCheck;
  /** The audience: our client id. */
  readonly clientId: string;
  readonly jwksUri: string;
  /** The asymmetric ones that the upstream says it signs with; never `none`, never `HS…`. Not empty. */
  readonly algorithms: readonly string[];
  readonly requestTimeoutMs: number;
  readonly runtime: Runtime;
}

/** Requests to the upstream from within a hook: bounded in time and size, never following a redirect, https or loopback only. */
export interface UpstreamHttp {
  /**
   * JSON of whatever shape, with the person's access token.
   *
   * @throws {OAuthProxyError} `upstream_unavailable` for no answer, 5xx and 429; `upstream_identity` for anything else that is not 200 with JSON. A refresh survives either:
   *   the person is not looked at anew
   */
  getJson(url: string, headers?: Readonly<Record<string, string>>): Promise<unknown>;
  /** Any request, without the access token. @throws {OAuthProxyError} `upstream_unavailable` */
  send(
    url: string,
    init: {
      readonly method: string;
      readonly headers?: Readonly<Record<string, string>> | undefined;
      readonly body?: string | undefined;
    },
  ): Promise<{ readonly status: number; readonly body: string }>;
}

/** All that was learnt at a sign-in, for {@link UpstreamDescriptor.identify}. */
export interface IdentitySources {
  /** The ID token's, verified; absent where none came. */
  readonly idToken: Claims | undefined;
  /** The answer of the UserInfo endpoint; its `sub` is the ID token's. Absent where it was not asked. */
  readonly userinfo: Claims | undefined;
  /** The access token's, where it is a JWT; received from the token endpoint, and otherwise unverified. */
  readonly accessToken: Claims | undefined;
  /** The token endpoint's whole answer, where it is JSON; after `mapToken`. */
  readonly tokenAnswer: Claims;
  readonly tokens: UpstreamTokens;
  readonly http: UpstreamHttp;
  /** Tells the operator what stands in the way of a rule or a claim. Never what a person or the upstream wrote. */
  readonly warn: (message: string) => void;
}

/** What {@link UpstreamDescriptor.identify} answers. */
export interface IdentifiedPerson extends Profile {
  /** The provider's own name of the person: stable, never given to somebody else. At most 255 characters. Where it is absent nobody is signed in. */
  readonly subject: string | undefined;
  /** Further claims, beside those of the ID token and UserInfo, which they win over. */
  readonly claims?: Claims | undefined;
}

/** One request to the token endpoint, as {@link UpstreamDescriptor.tokenParams} sees it. */
export interface TokenParamsRequest {
  readonly grantType: "authorization_code" | "refresh_token";
  /** What was asked for at the sign-in, or granted by the answer before. */
  readonly scope: readonly string[];
}

/** An upstream. Everything but the first few members is a deviation from the plain case, and is absent there. */
export interface UpstreamDescriptor {
  /** See `UpstreamProvider.id`. */
  readonly id: string;
  /** What people know it as. */
  readonly name: string;
  readonly clientId: string;
  /** Our secret there; a function of the server's clock (seconds since 1970) where it is made anew for each request, as Apple wants. Empty only with the method `none`. */
  readonly clientSecret: string | ((now: number) => string | Promise<string>);
  /** Default: `client_secret_basic`. */
  readonly authMethod?: UpstreamAuthMethod | undefined;
  /** See `UpstreamProvider.scopes`. */
  readonly scopes: readonly string[];
  /** See `UpstreamProvider.requiredScopes`. */
  readonly requiredScopes?: readonly string[] | undefined;

  /** Endpoints that are known; they win over discovered ones. Without `discovery`, `authorization` and `token` are needed. */
  readonly endpoints?: Partial<UpstreamEndpoints> | undefined;
  /** Where the other endpoints are found out. The first request to the upstream waits for it; nothing is fetched before. */
  readonly discovery?: Discovery | undefined;
  /** What `iss` of ID tokens and callbacks must be. Default: the discovered issuer; without discovery, unchecked. */
  readonly issuer?: string | IssuerCheck | undefined;
  /** Whether the callback must have `iss` (RFC 9207). Default: what discovery says, else no. Where it is sent it is checked either way. */
  readonly issuerParameter?: boolean | undefined;

  /** Parameters of the authorization request, such as `access_type=offline`. Those that the flow's safety hangs from can't be replaced. */
  readonly authorizationParams?: Readonly<Record<string, string>> | undefined;
  /** Between the words of `scope`. Default: a space, as RFC 6749 §3.3 has it. */
  readonly scopeSeparator?: " " | "," | undefined;
  /** `form_post`: asked for in the authorization request, and accepted at the callback. Default: the URL's query. */
  readonly responseMode?: "form_post" | undefined;
  /** Whether the upstream bears PKCE parameters. Default: true. Danger when false: an intercepted code of the upstream can be injected. */
  readonly pkce?: boolean | undefined;

  /** Parameters of a token request beyond those of the RFC, which they can't replace. */
  readonly tokenParams?: ((request: TokenParamsRequest) => Readonly<Record<string, string>>) | undefined;
  /** Puts a token answer of an odd shape into that of RFC 6749 §5.1, before anything is read of it. Pure; where it throws, the answer is malformed. */
  readonly mapToken?: ((answer: Claims) => Claims) | undefined;
  /** Words of `error` by which a refresh is refused for good, beside `invalid_grant`. Only at a refresh. RFC 6749 §5.2 has the plain case. */
  readonly endsSession?: readonly string[] | undefined;
  /** Names by which granted scopes come back, and those by which they are asked for. */
  readonly scopeAliases?: Readonly<Record<string, string>> | undefined;

  /** When UserInfo is asked: `fallback`: where no ID token came (the default); `always`: then too, for what an ID token leaves out; `never`. */
  readonly userinfo?: "fallback" | "always" | "never" | undefined;
  /** Headers of the UserInfo request beyond the usual ones. */
  readonly userinfoHeaders?: Readonly<Record<string, string>> | undefined;
  /** Whether claims are read from an access token that is a JWT. Default: true. Entra's are for somebody else and not to be read. */
  readonly readAccessToken?: boolean | undefined;
  /** Who it is. Default: `sub` (or `id`) and the claims of OpenID Connect Core §5.1, `groups` and `roles`. A pseudonym is given only where there is neither this nor UserInfo nor an ID token. */
  readonly identify?: ((sources: IdentitySources) => IdentifiedPerson | Promise<IdentifiedPerson>) | undefined;

  /**
   * Makes what verifies the signatures of ID tokens, once for each set of metadata. Without it the signature is not looked at, which OpenID Connect Core §3.1.3.7
   * item 6 allows for a token that came from the token endpoint over TLS. All other checks are made either way.
   */
  readonly idTokenVerifier?: ((expected: IdTokenExpectation) => TokenVerifier) | undefined;
  /** The algorithms of ID tokens where discovery does not say. Default: RS256. */
  readonly idTokenAlgorithms?: readonly string[] | undefined;

  /** How many tokens have to be named to end a session: `both` of them (the default), or only `one`, the refresh token where there is one. */
  readonly revokes?: "both" | "one" | undefined;
  /** Ends the tokens where the vendor has no RFC 7009 endpoint but a way of its own. */
  readonly revoke?: ((tokens: UpstreamTokens, http: Pick<UpstreamHttp, "send">) => Promise<void>) | undefined;
}
