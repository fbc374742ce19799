/** The port behind which a person proves who they are: an upstream OAuth server, or accounts of our own. */

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

/** Who signed in. */
export interface Identity {
  /** Stable for one person at this provider; absent where the provider tells nobody's identity. */
  readonly subject: string | undefined;
  /** What the provider says of them, already filtered for our own tokens. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly tokens?: UpstreamTokens | undefined;
}

/** One sign-in, as it is begun. */
export interface SignIn {
  readonly state: string;
  readonly nonce: string;
  /** S256 of the verifier that will be needed to complete. */
  readonly codeChallenge: string;
  readonly scope: readonly string[];
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
  /** One word; in a server with several it is part of the callback path. */
  readonly id: string;
  /** What people call it, for the pages. */
  readonly name: string;
  /** The URL to send the browser to. */
  begin(signIn: SignIn): string;
  /**
   * Checks the `iss` of an authorization response, before anything else of it is believed.
   * @throws {OAuthProxyError} `upstream_issuer`
   * @see {@link https://www.rfc-editor.org/rfc/rfc9207#section-2.4 RFC 9207 §2.4}
   */
  checkIssuer(issuer: string | undefined): void;
  /** Redeems the answer. @throws {OAuthProxyError} `upstream_…` */
  complete(answer: SignInAnswer): Promise<Identity>;
  /** New tokens for old ones, for the same subject. @throws {OAuthProxyError} `upstream_invalid_grant` when the session is over for good, `upstream_unavailable` when it may come back */
  refresh(tokens: UpstreamTokens, subject: string): Promise<Identity>;
  /** Ends the tokens upstream, where the upstream can. */
  revoke(tokens: UpstreamTokens): Promise<void>;
}
