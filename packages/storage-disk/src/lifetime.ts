/** How long a record lives: `ttl` whole seconds, or for good. */

/**
 * Holds a `ttl` against the port's rule: whole seconds, at least one, or absent.
 *
 * @throws {RangeError} for anything else. Zero is not guessed at: it could mean "for good" as well as "already gone".
 */
export function assertTtl(ttl: number | undefined): void {
  if (ttl !== undefined && !(Number.isSafeInteger(ttl) && ttl >= 1)) {
    throw new RangeError("A ttl is a whole number of seconds, at least 1.");
  }
}

/** When a record that is stored now will have expired, in seconds since 1970; `null` for never. */
export function expiryOf(ttl: number | undefined, now: number): number | null {
  return ttl === undefined ? null : now + ttl;
}
