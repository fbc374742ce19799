/** The effects of the real world. */
import { randomBytes } from "node:crypto";
import type { Runtime } from "./runtime.ts";

/** Bytes that are drawn at once: a draw costs ten microseconds however few it gives, and one sign-in needs some dozens of them. */
const DRAWN = 4096;
/** More than this is drawn on its own. */
const LARGEST_SHARE = 64;

let drawn = Buffer.alloc(0);
let given = 0;

/** Random bytes of the system's source, each given out once and not kept. Nothing is drawn before the first is asked for: Workers have no randomness earlier. */
function bytes(size: number): Uint8Array {
  if (size > LARGEST_SHARE) return randomBytes(size);
  if (given + size > drawn.length) {
    drawn = randomBytes(DRAWN);
    given = 0;
  }
  const share = Uint8Array.from(drawn.subarray(given, given + size));
  drawn.fill(0, given, given + size);
  given += size;
  return share;
}

/** The system clock, the system's randomness, the global `fetch`. */
export const DEFAULT_RUNTIME: Runtime = {
  now: () => Math.floor(Date.now() / 1000),
  randomBytes: bytes,
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  fetch: (input, init) => fetch(input, init),
};
