/** An upstream OAuth 2.0 or OpenID Connect server as identity provider: our own side as its client. RFC 6749 §4.1, OpenID Connect Core §3.1. */

import { type ClaimsPolicy, passClaims } from "../domain/claims.ts";
import type { Identity, IdentityProvider, SignIn, SignInAnswer, UpstreamTokens } from "../domain/identity-provider.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { readJwtClaims } from "../protocol/jwt.ts";
import { formatScope } from "../protocol/scope.ts";
import { parseUpstreamTokenResponse, type UpstreamTokenSet } from "../protocol/upstream-token-response.ts";
import type { Runtime } from "../runtime.ts";
import { checkIdToken } from "./id-token.ts";
import { type UpstreamAuthMethod, UpstreamRequests } from "./upstream-requests.ts";

export interface OAuthUpstreamOptions {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly userinfoEndpoint: string | undefined;
  readonly revocationEndpoint: string | undefined;
  readonly issuer: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly authMethod: UpstreamAuthMethod;
  readonly redirectUri: string;
  readonly extraAuthorizationParams: Readonly<Record<string, string>>;
  readonly claims: ClaimsPolicy | undefined;
  /** Milliseconds. */
  readonly requestTimeoutMs: number;
  readonly runtime: Runtime;
}

/** One upstream. */
export class OAuthUpstream implements IdentityProvider {
  readonly id = "upstream";
  readonly name: string;
  readonly #options: OAuthUpstreamOptions;
  readonly #requests: UpstreamRequests;

  constructor(options: OAuthUpstreamOptions) {
    this.#options = options;
    this.name = new URL(options.authorizationEndpoint).host;
    this.#requests = new UpstreamRequests(options);
  }

  begin({ state, nonce, codeChallenge, scope }: SignIn): string {
    const { authorizationEndpoint, clientId, redirectUri, extraAuthorizationParams } = this.#options;
    const url = new URL(authorizationEndpoint);
    const set = (name: string, value: string) => url.searchParams.set(name, value);
    for (const [name, value] of Object.entries(extraAuthorizationParams)) set(name, value);
    // Ours last: an extra parameter can't displace one that the flow's safety hangs from.
    set("response_type", "code");
    set("client_id", clientId);
    set("redirect_uri", redirectUri);
    if (scope.length > 0) set("scope", formatScope(scope));
    set("state", state);
    set("code_challenge", codeChallenge);
    set("code_challenge_method", "S256");
    if (scope.includes("openid")) set("nonce", nonce);
    return url.href;
  }

  checkIssuer(issuer: string | undefined): void {
    // RFC 9207 §2.4: in a mix-up attack the answer of one server is passed off as another's. Simple string comparison.
    if (issuer !== undefined && this.#options.issuer !== undefined && issuer !== this.#options.issuer) {
      throw new OAuthProxyError("upstream_issuer");
    }
  }

