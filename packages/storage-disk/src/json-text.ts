/** Values as they are stored: their JSON text (RFC 8259). */

import { isDeepStrictEqual } from "node:util";

/**
 * The JSON text of a value.
 *
 * @throws {TypeError} where nothing remains of it (`undefined`, `null`, a function, `NaN`) or JSON can't carry it (a cycle, a bigint).
 */
export function jsonText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined || text === "null")
    throw new TypeError("A stored value has to be one that JSON carries, and not null.");
  return text;
}

/** Whether a value has members or items. Any other has exactly one text, so that two of them are the same only as texts. */
export function hasMembers(text: string): boolean {
  return text.startsWith("{") || text.startsWith("[");
}

/** Whether two texts are the same value, when the order of an object's members does not matter. */
export function sameMembers(left: string, right: string): boolean {
  return isDeepStrictEqual(JSON.parse(left), JSON.parse(right));
}
