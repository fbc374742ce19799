/** Which of the upstream's claims are carried into our own tokens. */
import type { Claims, Identity } from "./identity-provider.ts";

/** The option `customClaimsPassthrough`, resolved. */
export interface ClaimsPolicy {
  readonly fromAccessToken: boolean;
  readonly fromIdToken: boolean;
  readonly claimPrefix: string | false;
  readonly allowedClaims: ReadonlySet<string> | undefined;
  readonly blockedClaims: ReadonlySet<string>;
  readonly maxClaimValueSize: number;
  readonly allowComplexClaims: boolean;
}

/**
 * Claims with a meaning in a protocol. A copied one would speak for us: a foreign `scope` would widen rights, a foreign `client_id` would turn one
 * client into another, `cnf` would bind the token to a foreign key. RFC 7519 §4.1, RFC 9068 §2.2, RFC 8693 §4, OpenID Connect Core §2.
 */
const PROTECTED: ReadonlySet<string> = new Set([
  ...[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "scp",
    "azp",
    "typ",
    "token_use",
    "sid",
    "events",
  ],
  ...[
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "auth_time",
    "acr",
    "amr",
    "cnf",
    "act",
    "may_act",
    "authorization_details",
  ],
  ...["__proto__", "constructor", "prototype"],
]);

/** Personal data that no decision about access needs: only where `allowedClaims` names it. OpenID Connect Core §5.1. */
const PERSONAL: ReadonlySet<string> = new Set([
  "address",
  "birthdate",
  "gender",
  "phone_number",
  "phone_number_verified",
]);

/** Bytes of all carried claims together, as JSON: a token has to fit into the header of every request. */
const MOST_BYTES = 6_000;

/**
 * What our own tokens say of a person: what their provider said, with the parts that every provider has in words that are the same for all. OpenID Connect Core §5.1.
 */
export function claimsOf(policy: ClaimsPolicy | undefined, identity: Identity): Record<string, unknown> {
  const { email, emailVerified, name, picture, groups, roles, claims, accessTokenClaims } = identity;
  const hasAddress = email !== undefined;
  const normalised = { name, picture, groups, roles, ...(hasAddress ? { email, email_verified: emailVerified } : {}) };
  const said = { ...(hasAddress ? withoutAddress(claims) : claims), ...withoutAbsent(normalised) };
  // An address and the word that it is verified belong together: neither may come from another document than the other.
  return passClaims(policy, hasAddress ? withoutAddress(accessTokenClaims) : accessTokenClaims, said);
}

function withoutAddress(claims: Claims | undefined): Claims | undefined {
  if (claims === undefined) return undefined;
  const { email, email_verified, ...others } = claims;
  return others;
}

function withoutAbsent(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/**
 * Chooses and renames claims; those of the access token win over those of the ID token.
 *
 * Both sets must come from tokens that were verified, or received directly from the upstream over TLS.
 */
export function passClaims(
  policy: ClaimsPolicy | undefined,
  accessToken: Readonly<Record<string, unknown>> | undefined,
  idToken: Readonly<Record<string, unknown>> | undefined,
): Record<string, unknown> {
  const passed = new Map<string, unknown>();
  if (policy === undefined) return {};
  if (policy.fromIdToken && idToken !== undefined) collect(passed, policy, idToken);
  if (policy.fromAccessToken && accessToken !== undefined) collect(passed, policy, accessToken);
  let left = MOST_BYTES;
  const fitting = [...passed].filter(([name, value]) => {
    const size = Buffer.byteLength(JSON.stringify([name, value]));
    if (size > left) return false;
    left -= size;
    return true;
  });
  return Object.fromEntries(fitting);
}

function collect(passed: Map<string, unknown>, policy: ClaimsPolicy, claims: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(claims)) {
    if (PROTECTED.has(name) || policy.blockedClaims.has(name)) continue;
    if (policy.allowedClaims === undefined ? PERSONAL.has(name) : !policy.allowedClaims.has(name)) continue;
    if (!isCarried(value, policy)) continue;
    const renamed = policy.claimPrefix === false ? name : `${policy.claimPrefix}${name}`;
    // Checked again after renaming: the prefix `client_` would turn `id` into `client_id`.
    if (!PROTECTED.has(renamed)) passed.set(renamed, value);
  }
}

/** Text, numbers, truth, and flat lists of them, which is what roles and groups are; anything deeper only by `allowComplexClaims`. */
function isCarried(value: unknown, policy: ClaimsPolicy): boolean {
  if (value === undefined || value === null || typeof value === "function") return false;
  const isFlat = !Array.isArray(value)
    ? typeof value !== "object"
    : value.every((item) => typeof item !== "object" && item !== undefined);
  if (!isFlat && !policy.allowComplexClaims) return false;
  return (typeof value === "string" ? value : JSON.stringify(value)).length <= policy.maxClaimValueSize;
}
