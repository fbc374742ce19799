/** The effects of the real world. */
import { randomBytes } from "node:crypto";
import type { Runtime } from "./runtime.ts";

/** The system clock, the system's randomness, the global `fetch`. */
export const DEFAULT_RUNTIME: Runtime = {
  now: () => Math.floor(Date.now() / 1000),
  randomBytes: (size) => randomBytes(size),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  fetch: (input, init) => fetch(input, init),
};
