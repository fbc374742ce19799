/** Names for secrets at rest: SHA-256 (FIPS 180-4) in base64url (RFC 4648 §5). */

import { createHash } from "node:crypto";

/**
 * The SHA-256 of a string's UTF-8, as 43 characters of base64url.
 *
 * A key in a storage is a digest and never the secret itself, so that whoever reads a database, its index or its slow-query log
 * holds nothing that a door would open to. Without a salt, so that the secret leads to its record: fit for secrets with the
 * randomness of a key, unfit for passwords.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc4648#section-5 RFC 4648 §5}
 */
export function digest(value: string): string {
  return createHash("sha256").update(value, "utf8").digest("base64url");
}
