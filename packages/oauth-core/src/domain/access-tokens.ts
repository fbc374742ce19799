/** Access tokens: JWTs that name their grant. RFC 9068. */

import { type AccessTokenClaims, checkAccessTokenClaims } from "../protocol/access-token.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import { formatScope } from "../protocol/scope.ts";
import type { Runtime } from "../runtime.ts";
import { GRANT_ID } from "./grant-id.ts";
import type { Grants, NewGrant } from "./grants.ts";
import type { Signer } from "./signer.ts";

const TYP = "at+jwt";
/** The `jti` of our tokens begins with the name of their grant. */
const GRANT_OF = new RegExp(`^(${GRANT_ID})\\.`);
/** Verified tokens that are remembered. */
const MOST_VERIFIED = 10_000;
/** Longer tokens are not remembered, so that the memory stays bounded in bytes as well. */
const LONGEST_REMEMBERED = 8_192;

export interface AccessTokensOptions {
  readonly signer: Signer;
  readonly grants: Grants;
  readonly runtime: Runtime;
  readonly issuer: string;
  /** Seconds. */
  readonly accessTokenTtl: number;
}

/** A verified token: its claims and the grant that it hangs from. */
export interface VerifiedToken {
  readonly claims: AccessTokenClaims;
  readonly grantId: string;
}

/** Issues and verifies the access tokens of one server. */
export class AccessTokens {
  readonly #options: AccessTokensOptions;
  /** Signature checks are remembered by the whole token; everything that time can change is checked again on each hit. */
  readonly #verified = new Map<string, VerifiedToken & { readonly header: Readonly<Record<string, unknown>> }>();

  constructor(options: AccessTokensOptions) {
    this.#options = options;
  }

  /** Fulfilled while tokens can be signed. @throws {OAuthProxyError} `storage_unavailable` */
  async ready(): Promise<void> {
    await this.#options.signer.ready();
  }

  /** A fresh token for a grant, possibly for less than all of its scope and resources. */
  async issue(
    grantId: string,
    grant: NewGrant,
    scope: readonly string[],
    resources: readonly string[],
  ): Promise<{ token: string; expiresIn: number }> {
    const { runtime, issuer, accessTokenTtl, signer } = this.#options;
    const now = runtime.now();
    const [only, ...more] = resources;
    const claims: AccessTokenClaims = {
      // Claims of the upstream come first: whatever they are called, ours win.
      ...grant.claims,
      iss: issuer,
      sub: grant.subject,
      aud: more.length === 0 && only !== undefined ? only : [...resources],
      client_id: grant.clientId,
      ...(scope.length === 0 ? {} : { scope: formatScope(scope) }),
      jti: `${grantId}.${Buffer.from(runtime.randomBytes(9)).toString("base64url")}`,
      iat: now,
      exp: now + accessTokenTtl,
    };
    return { token: await signer.sign(TYP, claims), expiresIn: accessTokenTtl };
  }

  /**
   * Verifies a token all but for whether its grant still lives.
   *
   * @param audience the resource that it must be for; `undefined` where that isn't the question
   * @throws {OAuthProxyError} `token_…`
   */
  async verify(token: string, audience: string | undefined): Promise<VerifiedToken> {
    const { signer, issuer, runtime } = this.#options;
    const now = runtime.now();
    const known = this.#verified.get(token);
    if (known !== undefined) {
      // A key that leaked is taken back. What it signed must not live on in a memory.
      const recognised = signer.recognises(known.header);
      if (recognised === true || (await recognised)) {
        checkAccessTokenClaims(known.header, known.claims, { issuer, audience, now });
        return known;
      }
      this.#verified.delete(token);
    }
    const { header, claims } = await signer.open(token);
    const checked = checkAccessTokenClaims(header, claims, { issuer, audience, now });
    const grantId = GRANT_OF.exec(checked.jti)?.[1];
    if (grantId === undefined) throw new OAuthProxyError("token_malformed");
    const verified = { header, claims: checked, grantId };
    this.#remember(token, verified);
    return verified;
  }

  /** The same, and its grant lives. @throws {OAuthProxyError} `token_…`, `token_revoked` */
  async verifyLiving(token: string, audience: string | undefined): Promise<VerifiedToken> {
    const verified = await this.verify(token, audience);
    if (!(await this.#options.grants.isAlive(verified.grantId))) throw new OAuthProxyError("token_revoked");
    return verified;
  }

  #remember(token: string, verified: VerifiedToken & { readonly header: Readonly<Record<string, unknown>> }): void {
    if (token.length > LONGEST_REMEMBERED) return;
    this.#verified.set(token, verified);
    if (this.#verified.size <= MOST_VERIFIED) return;
    for (const oldest of this.#verified.keys()) {
      this.#verified.delete(oldest);
      return;
    }
  }
}
