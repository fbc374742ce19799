/** Values as JSON sees them (RFC 8259): what remains of one at rest, and when two are the same. */

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

/**
 * What JSON makes of a value: a copy that shares nothing with it, without the members that JSON does not know.
 *
 * @throws {TypeError} as {@link jsonText} does.
 */
export function jsonOf(value: unknown): unknown {
  // The core stores strings only, and a string can be shared: no copy on the hot path.
  return typeof value === "string" ? value : JSON.parse(jsonText(value));
}

/** Whether two results of {@link jsonOf} are the same JSON value. The order of an object's members does not matter. */
export function sameJson(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) !== Array.isArray(right)) return false;

  const members = Object.entries(left);
  const others = new Map<string, unknown>(Object.entries(right));
  return (
    members.length === others.size &&
    members.every(([name, value]) => others.has(name) && sameJson(value, others.get(name)))
  );
}
