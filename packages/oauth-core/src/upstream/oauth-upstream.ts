/** An upstream OAuth 2.0 or OpenID Connect server as identity provider: our own side as its client. RFC 6749 §4.1, OpenID Connect Core §3.1. */

import type {
  Claims,
  Identity,
  IdentityProvider,
  SignIn,
  SignInAnswer,
  UpstreamTokens,
} from "../domain/identity-provider.ts";
import type { ProviderContext } from "../domain/upstream-provider.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { JsonObject } from "../protocol/json-object.ts";
import { readJwtClaims } from "../protocol/jwt.ts";
import { formatScope } from "../protocol/scope.ts";
import { parseUpstreamTokenResponse, type UpstreamTokenSet } from "../protocol/upstream-token-response.ts";
import type { TokenParamsRequest, UpstreamDescriptor } from "./descriptor.ts";
import { DiscoveredServer } from "./discovery.ts";
import { type IdToken, isIssuer } from "./id-token.ts";
import { IdTokens } from "./id-tokens.ts";
import { Persons } from "./persons.ts";
import { factsOf, type ServerFacts } from "./server-facts.ts";
import { inTime, UnusableAnswer, UpstreamRequests } from "./upstream-requests.ts";

/** What the token endpoint gave. */
interface TokenAnswer {
  readonly set: UpstreamTokenSet;
  /** All that it said. */
  readonly said: Claims;
}

/** One upstream. */
export class OAuthUpstream implements IdentityProvider {
  readonly #descriptor: UpstreamDescriptor;
  readonly #context: ProviderContext;
  readonly #requests: UpstreamRequests;
  readonly #idTokens: IdTokens;
  readonly #persons: Persons;
  readonly #discovered: DiscoveredServer | undefined;
  /** Where there is nothing to discover. */
  readonly #described: ServerFacts | undefined;

  constructor(descriptor: UpstreamDescriptor, context: ProviderContext) {
    const { clientId, clientSecret, authMethod = "client_secret_basic", discovery } = descriptor;
    const { requestTimeoutMs, runtime } = context;
    this.#descriptor = descriptor;
    this.#context = context;
    const requests = new UpstreamRequests({ clientId, clientSecret, authMethod, requestTimeoutMs, runtime });
    this.#requests = requests;
    this.#idTokens = new IdTokens(descriptor, context);
    this.#persons = new Persons(descriptor, requests, context);
    this.#discovered = discovery && new DiscoveredServer({ discovery, requests, now: runtime.now });
    this.#described = discovery === undefined ? factsOf(descriptor, undefined) : undefined;
  }

  get origin(): string | undefined {
    const endpoint =
      this.#descriptor.endpoints?.authorization ??
      this.#described?.authorization ??
      this.#discovered?.known?.authorization;
    return endpoint === undefined ? undefined : new URL(endpoint).origin;
  }

  begin(signIn: SignIn): string | Promise<string> {
    return this.#described === undefined
      ? this.#facts().then(({ authorization }) => this.#authorizationUrl(authorization, signIn))
      : this.#authorizationUrl(this.#described.authorization, signIn);
  }

