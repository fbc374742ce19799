/** The effects that the core can't do without: the clock, randomness, a pause and outgoing requests. It imports nothing, so that every layer may know it. */

/**
 * What the core asks of the world. Replace it in tests; nothing else in the core reaches for the clock, for randomness or for `fetch`.
 */
export interface Runtime {
  /** The time in whole seconds since 1970. */
  now(): number;
  /** `size` bytes from a cryptographically secure source. */
  randomBytes(size: number): Uint8Array;
  /** Resolves after `milliseconds`. Only used while another process holds the lease that this one needs. */
  pause(milliseconds: number): Promise<void>;
  /** Outgoing requests to the upstream. */
  fetch(input: string, init: RequestInit): Promise<Response>;
}
