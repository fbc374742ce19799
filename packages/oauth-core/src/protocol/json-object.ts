/** JSON objects, as opposed to everything else that JSON can be. RFC 8259 §4. */

/** An object of JSON, whose members nobody has looked at. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a value is an object with members: not an array, not `null`. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads a text that should be a JSON object; `undefined` for any other text, JSON or not.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8259#section-4 RFC 8259 §4}
 */
export function parseJsonObject(text: string): JsonObject | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  // A member called `__proto__` would become the prototype of whatever the members are assigned to.
  return isJsonObject(value) && !Object.hasOwn(value, "__proto__") ? value : undefined;
}
