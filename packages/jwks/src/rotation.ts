/** When a key signs, when the next one has to be there, and when the last one may go. Pure: instants in, decisions out. */
import type { SigningAlgorithm } from "./signing-key.ts";

/** A key's place in the order. Instants in seconds since 1970. */
export interface Turn {
  readonly alg: SigningAlgorithm;
  /** From here on it signs, until the next one does. */
  readonly signsFrom: number;
  /** Seconds for which the longest-lived token lives that it may have signed. */
  readonly tokenTtl: number;
}

/** Seconds, all of them. */
export interface RotationPolicy {
  readonly alg: SigningAlgorithm;
  /** How long one key signs. */
  readonly rotationInterval: number;
  /** How long a key is published before it signs. Longer than anybody keeps our key set without looking again. */
  readonly publishBefore: number;
  readonly tokenTtl: number;
}

/** Seconds by which the clocks of two replicas may differ. */
const CLOCK_SKEW = 300;

/** The key that signs now. */
export function signingAt<T extends Turn>(turns: readonly T[], now: number): T | undefined {
  // Where none has begun, the clock is behind that of whoever made the first: it was made to be used.
  return turns.findLast(({ signsFrom }) => signsFrom <= now) ?? turns[0];
}

/** Those that still sign, will, or have signed a token that may be alive. */
export function stillNeeded<T extends Turn>(
  turns: readonly T[],
  now: number,
  { tokenTtl }: RotationPolicy,
): readonly T[] {
  return turns.filter((turn, index) => {
    const successor = turns[index + 1];
    return successor === undefined || now < successor.signsFrom + Math.max(turn.tokenTtl, tokenTtl) + CLOCK_SKEW;
  });
}

/** When the next key is to sign that has to be made now; `undefined` where none has to be. */
export function nextTurn(turns: readonly Turn[], now: number, policy: RotationPolicy): number | undefined {
  const last = turns.at(-1);
  if (last === undefined) return now;
  // One successor at a time, so that replicas with different configurations do not outbid one another.
  if (last.signsFrom > now) return undefined;
  const age = now - last.signsFrom;
  const isDue = age >= policy.rotationInterval - policy.publishBefore || last.alg !== policy.alg;
  return isDue ? now + policy.publishBefore : undefined;
}
