/** Values as JSON sees them (RFC 8259): what remains of one at rest, and when two are the same. */

/**
 * The JSON text of a value, with the members of every object in one order: two values have the same text exactly where JSON says that they
 * are the same. A storage that keeps this text can compare values as texts.
 *
 * @throws {TypeError} where nothing remains of it (`undefined`, `null`, a function, `NaN`) or JSON can't carry it (a cycle, a bigint).
 * @see {@link https://www.rfc-editor.org/rfc/rfc8259#section-4 RFC 8259 §4}
 */
export function jsonText(value: unknown): string {
  const text = plainText(value);
  // Only what has members can have them in another order. What the core stores are strings, and they cost nothing more here.
  return text.startsWith("{") || text.startsWith("[") ? ordered(JSON.parse(text)) : text;
}

/**
 * What JSON makes of a value: a copy that shares nothing with it, without the members that JSON does not know.
 *
 * @throws {TypeError} as {@link jsonText} does.
 */
export function jsonOf(value: unknown): unknown {
  // The core stores strings only, and a string can be shared: no copy on the hot path.
  return typeof value === "string" ? value : JSON.parse(plainText(value));
}

/** Whether two results of {@link jsonOf} are the same JSON value. The order of an object's members does not matter. */
export function sameJson(left: unknown, right: unknown): boolean {
  return (
    left === right || (typeof left === "object" && typeof right === "object" && jsonText(left) === jsonText(right))
  );
}

function plainText(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined || text === "null")
    throw new TypeError("A stored value has to be one that JSON carries, and not null.");
  return text;
}

/** The text of what came out of `JSON.parse`. */
function ordered(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(ordered).join()}]`;
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${ordered(member)}`).join()}}`;
}
