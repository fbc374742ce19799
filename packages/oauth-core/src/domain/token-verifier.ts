/** The port behind which tokens of others are verified, and what its answers mean. RFC 6750 §3.1. */
import { OAuthProxyError, REASONS, type Reason } from "../protocol/errors.ts";

/** What a {@link TokenVerifier} found. */
export interface TokenVerificationResult {
  readonly valid: boolean;
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Why not, for the log. */
  readonly error?: string | undefined;
  /**
   * It can't be known right now, and nothing is wrong with the token: answered with 503 and not with 401, upon which clients throw away what is good.
   * Default: false.
   */
  readonly temporary?: boolean | undefined;
  /** What led to it, for the operator. */
  readonly cause?: unknown;
}

/**
 * Verifies tokens of the upstream: signature, issuer, audience, expiry.
 *
 * In swap mode it vets the upstream's token at sign-in; with `enableTokenSwap: false` it verifies every bearer token.
 */
export interface TokenVerifier {
  verify(token: string): Promise<TokenVerificationResult>;
}

/** The refusal that follows from an answer that is not `valid`: `upstream_unavailable` where it can't be known, else a reason for `invalid_token`. */
export function refusalOf({ error, temporary, cause }: TokenVerificationResult): OAuthProxyError {
  // A client throws a refused token away: an issuer whose keys can't be fetched must not look like a refusal.
  if (temporary === true) return new OAuthProxyError("upstream_unavailable", { cause: cause ?? error });
  return new OAuthProxyError(reasonOf(error), { cause: cause ?? error });
}

/** The verifier's own word where it is one of ours, so that log and client learn that a token is merely too old. */
function reasonOf(error: string | undefined): Reason {
  const known = Object.keys(REASONS) as Reason[];
  return known.find((reason) => reason === error && REASONS[reason].code === "invalid_token") ?? "token_signature";
}
