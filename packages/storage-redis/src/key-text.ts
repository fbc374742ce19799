/** Keys as Redis can hold them: any string of JavaScript as UTF-8, and no two of them as the same. */

/** A noncharacter of Unicode, so that ordinary keys stand in Redis as they are. */
const ESCAPE = "\uffff";

/** What has to be escaped: a lone surrogate, which has no UTF-8 and would become the same U+FFFD as every other, and the escape. */
const ESCAPED = /\p{Surrogate}|\uffff/gu;

/** The text under which a key is stored. */
export function keyText(key: string): string {
  return key.replace(ESCAPED, (unit) => ESCAPE + unit.charCodeAt(0).toString(16));
}

/** The key that is stored under a text. */
export function keyOf(text: string): string {
  return text.replace(/\uffff([0-9a-f]{4})/g, (_, unit: string) => String.fromCharCode(Number.parseInt(unit, 16)));
}
