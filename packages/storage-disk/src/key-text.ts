/** Keys as SQLite can hold them: any string of JavaScript as well-formed text, and no two of them as the same. */

/** A noncharacter of Unicode, so that ordinary keys stand in the database as they are. */
const ESCAPE = "\uffff";

/**
 * What has to be escaped, one UTF-16 unit at a time: NUL, at which `node:sqlite` ends a text that it reads; surrogates, of which a lone
 * one has no UTF-8 and would become the same U+FFFD as every other; and the escape.
 */
const ESCAPED = /[\0\ud800-\udfff\uffff]/g;

/** Above every key in SQLite's order, which is that of the UTF-8 bytes: in a key's text, surrogates and so this character are escaped. */
const HIGHEST = "\u{10ffff}";

/**
 * The text under which a key is stored. One unit becomes one character or one escape, so a key begins with a prefix exactly where its
 * text begins with the prefix's text.
 */
export function keyText(key: string): string {
  return key.replace(ESCAPED, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** The key that is stored under a text. */
export function keyOf(text: string): string {
  return text.replace(/\uffff([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)));
}

/** The first text behind all texts that begin with this one. */
export function keyTextAfter(prefix: string): string {
  return prefix + HIGHEST;
}
