/** The names of grants: whose grant it is can be asked for by whoever has the key, and can't be read off by anybody else. RFC 2104. */

import { digest } from "../state/digest.ts";
import { type Keys, mac } from "./keys.ts";

/** Characters of base64url, 132 bits. */
const HALF = 22;

/** How a grant's name looks, for the tokens that carry one. */
export const GRANT_ID = `[A-Za-z0-9_-]{${2 * HALF}}`;

/**
 * The name of the grant that a code becomes: first whose it is, then which one.
 *
 * The second half follows from the code, and the code can't be found from it. The first is keyed: a dump of the storage can't be searched for
 * a person by trying names. What it does show is which grants belong to one and the same person.
 */
export function grantIdOf(keys: Keys, subject: string, code: string): string {
  return personOf(keys[0], subject) + digest(`grant\0${code}`).slice(0, HALF);
}

/** How the names of all grants of a person begin: one beginning for each key, because a grant keeps its name while secrets are rotated. */
export function beginningsOf(keys: Keys, subject: string): readonly string[] {
  return keys.map((key) => personOf(key, subject));
}

function personOf(key: Uint8Array, subject: string): string {
  return Buffer.from(mac(key, subject)).toString("base64url").slice(0, HALF);
}