  async complete({ code, codeVerifier, nonce, scope }: SignInAnswer): Promise<Identity> {
    const set = await this.#token({
      grant_type: "authorization_code",
      code,
      redirect_uri: this.#options.redirectUri,
      code_verifier: codeVerifier,
    });
    const tokens = this.#toTokens(set, scope, undefined);
    return this.#identify(tokens, { nonce: scope.includes("openid") ? nonce : undefined });
  }

  async refresh(tokens: UpstreamTokens, subject: string): Promise<Identity> {
    if (tokens.refreshToken === undefined) throw new OAuthProxyError("upstream_invalid_grant");
    const set = await this.#token({ grant_type: "refresh_token", refresh_token: tokens.refreshToken });
    const renewed = this.#toTokens(set, tokens.scope, tokens);
    if (set.idToken === undefined)
      return { subject, claims: this.#claimsOf(renewed.accessToken, undefined), tokens: renewed };
    const idToken = checkIdToken(set.idToken, this.#expected(undefined));
    // OpenID Connect Core §12.2: the ID token of a refresh is about the same person, or the session has been taken over.
    if (idToken.sub !== subject) throw new OAuthProxyError("upstream_identity");
    return { subject, claims: this.#claimsOf(renewed.accessToken, idToken), tokens: renewed };
  }

  async revoke(tokens: UpstreamTokens): Promise<void> {
    const { revocationEndpoint } = this.#options;
    if (revocationEndpoint === undefined) return;
    // RFC 7009 §2.1: the upstream's own tokens. Both are named, because not every upstream lets one end the other.
    const { refreshToken, accessToken } = tokens;
    const kinds = { refresh_token: refreshToken, access_token: accessToken };
    await Promise.all(
      Object.entries(kinds).map(([kind, token]) => token && this.#revoke(revocationEndpoint, kind, token)),
    );
  }

  async #revoke(endpoint: string, kind: string, token: string): Promise<void> {
    const { status } = await this.#requests.postForm(endpoint, { token, token_type_hint: kind });
    // RFC 7009 §2.2: 200 for a token that is unknown as well; anything else means that it may live on.
    if (status !== 200) throw new OAuthProxyError(status >= 500 ? "upstream_unavailable" : "upstream_refused");
  }

  async #token(parameters: Record<string, string>): Promise<UpstreamTokenSet> {
    const { status, contentType, body } = await this.#requests.postForm(this.#options.tokenEndpoint, parameters);
    return parseUpstreamTokenResponse(status, contentType, body);
  }

  async #identify(tokens: UpstreamTokens, { nonce }: { nonce: string | undefined }): Promise<Identity> {
    if (tokens.idToken !== undefined) {
      const idToken = checkIdToken(tokens.idToken, this.#expected(nonce));
      return { subject: idToken.sub, claims: this.#claimsOf(tokens.accessToken, idToken), tokens };
    }
    const accessToken = readJwtClaims(tokens.accessToken);
    const claims = this.#claimsOf(tokens.accessToken, undefined);
    const { userinfoEndpoint } = this.#options;
    if (userinfoEndpoint !== undefined) {
      const userinfo = await this.#requests.getJson(userinfoEndpoint, tokens.accessToken);
      return {
        subject: subjectOf(userinfo),
        claims: { ...passClaims(this.#options.claims, undefined, userinfo), ...claims },
        tokens,
      };
    }
    return { subject: subjectOf(accessToken), claims, tokens };
  }

  #claimsOf(accessToken: string, idToken: Readonly<Record<string, unknown>> | undefined): Record<string, unknown> {
    return passClaims(this.#options.claims, readJwtClaims(accessToken), idToken);
  }

  #expected(nonce: string | undefined) {
    return { issuer: this.#options.issuer, clientId: this.#options.clientId, nonce, now: this.#options.runtime.now() };
  }

  #toTokens(set: UpstreamTokenSet, asked: readonly string[], before: UpstreamTokens | undefined): UpstreamTokens {
    const now = this.#options.runtime.now();
    const refreshToken = set.refreshToken ?? before?.refreshToken;
    return {
      accessToken: set.accessToken,
      tokenType: set.tokenType,
      // RFC 6749 §5.1: no scope in the answer means the scope that was asked for.
      scope: set.scope ?? asked,
      issuedAt: now,
      expiresAt: set.expiresIn === undefined ? undefined : now + set.expiresIn,
      refreshToken,
      refreshExpiresAt: set.refreshExpiresIn === undefined ? before?.refreshExpiresAt : now + set.refreshExpiresIn,
      idToken: set.idToken ?? before?.idToken,
    };
  }
}

/** A stable name of a person: `sub` by OpenID Connect, `id` with GitHub and its like. */
function subjectOf(claims: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const subject = claims?.sub ?? claims?.id;
  if (typeof subject === "string" && subject.length > 0 && subject.length <= 255) return subject;
  return Number.isSafeInteger(subject) ? String(subject) : undefined;
}
