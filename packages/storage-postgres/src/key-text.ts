/** Keys as PostgreSQL can hold them: any string of JavaScript as UTF-8, and no two of them as the same. */

/** What the port promises of a key, and what fits into an index. */
const LONGEST_KEY_BYTES = 2048;

/** A noncharacter of Unicode, so that ordinary keys stand in the table as they are. */
const ESCAPE = "\uffff";

/**
 * What has to be escaped: NUL, which PostgreSQL refuses; a lone surrogate, which has no UTF-8 and would become the same U+FFFD as every
 * other; the escape; and what has to stay above every key.
 */
const ESCAPED = /[\0\uffff\u{10ffff}]|\p{Surrogate}/gu;

/** Above every text of a key in the order of their bytes. */
const HIGHEST = "\u{10ffff}";

/** The lowest character that a text of PostgreSQL can have. */
const LOWEST = "\u0001";

/** The text under which a key is stored. */
export function keyText(key: string): string {
  return key.replace(ESCAPED, escaped);
}

/** The key that is stored under a text. */
export function keyOf(text: string): string {
  return text.replace(/\uffff([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)));
}

/** Above every text that begins with this one. */
export function keyTextAbove(prefix: string): string {
  return prefix + HIGHEST;
}

/** The first text that can follow this one. */
export function keyTextAfter(text: string): string {
  return text + LOWEST;
}

/**
 * Holds a key against the port's limit.
 *
 * @throws {RangeError} for a longer one, which an index of PostgreSQL would refuse or not, depending on how well it compresses.
 */
export function assertKey(key: string): void {
  // One unit of UTF-16 is at most three bytes of UTF-8, so that most keys need not be counted.
  if (key.length * 3 > LONGEST_KEY_BYTES && Buffer.byteLength(key) > LONGEST_KEY_BYTES) {
    throw new RangeError(`A key has at most ${LONGEST_KEY_BYTES} bytes of UTF-8.`);
  }
}

function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, "0"))
    .join("");
}
