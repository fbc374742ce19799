/** A body that a parser has read before, as the text that it was. RFC 6749 appendix B, RFC 8259. */
import type { IncomingHttpHeaders } from "node:http";

/** What a parser has left. */
export interface Consumed {
  /** What the parser made of the body. */
  readonly body: unknown;
  /** The text or the bytes, where the parser keeps them. */
  readonly rawBody: unknown;
}

/** What a lenient decoder puts for bytes that are no UTF-8. */
const REPLACEMENT = "\uFFFD";

/**
 * Recovers a body with the meaning that it had on the wire: the very bytes where they are kept, or else a text with the same parameters
 * or the same JSON value. What was repeated is repeated again.
 *
 * @throws {TypeError} where the parser has left nothing, or where more than one body could have become what it left
 */
export function recoverBody(headers: IncomingHttpHeaders, { body, rawBody }: Consumed): Uint8Array<ArrayBuffer> {
  for (const kept of [rawBody, body]) {
    if (kept instanceof Uint8Array) return new Uint8Array(kept);
    if (typeof kept === "string") return new TextEncoder().encode(undamaged(kept));
  }
  if (isEmpty(headers)) return new Uint8Array();
  if (typeof body !== "object" || body === null)
    throw new TypeError("The request body was read before, and nothing of it is left.");
  return new TextEncoder().encode(textOf((headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase(), body));
}

function textOf(type: string | undefined, body: object): string {
  if (type === "application/json") return undamaged(JSON.stringify(body));
  if (type === "application/x-www-form-urlencoded") return formOf(body);
  throw new TypeError("The request body was read before, and is neither a form nor JSON.");
}

function formOf(fields: object): string {
  return Object.entries(fields)
    .flatMap(([name, value]) => valuesOf(value).map((each) => `${encoded(name)}=${encoded(each)}`))
    .join("&");
}

/**
 * One text is one parameter, and a list of texts is a repeated one. Anything else comes of brackets in a name, or of very many repetitions:
 * read as either of them, it could turn a request that has to be refused into one that is granted.
 */
function valuesOf(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value) && value.length > 1 && value.every((each) => typeof each === "string")) return value;
  throw new TypeError("A body parser has rearranged the form.");
}

function encoded(text: string): string {
  return encodeURIComponent(undamaged(text));
}

/** RFC 3629 §3: many sequences of broken bytes are one text by now, and nobody knows any more which of them was sent. */
function undamaged(text: string): string {
  if (text.includes(REPLACEMENT) || !text.isWellFormed()) throw new TypeError("The request body was not UTF-8.");
  return text;
}

/** Of a body that is not there parsers make an empty object, or nothing. */
function isEmpty(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
}
