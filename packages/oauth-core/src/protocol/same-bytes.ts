/** Comparing what somebody has guessed with what they would have had to know. RFC 9700 §4.5, RFC 7519 §8: a difference that is found sooner must not be told sooner. */
import { timingSafeEqual } from "node:crypto";

/** Whether two values are the same, in a time that tells nothing about where they differ. Their lengths are public, as those of digests and MACs are. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
