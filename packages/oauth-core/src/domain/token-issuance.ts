/** What the token endpoint hands out: tokens of our own, or, where the operator chose pass-through, the upstream's. */

import { OAuthProxyError } from "../protocol/errors.ts";
import { formatTokenResponse, type TokenResponse } from "../protocol/token-response.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection } from "../state/collection.ts";
import { digest } from "../state/digest.ts";
import type { AccessTokens } from "./access-tokens.ts";
import type { NewGrant } from "./grants.ts";

/** A token of the upstream that we handed to a client, and for what. */
export interface HandedOut {
  readonly grantId: string;
  readonly clientId: string;
  readonly subject: string;
  readonly scope: readonly string[];
  readonly resources: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expiresAt: number;
}

/** Makes the answer of the token endpoint. */
export interface TokenIssuance {
  /** Fulfilled while it can answer. Asked before a code or a refresh token is spent. @throws {OAuthProxyError} `storage_unavailable` */
  ready(): Promise<void>;
  respond(
    grantId: string,
    grant: NewGrant,
    scope: readonly string[],
    resources: readonly string[],
    refreshToken: string | undefined,
  ): Promise<TokenResponse>;
}

/** Our own short-lived tokens; the upstream's stay here. The default. */
export class TokenSwap implements TokenIssuance {
  readonly #accessTokens: AccessTokens;

  constructor(accessTokens: AccessTokens) {
    this.#accessTokens = accessTokens;
  }

  ready(): Promise<void> {
    return this.#accessTokens.ready();
  }

  async respond(
    ...[grantId, grant, scope, resources, refreshToken]: Parameters<TokenIssuance["respond"]>
  ): Promise<TokenResponse> {
    const { token, expiresIn } = await this.#accessTokens.issue(grantId, grant, scope, resources);
    return formatTokenResponse({ accessToken: token, expiresIn, refreshToken, scope });
  }
}

/**
 * The upstream's access token itself. MCP forbids this unless the upstream issues tokens for this very server (authorization, "Token Handling").
 *
 * The refresh token is ours even so: the upstream's would be worth something to every client of ours, and could not be rotated in peace.
 */
export class PassThrough implements TokenIssuance {
  readonly #handedOut: Collection<HandedOut>;
  readonly #runtime: Runtime;
  readonly #accessTokenTtl: number;

  constructor(handedOut: Collection<HandedOut>, runtime: Runtime, accessTokenTtl: number) {
    this.#handedOut = handedOut;
    this.#runtime = runtime;
    this.#accessTokenTtl = accessTokenTtl;
  }

  async ready(): Promise<void> {
    // There is nothing to sign.
  }

  async respond(
    ...[grantId, grant, scope, resources, refreshToken]: Parameters<TokenIssuance["respond"]>
  ): Promise<TokenResponse> {
    if (grant.upstream === undefined) throw new OAuthProxyError("upstream_response_malformed");
    const { accessToken, expiresAt } = grant.upstream;
    const left = expiresAt === undefined ? this.#accessTokenTtl : expiresAt - this.#runtime.now();
    if (left <= 0) throw new OAuthProxyError("upstream_invalid_grant");
    const { clientId, subject, claims } = grant;
    await this.#handedOut.save(
      digest(accessToken),
      { grantId, clientId, subject, scope, resources, claims, expiresAt: this.#runtime.now() + left },
      left,
    );
    return formatTokenResponse({ accessToken, expiresIn: left, refreshToken, scope });
  }

  /** What a token was handed out for; `undefined` where it wasn't. */
  async find(accessToken: string): Promise<HandedOut | undefined> {
    return (await this.#handedOut.get(digest(accessToken)))?.value;
  }
}
