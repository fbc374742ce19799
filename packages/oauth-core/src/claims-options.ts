/** The option `customClaimsPassthrough`. */
import type { ClaimsPolicy } from "./domain/claims.ts";
import { wholeNumber } from "./option-values.ts";

/** Which claims of the upstream's tokens are carried into ours. Claims with a meaning in a protocol never are, whatever is set here. */
export interface CustomClaimsPassthroughConfig {
  /** From the upstream's access token, where it is a JWT. Default: true. Its claims win over those of the ID token. */
  fromAccessToken?: boolean;
  /** From the upstream's ID token. Default: true. */
  fromIdToken?: boolean;
  /** Put before every name. Default: false (no prefix), so that `roles` stays `roles`. */
  claimPrefix?: string | false;
  /** Only these. Default: all but the protected ones and contact data (`address`, `phone_number`, `birthdate`, `gender`). */
  allowedClaims?: readonly string[];
  /** Never these. Default: none. */
  blockedClaims?: readonly string[];
  /** Characters of one value, as JSON where it isn't text. Longer ones are left out. Default: 2000. */
  maxClaimValueSize?: number;
  /** Also objects and lists of objects. Default: false: text, numbers, truth, and flat lists of them, which is what roles and groups are. */
  allowComplexClaims?: boolean;
}

/** Resolves it. @throws {ConfigurationError} */
export function claimsOption(value: boolean | CustomClaimsPassthroughConfig): ClaimsPolicy | undefined {
  if (value === false) return undefined;
  const config = value === true ? {} : value;
  return {
    fromAccessToken: config.fromAccessToken ?? true,
    fromIdToken: config.fromIdToken ?? true,
    claimPrefix: config.claimPrefix ?? false,
    allowedClaims: config.allowedClaims === undefined ? undefined : new Set(config.allowedClaims),
    blockedClaims: new Set(config.blockedClaims),
    maxClaimValueSize: wholeNumber(
      "customClaimsPassthrough.maxClaimValueSize",
      config.maxClaimValueSize ?? 2000,
      0,
      65_536,
    ),
    allowComplexClaims: config.allowComplexClaims ?? false,
  };
}
