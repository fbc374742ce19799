/** A body that was read before, as the bytes that it was. RFC 6749 appendix B, RFC 8259. */
import type { HonoRequest } from "hono";

/**
 * Recovers a body with the meaning that it had on the wire, from what Hono keeps of it: the very bytes, its text, or a form, in which
 * repeated parameters are still repeated.
 *
 * @throws {TypeError} where nothing is kept, or where more than one body could have become what is
 */
export async function recoverBody({ raw, bodyCache }: HonoRequest): Promise<Uint8Array> {
  const { arrayBuffer, blob, text, json, formData } = bodyCache;
  if (arrayBuffer !== undefined) return new Uint8Array(await arrayBuffer);
  if (blob !== undefined) return new Uint8Array(await (await blob).arrayBuffer());
  if (text !== undefined) return utf8(await text);
  // What the parser made of it is what any parser would have made of it, the core's own as well.
  if (json !== undefined) return utf8(JSON.stringify(await json));
  if (formData !== undefined && isForm(raw)) return utf8(formOf(await formData));
  throw new TypeError("The request body was read before, and not through c.req. Mount this in front of whoever did.");
}

/** Of a multipart body the names and values are left, and not what it looked like; no endpoint wants it. */
function isForm({ headers }: Request): boolean {
  const [type = ""] = (headers.get("content-type") ?? "").split(";", 1);
  return type.trim().toLowerCase() === "application/x-www-form-urlencoded";
}

function formOf(data: FormData): string {
  return [...data].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
}

function encoded(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("The request body was read as a form with files.");
  return encodeURIComponent(faithful(value));
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(faithful(text));
}

/** Two different bodies of broken bytes are one text by now, and which of them was sent nobody knows any more. */
function faithful(text: string): string {
  if (text.includes("\ufffd")) throw new TypeError("The request body was not UTF-8 when it was read.");
  return text;
}
