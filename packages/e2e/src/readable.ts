/** What somebody who steals a dump could read in it. */

/** Bytes by which a secret is recognised: its end, for tokens begin alike. */
const ENOUGH = 16;

/**
 * Those of the secrets that stand in a dump, as they are or in base64, whole or by their ends.
 *
 * @throws {RangeError} for a secret that is too short to be told from other words
 */
export function readable(dump: string, secrets: Iterable<string>): readonly string[] {
  const secretOf = new Map([...secrets].map((secret) => [secret.slice(-ENOUGH), secret]));
  for (const end of secretOf.keys()) if (end.length < ENOUGH) throw new RangeError(`${end} is too short.`);
  const found = new Set<string>();
  for (const text of [dump, ...decoded(dump)]) {
    for (let at = 0; at + ENOUGH <= text.length; at += 1) {
      const secret = secretOf.get(text.slice(at, at + ENOUGH));
      if (secret !== undefined) found.add(secret);
    }
  }
  return [...found];
}

/** Whatever in it could be base64, read as that. Its groups of four may begin anywhere. */
function* decoded(dump: string): Iterable<string> {
  for (const [run] of dump.matchAll(/[\w+/-]{20,}/g))
    for (let start = 0; start < 4; start += 1) yield Buffer.from(run.slice(start), "base64url").toString("latin1");
}
