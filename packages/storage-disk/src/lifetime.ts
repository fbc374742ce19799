/** How long a record lives: `ttl` whole seconds, or for good. */

/** When a record that is stored now will have expired, in seconds since 1970; `null` for never. */
export function expiryOf(ttl: number | undefined, now: number): number | null {
  return ttl === undefined ? null : now + ttl;
}
