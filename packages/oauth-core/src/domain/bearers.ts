/** Whom a bearer token speaks for. RFC 6750, RFC 9068 §4. */
import { OAuthProxyError } from "../protocol/errors.ts";
import { parseScope } from "../protocol/scope.ts";
import type { AccessTokens } from "./access-tokens.ts";
import type { Grants } from "./grants.ts";
import type { PassThrough } from "./token-issuance.ts";
import { refusalOf, type TokenVerifier } from "./token-verifier.ts";

/** A verified access: who may do what, through which client, until when. */
export interface Access {
  /** The token itself, for `loadUpstreamTokens`. Never send it anywhere else. */
  readonly token: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** The resource that the token was checked for. RFC 8707. */
  readonly resource: string;
  /** The person, stable for one identity provider. */
  readonly subject: string;
  /** All claims of the token. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Verifies bearer tokens. */
export interface Bearers {
  /** @throws {OAuthProxyError} `token_…` (401), or `storage_unavailable` or `upstream_unavailable` (503) where it can't be known right now */
  verify(token: string, resource: string): Promise<Access>;
  /** The grant that a token hangs from, if it is one of ours. @throws {OAuthProxyError} `token_…` */
  grantOf(token: string): Promise<string | undefined>;
}

/** Tokens of our own. */
export class SwappedBearers implements Bearers {
  readonly #accessTokens: AccessTokens;

  constructor(accessTokens: AccessTokens) {
    this.#accessTokens = accessTokens;
  }

  async verify(token: string, resource: string): Promise<Access> {
    const { claims } = await this.#accessTokens.verifyLiving(token, resource);
    const { client_id: clientId, sub: subject, exp: expiresAt, scope } = claims;
    return {
      token,
      clientId,
      scopes: scope === undefined ? [] : scope.split(" "),
      expiresAt,
      resource,
      subject,
      claims,
    };
  }

  async grantOf(token: string): Promise<string> {
    return (await this.#accessTokens.verify(token, undefined)).grantId;
  }
}

/** Tokens of the upstream, verified by the operator's verifier, or known because we handed them out. */
export class PassedThroughBearers implements Bearers {
  readonly #passThrough: PassThrough;
  readonly #grants: Grants;
  readonly #verifier: TokenVerifier | undefined;

  constructor(passThrough: PassThrough, grants: Grants, verifier: TokenVerifier | undefined) {
    this.#passThrough = passThrough;
    this.#grants = grants;
    this.#verifier = verifier;
  }

  async verify(token: string, resource: string): Promise<Access> {
    const handedOut = await this.#passThrough.find(token);
    if (handedOut !== undefined) {
      if (!handedOut.resources.includes(resource)) throw new OAuthProxyError("token_audience");
      if (!(await this.#grants.isAlive(handedOut.grantId))) throw new OAuthProxyError("token_revoked");
    }
    const verified = await this.#verify(token);
    if (handedOut === undefined && verified === undefined) throw new OAuthProxyError("token_signature");
    const claims = verified ?? handedOut?.claims ?? {};
    const subject = handedOut?.subject ?? text(claims.sub);
    const expiresAt = handedOut?.expiresAt ?? (typeof claims.exp === "number" ? claims.exp : undefined);
    if (subject === undefined || expiresAt === undefined) throw new OAuthProxyError("token_malformed");
    const clientId = handedOut?.clientId ?? text(claims.client_id ?? claims.azp) ?? "";
    return { token, clientId, scopes: handedOut?.scope ?? scopesOf(claims), expiresAt, resource, subject, claims };
  }

  async grantOf(token: string): Promise<string | undefined> {
    return (await this.#passThrough.find(token))?.grantId;
  }

  async #verify(token: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    if (this.#verifier === undefined) return undefined;
    const result = await this.#verifier.verify(token);
    // MCP authorization, "Token Handling": a token that was issued for somebody else must not be accepted, whoever brings it.
    if (!result.valid) throw refusalOf(result);
    return result.claims ?? {};
  }
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value.length > 0 ? value : undefined;
}

function scopesOf(claims: Readonly<Record<string, unknown>>): readonly string[] {
  const scope = claims.scope ?? claims.scp;
  if (Array.isArray(scope)) return scope.filter((word): word is string => typeof word === "string");
  return typeof scope === "string" ? [...parseScope(scope)] : [];
}
