/** A stranger's text, made fit to be kept and shown: one line, nothing invisible, and no longer than it may be. */

/** Controls, marks that turn the reading direction or join, lone surrogates, and what breaks a line. */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * What can be shown of a text. It is still a stranger's, and has to be escaped.
 *
 * @param most characters (code points) that are kept; what a text of any length costs is bounded by it
 */
export function plainText(text: string, most: number): string {
  const shown = text
    .slice(0, 4 * most)
    .replaceAll(UNSHOWABLE, "")
    .trim();
  return [...shown].slice(0, most).join("").trimEnd();
}
