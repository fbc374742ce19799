/** A compact JWS with JSON claims, taken apart and not yet believed. RFC 7515 §7.1, RFC 7519 §7.2. */
import { loadJose } from "./lazy-jose.ts";

/** In characters; larger ones do not fit into the headers that common servers accept. */
const LONGEST_TOKEN = 16_384;
/** Far beyond any claim, and far from what a recursion minds. */
const DEEPEST = 32;
/** The classes exclude the dots between them: linear. */
const THREE_PARTS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** What a token says, and nobody has vouched for. */
export interface TokenText {
  readonly header: Readonly<Record<string, unknown>>;
  /** Frozen, all the way down: they will be handed to more than one caller. */
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Takes a token apart; `undefined` for whatever is none. */
export async function readToken(token: unknown): Promise<TokenText | undefined> {
  if (typeof token !== "string" || token.length > LONGEST_TOKEN || !THREE_PARTS.test(token)) return undefined;
  const { decodeJwt, decodeProtectedHeader, errors } = await loadJose();
  try {
    const [header, claims] = [decodeProtectedHeader(token), decodeJwt(token)];
    return [header, claims].every((part) => freeze(part, DEEPEST)) ? { header: { ...header }, claims } : undefined;
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Freezes a value of JSON; `false` for one that is too deep, or has a member that would become the prototype of its copy. */
function freeze(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (depth === 0 || Object.hasOwn(value, "__proto__")) return false;
  return Object.values(Object.freeze(value)).every((member) => freeze(member, depth - 1));
}
