/** `JWTIssuer`: HS256 tokens for programs that sign their own, and the slow derivation of a key from a passphrase. RFC 7519, RFC 8018. */
import { pbkdf2, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { strongKeys } from "./domain/keys.ts";
import { HmacSigner } from "./domain/signer.ts";
import type { TokenVerificationResult, TokenVerifier } from "./domain/token-verifier.ts";
import { type AccessTokenClaims, checkAccessTokenClaims } from "./protocol/access-token.ts";
import { ConfigurationError, OAuthProxyError } from "./protocol/errors.ts";
import { formatScope } from "./protocol/scope.ts";

const slowly = promisify(pbkdf2);

/** The options of {@link JWTIssuer}. Durations in seconds. */
export interface JWTIssuerConfig {
  issuer: string;
  audience: string;
  /** At least 32 bytes; used as it stands. */
  signingKey: string;
  /** Default: 3600. */
  accessTokenTtl?: number;
  /** Default: 2 592 000. */
  refreshTokenTtl?: number;
}

const ACCESS = "at+jwt";
const REFRESH = "rt+jwt";

/** Issues and verifies HS256 tokens. An access token is never accepted as a refresh token, nor the reverse. */
export class JWTIssuer implements TokenVerifier {
  readonly #config: Required<JWTIssuerConfig>;
  readonly #signer: HmacSigner;

  /** @throws {ConfigurationError} for a weak key */
  constructor(config: JWTIssuerConfig) {
    this.#config = { accessTokenTtl: 3600, refreshTokenTtl: 2_592_000, ...config };
    // RFC 7518 §3.2: a key as long as the hash, or it is searched for offline with any one token.
    this.#signer = new HmacSigner(strongKeys("signingKey", [config.signingKey]));
  }

  /**
   * A key of 256 bits from a passphrase, in base64: PBKDF2-HMAC-SHA256. Slow on purpose: once at start, never per request.
   *
   * @param iterations default: 100 000
   * @see {@link https://www.rfc-editor.org/rfc/rfc8018#section-5.2 RFC 8018 §5.2}
   */
  static async deriveKey(secret: string, iterations = 100_000): Promise<string> {
    if (secret === "") throw new ConfigurationError("secret", "is empty");
    // The salt is fixed, so that restarts and replicas derive the same key; what makes guessing slow is the iterations.
    return (await slowly(secret, "sallyport/derived-key", iterations, 32, "sha256")).toString("base64");
  }

  /** A signed access token (RFC 9068). `expiresIn` in seconds. Additional claims never displace ours. */
  issueAccessToken(
    clientId: string,
    scope: readonly string[],
    additionalClaims: Readonly<Record<string, unknown>> = {},
    expiresIn = this.#config.accessTokenTtl,
  ): string {
    return this.#issue(ACCESS, clientId, scope, additionalClaims, expiresIn);
  }

  /** A signed refresh token. `expiresIn` in seconds. */
  issueRefreshToken(
    clientId: string,
    scope: readonly string[],
    additionalClaims: Readonly<Record<string, unknown>> = {},
    expiresIn = this.#config.refreshTokenTtl,
  ): string {
    return this.#issue(REFRESH, clientId, scope, additionalClaims, expiresIn);
  }

  /** Verifies an access token: signature, type, issuer, audience, expiry. Never throws for a bad token. */
  async verify(token: string): Promise<TokenVerificationResult & { claims?: AccessTokenClaims }> {
    const { issuer, audience } = this.#config;
    try {
      const { header, claims } = this.#signer.open(token);
      return {
        valid: true,
        claims: checkAccessTokenClaims(header, claims, { issuer, audience, now: Math.floor(Date.now() / 1000) }),
      };
    } catch (error) {
      if (error instanceof OAuthProxyError) return { valid: false, error: error.reason };
      throw error;
    }
  }

  #issue(
    typ: string,
    clientId: string,
    scope: readonly string[],
    additionalClaims: Readonly<Record<string, unknown>>,
    expiresIn: number,
  ): string {
    const now = Math.floor(Date.now() / 1000);
    const { issuer, audience } = this.#config;
    return this.#signer.sign(typ, {
      sub: clientId,
      ...additionalClaims,
      iss: issuer,
      aud: audience,
      client_id: clientId,
      ...(scope.length === 0 ? {} : { scope: formatScope(scope) }),
      jti: randomUUID(),
      iat: now,
      exp: now + expiresIn,
    });
  }
}