  checkIssuer(issuer: string | undefined): void | Promise<void> {
    return this.#described === undefined
      ? this.#facts().then((facts) => refuseOtherIssuer(facts, issuer))
      : refuseOtherIssuer(this.#described, issuer);
  }

  async complete({ code, codeVerifier, nonce, scope }: SignInAnswer): Promise<Identity> {
    const facts = await this.#facts();
    const answer = await this.#token(
      facts,
      { grantType: "authorization_code", scope },
      {
        code,
        redirect_uri: this.#context.redirectUri,
        ...(this.#descriptor.pkce === false ? {} : { code_verifier: codeVerifier }),
      },
    );
    const tokens = this.#toTokens(answer.set, scope, undefined);
    // OpenID Connect Core §3.1.2.1: only with `openid` was a nonce sent.
    const idToken = await this.#idTokens.read(facts, answer.set.idToken, scope.includes("openid") ? nonce : undefined);
    return this.#persons.identify(facts, { idToken, tokens, said: answer.said });
  }

  async refresh(before: UpstreamTokens, subject: string): Promise<Identity> {
    if (before.refreshToken === undefined) throw new OAuthProxyError("upstream_invalid_grant");
    // One limit for everything that belongs to it: whoever refreshes holds a lease that is measured by one request.
    const signal = AbortSignal.timeout(this.#context.requestTimeoutMs);
    const facts = await inTime(signal, this.#facts());
    const request = { grantType: "refresh_token", scope: before.scope } as const;
    const { set, said } = await this.#token(facts, request, { refresh_token: before.refreshToken }, signal);
    const tokens = this.#toTokens(set, before.scope, before);
    const partial: Identity = {
      subject,
      claims: {},
      accessTokenClaims: this.#persons.accessTokenClaims(tokens),
      tokens: { ...tokens, idToken: before.idToken },
      partial: true,
    };
    if (set.idToken === undefined) return partial;
    try {
      const idToken = await this.#idTokens.read(facts, set.idToken, undefined, signal);
      refuseOtherSubject(before.idToken, idToken);
      return await this.#renewed(facts, { idToken, tokens, said }, subject, signal);
    } catch (error) {
      // Another person's tokens, or tokens that are not for us, and not merely an answer that says nothing.
      if (
        error instanceof OAuthProxyError &&
        error.reason === "upstream_identity" &&
        !(error instanceof UnusableAnswer)
      )
        throw error;
      // The new tokens are there, and an upstream that rotates has forgotten the old ones: they must not be lost because it can't be learnt now what it says
      // of the person.
      this.#context.warn(
        `${this.#descriptor.id}: tokens were refreshed, and who they are of could not be looked at: ${wordOf(error)}`,
      );
      return partial;
    }
  }

  async revoke(tokens: UpstreamTokens): Promise<void> {
    const { revoke, revokes } = this.#descriptor;
    if (revoke !== undefined) return revoke(tokens, this.#persons.http(tokens));
    const { revocation, authMethod } = await this.#facts();
    if (revocation === undefined) return;
    // RFC 7009 §2.1: the upstream's own tokens. Both are named, because not every upstream lets one end the other.
    const named = { refresh_token: tokens.refreshToken, access_token: tokens.accessToken };
    const kinds = Object.entries(named).filter(([, token]) => token !== undefined);
    await Promise.all(
      kinds.slice(0, revokes === "one" ? 1 : 2).map(async ([kind, token = ""]) => {
        const form = { token, token_type_hint: kind };
        const { status } = await this.#requests.postForm(revocation, form, { authMethod });
        // RFC 7009 §2.2: 200 for a token that is unknown as well; anything else means that it may live on.
        if (status !== 200) throw new OAuthProxyError(status >= 500 ? "upstream_unavailable" : "upstream_refused");
      }),
    );
  }

  async #renewed(
    facts: ServerFacts,
    sources: { readonly idToken: IdToken | undefined; readonly tokens: UpstreamTokens; readonly said: Claims },
    subject: string,
    signal: AbortSignal,
  ): Promise<Identity> {
    const identity = await inTime(signal, this.#persons.identify(facts, { ...sources, signal }));
    // OpenID Connect Core §12.2: the ID token of a refresh is about the same person, or the session has been taken over.
    if (identity.subject !== subject) throw new OAuthProxyError("upstream_identity");
    return identity;
  }

  async #facts(): Promise<ServerFacts> {
    return this.#described ?? factsOf(this.#descriptor, await this.#discovered?.document());
  }

  #authorizationUrl(endpoint: string, { state, nonce, codeChallenge, scope }: SignIn): string {
    const { clientId, authorizationParams = {}, scopeSeparator = " ", responseMode, pkce = true } = this.#descriptor;
    const url = new URL(endpoint);
    const set = (name: string, value: string) => url.searchParams.set(name, value);
    for (const [name, value] of Object.entries(authorizationParams)) set(name, value);
    // Ours last: an extra parameter can't displace one that the flow's safety hangs from.
    set("response_type", "code");
    set("client_id", clientId);
    set("redirect_uri", this.#context.redirectUri);
    if (scope.length > 0) set("scope", formatScope(scope).replaceAll(" ", scopeSeparator));
    set("state", state);
    if (pkce) {
      set("code_challenge", codeChallenge);
      set("code_challenge_method", "S256");
    }
    if (scope.includes("openid")) set("nonce", nonce);
    if (responseMode !== undefined) set("response_mode", responseMode);
    return url.href;
  }

  async #token(
    { token, authMethod }: ServerFacts,
    request: TokenParamsRequest,
    parameters: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<TokenAnswer> {
    const { tokenParams, mapToken, endsSession } = this.#descriptor;
    // The extra ones first, so that they can't displace a parameter of the RFC.
    const form = { ...tokenParams?.(request), grant_type: request.grantType, ...parameters };
    const { status, contentType, body } = await this.#requests.postForm(token, form, { signal, authMethod });
    let said: Claims = {};
    const map = (answer: JsonObject) => {
      said = mapToken?.(answer) ?? answer;
      return said;
    };
    const set = parseUpstreamTokenResponse(status, contentType, body, {
      map,
      // At a sign-in there is no session yet, and such a word means what it says.
      endsSession: request.grantType === "refresh_token" ? endsSession : [],
    });
    return { set, said };
  }

  #toTokens(set: UpstreamTokenSet, asked: readonly string[], before: UpstreamTokens | undefined): UpstreamTokens {
    const now = this.#context.runtime.now();
    return {
      accessToken: set.accessToken,
      tokenType: set.tokenType,
      // RFC 6749 §5.1: no scope in the answer means the scope that was asked for.
      scope: set.scope === undefined ? asked : [...new Set(set.scope.map((word) => this.#ourName(word)))],
      issuedAt: now,
      expiresAt: set.expiresIn === undefined ? undefined : now + set.expiresIn,
      refreshToken: set.refreshToken ?? before?.refreshToken,
      refreshExpiresAt: set.refreshExpiresIn === undefined ? before?.refreshExpiresAt : now + set.refreshExpiresIn,
      idToken: set.idToken ?? before?.idToken,
    };
  }

  #ourName(scope: string): string {
    const { scopeAliases = {} } = this.#descriptor;
    return (Object.hasOwn(scopeAliases, scope) ? scopeAliases[scope] : undefined) ?? scope;
  }
}

/** OpenID Connect Core §12.2: `sub` stays. Looked at before the description's own name of the person, which may need an answer that can't be had. */
function refuseOtherSubject(before: string | undefined, now: IdToken | undefined): void {
  const known = before === undefined ? undefined : readJwtClaims(before)?.sub;
  if (known !== undefined && now !== undefined && now.sub !== known)
    throw new OAuthProxyError("upstream_identity", { cause: new Error("ID token: sub") });
}

/** RFC 9207 §2.4: in a mix-up attack the answer of one server is passed off as another's. */
function refuseOtherIssuer({ issuer: expected, issuerParameter }: ServerFacts, issuer: string | undefined): void {
  const problem =
    issuer === undefined ? issuerParameter : expected !== undefined && !isIssuer(expected, issuer, undefined);
  if (problem) throw new OAuthProxyError("upstream_issuer");
}

function wordOf(error: unknown): string {
  return error instanceof OAuthProxyError ? error.reason : "internal";
}
