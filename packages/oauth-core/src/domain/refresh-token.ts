/** The shape of a refresh token: which grant, which generation, and the proof that we made it. RFC 6749 §1.5. */
import { GRANT_ID } from "./grant-id.ts";
import { type Keys, sign, verify } from "./keys.ts";

/** A recognisable beginning, so that scanners for leaked secrets can find one. */
const PREFIX = "sp_rt_";
const SHAPE = new RegExp(`^${PREFIX}(${GRANT_ID})\\.(0|[1-9][0-9]{0,9})\\.([A-Za-z0-9_-]{43})$`);

/** What a refresh token says of itself. Nothing of it is believed before {@link provesRefreshToken}. */
export interface RefreshTokenClaim {
  readonly grantId: string;
  readonly generation: number;
  readonly proof: string;
}

/**
 * The refresh token of one generation of a grant.
 *
 * It is derived, not random: whoever refreshes generation 4 gets the one and only token of generation 5, in any process and any number of times,
 * and nobody has to store or hand over a plaintext. The salt lives in the sealed grant, so that a leaked server key alone forges nothing.
 */
export function formatRefreshToken(keys: Keys, grantId: string, generation: number, salt: string): string {
  return `${PREFIX}${grantId}.${generation}.${sign(keys, grantId, String(generation), salt)}`;
}

/** Takes a refresh token apart; `undefined` where it isn't one. */
export function parseRefreshToken(token: string): RefreshTokenClaim | undefined {
  const [, grantId, generation, proof] = SHAPE.exec(token) ?? [];
  if (grantId === undefined || generation === undefined || proof === undefined) return undefined;
  return { grantId, generation: Number(generation), proof };
}

/** Whether we made this token for the grant that has this salt. */
export function provesRefreshToken(keys: Keys, claim: RefreshTokenClaim, salt: string): boolean {
  return verify(keys, claim.proof, claim.grantId, String(claim.generation), salt);
}
