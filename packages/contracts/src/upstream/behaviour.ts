/** What can be told to an upstream stand-in, and what can be asked of it. */

/** Members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>;

export type UpstreamEndpointName = "authorization" | "token" | "userinfo" | "revocation" | "jwks" | "discovery";

/** An answer; of `json`, `form` and `text` at most one. `hang` never answers, `cut` closes the connection. */
export type UpstreamReply =
  | {
      /** Default: 200. */
      readonly status?: number | undefined;
      readonly headers?: Readonly<Record<string, string>> | undefined;
      readonly json?: unknown;
      readonly form?: Readonly<Record<string, string>> | undefined;
      readonly text?: string | undefined;
    }
  | "hang"
  | "cut";

/** One sign-in, from its authorization request to its last token. */
export interface UpstreamSession {
  /** The claims of whoever signed in. */
  readonly person: Members;
  /** What was asked for, by spaces or commas. */
  readonly scope: readonly string[];
  /** The authorization request. */
  readonly authorization: URLSearchParams;
}

/** A request as it arrived. */
export interface UpstreamRequest {
  readonly method: string;
  /** As it was meant, with the vendor's host where {@link UpstreamOptions.issuer} or an endpoint is a vendor's. */
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  /** The body, read as a form. */
  readonly form: URLSearchParams;
  /** The token of `Authorization: Bearer`. */
  readonly bearer: string | undefined;
  /** Whose code or token it carries, where it is a living one. */
  readonly session: UpstreamSession | undefined;
}

/** An ID token before it is signed. */
export interface IdTokenParts {
  /** `alg` decides how it is signed: `none` not at all, `HS256` with the client secret. */
  readonly header: Members;
  /** A member that is `undefined` is left out. */
  readonly claims: Members;
  /** Default: `published`. */
  readonly key?: "published" | "unpublished" | undefined;
}

/** How it deviates from the plain case. Each function gets what would be answered, and says what is answered. */
export interface UpstreamBehaviour {
  /** The parameters that the browser takes back, `code` and `state` as a rule. */
  readonly authorization?: (
    parameters: Readonly<Record<string, string>>,
    request: UpstreamRequest,
  ) => Readonly<Record<string, string>>;
  /** The token endpoint's answer to a request that is in order. */
  readonly token?: (answer: Members, request: UpstreamRequest) => UpstreamReply;
  /** The token endpoint's answer to a request that is not; `answer.error` says why. Default: 400, and 401 for `invalid_client`. */
  readonly refusal?: (answer: Members, request: UpstreamRequest) => UpstreamReply;
  /** UserInfo of a living access token. Without a living one the answer is 401. */
  readonly userinfo?: (answer: Members, request: UpstreamRequest) => UpstreamReply;
  readonly revocation?: (request: UpstreamRequest) => UpstreamReply;
  readonly discovery?: (document: Members, request: UpstreamRequest) => UpstreamReply;
  readonly jwks?: (document: Members, request: UpstreamRequest) => UpstreamReply;
  /** The ID token that goes with an access token, where `openid` is among the scopes; text is sent as it stands, `undefined` leaves it out. */
  readonly idToken?: (token: IdTokenParts, request: UpstreamRequest) => IdTokenParts | string | undefined;
  /** Makes access tokens JWTs with these claims. Default: opaque ones. */
  readonly accessToken?: (session: UpstreamSession) => Members;
  /** Whether a sign-in gets a refresh token. Default: always. */
  readonly givesRefreshToken?: (session: UpstreamSession) => boolean;
}

/** How to start it. */
export interface UpstreamOptions extends UpstreamBehaviour {
  /**
   * `iss`, and the beginning of the endpoints' addresses. Default: the address where it listens. With a vendor's issuer, hand {@link Upstream.fetch} to what
   * is tested, and let {@link Upstream.visit} be the browser.
   */
  readonly issuer?: string | undefined;
  /** Absolute URLs of endpoints that are elsewhere; `false` for one that is not there. */
  readonly endpoints?: Readonly<Partial<Record<UpstreamEndpointName, string | false>>> | undefined;
  /** Further addresses that answer: absolute, or paths below the issuer. They win over endpoints. */
  readonly routes?: Readonly<Record<string, (request: UpstreamRequest) => UpstreamReply>> | undefined;
  /** Default: every client id will do. */
  readonly clientId?: string | undefined;
  /** Default: every client secret will do, and none. */
  readonly clientSecret?: string | undefined;
  /** The only way to authenticate. Default: `client_secret_basic` and `client_secret_post`. */
  readonly authMethod?: "client_secret_basic" | "client_secret_post" | "none" | undefined;
  /** Who signs in, as claims; the ID token and UserInfo have all of them. Default: Alice. */
  readonly person?: Members | ((authorization: URLSearchParams) => Members) | undefined;
  /** Seconds. Default: 3600. */
  readonly accessTokenTtl?: number | undefined;
  /** Whether a refresh gives a new refresh token and spends the old one. Default: true, as strict upstreams do it. */
  readonly rotatesRefreshTokens?: boolean | undefined;
  /** How ID tokens are signed. Default: RS256. */
  readonly algorithm?: "RS256" | "ES256" | "EdDSA" | undefined;
  /** Seconds since 1970. Default: the system's clock. */
  readonly now?: (() => number) | undefined;
}

/** An upstream that listens on 127.0.0.1. */
export interface Upstream {
  readonly issuer: string;
  /** Absolute URLs, also of those that are not there. */
  readonly endpoints: Readonly<Record<UpstreamEndpointName, string>>;
  /** Every request, in the order of arrival. */
  readonly requests: readonly UpstreamRequest[];
  /** Those to one endpoint, or to a route by its URL or path. */
  requestsTo(endpoint: UpstreamEndpointName | (string & {})): readonly UpstreamRequest[];
  /** Every code and token that it gave out: none of them may be found at rest. */
  readonly secrets: ReadonlySet<string>;
  /** Changes its behaviour from now on; what is not named stays as it is. */
  behave(behaviour: UpstreamBehaviour): void;
  /** Whether a token or code would still be honoured. */
  isLiving(secret: string): boolean;
  /** Signs with the published key. */
  sign(claims: Members, header?: Members): string;
  /** Publishes a new key, signs with it, and withdraws the one before. */
  rotateKey(): void;
  /** `fetch` for what is tested: whatever host is asked, the request comes here. */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /**
   * What a browser does with an authorization URL, and with whom it goes on: a GET of `url`, or a POST of `form` to it.
   *
   * @throws {Error} where the authorization endpoint answers with neither a redirect nor a form
   */
  visit(authorizationUrl: string): Promise<{ readonly url: string; readonly form: URLSearchParams | undefined }>;
  close(): Promise<void>;
}
