/** The port behind which a person proves who they are: an upstream OAuth server, or accounts of our own. */

/** Claims as somebody sent them. */
export type Claims = Readonly<Record<string, unknown>>;

/** The tokens that an upstream gave us for one person. They never leave the server in swap mode. */
export interface UpstreamTokens {
  readonly accessToken: string;
  readonly tokenType: string;
  readonly scope: readonly string[];
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** Seconds since 1970; absent where the upstream named no lifetime. */
  readonly expiresAt?: number | undefined;
  readonly refreshToken?: string | undefined;
  /** Seconds since 1970. */
  readonly refreshExpiresAt?: number | undefined;
  readonly idToken?: string | undefined;
}

/** A person, in words that are the same for every provider. What a provider does not say is absent, and never guessed. */
export interface Profile {
  /** As the provider wrote it. Worth nothing for a decision unless `emailVerified` is `true`. */
  readonly email?: string | undefined;
  /** Whether the provider vouches that the address is this person's. Absent counts as no: anybody may have typed it. */
  readonly emailVerified?: boolean | undefined;
  readonly name?: string | undefined;
  /** The URL of a picture. */
  readonly picture?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly roles?: readonly string[] | undefined;
  /** Organisations that the person belongs to, as the provider names them: GitHub organisations, Auth0 organisations, a Google Workspace domain. */
  readonly organizations?: readonly string[] | undefined;
  /** The directory that the account belongs to, such as an Entra tenant id. */
  readonly tenant?: string | undefined;
}

/** An account of our own, as it was when somebody signed in to it. */
export interface OwnAccount {
  readonly id: string;
  /** How often it had been signed out everywhere: whatever began under an earlier number counts no more. */
  readonly epoch: number;
}

/** Who signed in. */
export interface Identity extends Profile {
  /** The provider's own name of the person, stable for as long as the account exists; absent where the provider tells nobody's identity. */
  readonly subject: string | undefined;
  /** All that the provider said of the person, unfiltered; which of it gets into our own tokens is decided elsewhere. */
  readonly claims: Claims;
  /** The same of the access token, where it is a JWT that is ours to read. */
  readonly accessTokenClaims?: Claims | undefined;
  readonly tokens?: UpstreamTokens | undefined;
  /** The account of our own behind it; absent where there is none. */
  readonly own?: OwnAccount | undefined;
  /** At a refresh: the provider gave new tokens and no new word about the person. */
  readonly partial?: true | undefined;
}

/** One sign-in, as it is begun. */
export interface SignIn {
  readonly state: string;
  readonly nonce: string;
  /** S256 of the verifier that will be needed to complete. */
  readonly codeChallenge: string;
  readonly scope: readonly string[];
  /** Where the browser ends up after all, as a source for `form-action`: a page of our own has to allow it, because Chrome applies its policy to the redirects that follow. */
  readonly formTarget: string;
  /** When the sign-in ends, in seconds since 1970: whoever comes back later has to begin anew, and a page of our own should say so rather than take a password. */
  readonly expiresAt: number;
}

/** What came back to our callback, together with what was kept from the beginning. */
export interface SignInAnswer {
  readonly code: string;
  readonly codeVerifier: string;
  readonly nonce: string;
  readonly scope: readonly string[];
}

/** Where a person proves who they are. */
export interface IdentityProvider {
  /** The origin that {@link begin} leads to, where it is known already: a page's policy has to allow it. */
  readonly origin?: string | undefined;
  /** The URL to send the browser to. @throws {OAuthProxyError} `upstream_unavailable` where that can't be known now */
  begin(signIn: SignIn): string | Promise<string>;
  /**
   * Checks the `iss` of an authorization response, before anything else of it is believed.
   * @throws {OAuthProxyError} `upstream_issuer`
   * @see {@link https://www.rfc-editor.org/rfc/rfc9207#section-2.4 RFC 9207 §2.4}
   */
  checkIssuer(issuer: string | undefined): void | Promise<void>;
  /** Redeems the answer. @throws {OAuthProxyError} `upstream_…` */
  complete(answer: SignInAnswer): Promise<Identity>;
  /**
   * New tokens for old ones, for the same person.
   *
   * @param subject as {@link Identity.subject} was when they signed in
   * @throws {OAuthProxyError} `upstream_invalid_grant` when the session is over for good, `upstream_unavailable` when it may come back
   */
  refresh(tokens: UpstreamTokens, subject: string): Promise<Identity>;
  /** Ends the tokens upstream, where the upstream can. */
  revoke(tokens: UpstreamTokens): Promise<void>;
  /** What is known of accounts of our own, where these are what the provider signs in to. */
  readonly accounts?: OwnAccounts | undefined;
}

/** An identity of another provider, as it is linked with an account of our own. */
export interface LinkedIdentity {
  /** The id of the provider. */
  readonly provider: string;
  /** As the provider names the person. */
  readonly subject: string;
}

/** Accounts of our own: which one an identity of another provider belongs to, and whether it may still be used. */
export interface OwnAccounts {
  /**
   * The person whose account an identity of another provider is linked with; `undefined` where it is nobody's.
   *
   * @throws {OAuthProxyError} `account_barred` where the account may not be used; `temporarily_unavailable` where it can't be known
   */
  linkedWith(identity: LinkedIdentity): Promise<Identity | undefined>;
  /**
   * The person in today's words; `undefined` where what began with this sign-in counts no more: the account is disabled, was signed out everywhere since, or `linked`,
   * through which it was signed in to, is linked with it no more.
   *
   * @throws {OAuthProxyError} `temporarily_unavailable` where it can't be known
   */
  standing(account: OwnAccount, linked: LinkedIdentity | undefined): Promise<Identity | undefined>;
}
