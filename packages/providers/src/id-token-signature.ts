/** Signatures of ID tokens, verified by the keys that the provider publishes. OpenID Connect Core §3.1.3.7 items 6 to 8. */
import { type AsymmetricAlgorithm, JWKSVerifier } from "@sallyport/jwks";
import type { IdTokenExpectation, TokenVerifier } from "@sallyport/oauth-core/upstream";

/** Seconds by which the provider's clock may be off: as much as the core allows for the claims. */
const CLOCK_TOLERANCE = 120;
/** What a `JWKSVerifier` takes at most. */
const LONGEST_REQUEST = 60_000;

/**
 * Verifies them, and is what {@link UpstreamDescriptor.idTokenVerifier} wants. Keys are kept, and fetched again when a token names one that is not among them.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation OpenID Connect Core §3.1.3.7}
 */
export function verifySignature({
  issuer,
  clientId,
  jwksUri,
  algorithms,
  requestTimeoutMs,
  runtime,
}: IdTokenExpectation): TokenVerifier {
  return new JWKSVerifier({
    jwksUri,
    issuer,
    audience: clientId,
    // The core hands on asymmetric ones only, and the verifier refuses any other word.
    algorithms: algorithms as readonly AsymmetricAlgorithm[],
    clockTolerance: CLOCK_TOLERANCE,
    requestTimeoutMs: Math.min(requestTimeoutMs, LONGEST_REQUEST),
    runtime: { now: () => runtime.now(), fetch: (input, init) => runtime.fetch(input, init) },
  });
}
