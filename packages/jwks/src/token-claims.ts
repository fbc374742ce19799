/** What a token has to say beside having a good signature. Pure. RFC 7519 §4.1, RFC 8725 §3. */
import { type AsymmetricAlgorithm, isAsymmetric } from "./algorithms.ts";

/** Why a token is refused; stable words, for logs and tests. */
export type TokenFault =
  /** Not a compact JWS with JSON claims, too long, too deep, or a claim of the wrong type. */
  | "token_malformed"
  /** An algorithm that is not allowed. */
  | "token_algorithm"
  | "token_type_wrong"
  | "token_issuer"
  | "token_audience"
  | "token_claim_missing"
  | "token_expired"
  | "token_not_yet_valid"
  /** No published key has its `kid`. */
  | "token_key_unknown"
  | "token_signature";

export type Claims = Readonly<Record<string, unknown>>;

/** What is expected of a token. */
export interface Expectation {
  readonly algorithms: ReadonlySet<AsymmetricAlgorithm>;
  /** In the form of {@link mediaType}; `undefined` admits what {@link isPlain} does. */
  readonly types: ReadonlySet<string> | undefined;
  readonly isIssuer: (issuer: string, claims: Claims) => boolean;
  readonly audiences: ReadonlySet<string>;
  readonly audienceClaim: string;
  readonly requiredClaims: readonly string[];
  /** Seconds. */
  readonly clockTolerance: number;
}

/** A header that may be looked up in a key set. */
export interface CheckedHeader {
  readonly alg: AsymmetricAlgorithm;
  readonly kid: string | undefined;
}

/** Checks a header before anything is done with it. */
export function checkHeader(
  header: Readonly<Record<string, unknown>>,
  { algorithms, types }: Expectation,
): CheckedHeader | TokenFault {
  const { alg, kid, typ } = header;
  // RFC 8725 §3.1: the algorithm is ours to choose. `none` needs no key, and HS256 would take a public key for the shared one.
  if (!isAsymmetric(alg) || !algorithms.has(alg)) return "token_algorithm";
  // RFC 7515 §4.1.11: an extension that is not understood makes the signature mean something else.
  if (Object.hasOwn(header, "crit") || Object.hasOwn(header, "b64")) return "token_malformed";
  if (kid !== undefined && typeof kid !== "string") return "token_malformed";
  if (typ !== undefined && typeof typ !== "string") return "token_malformed";
  // RFC 8725 §3.11: logout tokens, proofs and security events come from the same issuer, with the same keys, for the same audience.
  const admitted = types === undefined ? isPlain(typ) : typ !== undefined && types.has(mediaType(typ));
  return admitted ? { alg, kid } : "token_type_wrong";
}

/** Checks everything that claims say. */
export function checkClaims(claims: Claims, expected: Expectation, now: number): TokenFault | undefined {
  const { iss, exp, nbf, iat, sub } = claims;
  // RFC 7519 §4.1.1: exactly, without normalising.
  if (typeof iss !== "string" || !expected.isIssuer(iss, claims)) return "token_issuer";
  // RFC 7519 §4.1.3: a token for another service, carried here by that service, opens nothing.
  if (!isFor(claims[expected.audienceClaim], expected.audiences)) return "token_audience";
  // Without an end a token that leaked is good forever.
  if (exp === undefined || expected.requiredClaims.some((name) => isMissing(claims[name])))
    return "token_claim_missing";
  // `1e999` is a number to JSON, larger than every other one.
  if (![exp, nbf, iat].every((instant) => instant === undefined || Number.isFinite(instant))) return "token_malformed";
  if (sub !== undefined && (typeof sub !== "string" || sub === "")) return "token_malformed";
  return checkTime(claims, expected.clockTolerance, now);
}

/** The part of it that changes while nothing else does. */
export function checkTime({ exp, nbf }: Claims, clockTolerance: number, now: number): TokenFault | undefined {
  // RFC 7519 §4.1.4 and §4.1.5: from `nbf` on, and until before `exp`.
  if (typeof exp !== "number" || exp + clockTolerance <= now) return "token_expired";
  if (typeof nbf === "number" && nbf - clockTolerance > now) return "token_not_yet_valid";
  return undefined;
}

/** RFC 7515 §4.1.9: a `typ` without a slash stands for `application/…`; media types have no case. */
export function mediaType(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.includes("/") ? lower : `application/${lower}`;
}

/** No type, or one of a token that is a token and nothing special. */
function isPlain(typ: string | undefined): boolean {
  return typ === undefined || ["application/jwt", "application/at+jwt"].includes(mediaType(typ));
}

function isFor(audience: unknown, audiences: ReadonlySet<string>): boolean {
  const named: readonly unknown[] = Array.isArray(audience) ? audience : [audience];
  return named.some((each) => typeof each === "string" && audiences.has(each));
}

function isMissing(claim: unknown): boolean {
  return claim === undefined || claim === null || claim === "";
}
