/** Decodings with one outcome per input: what is not well-formed is `undefined`, never a guess. RFC 4648, RFC 3629, RFC 6749 Appendix B. */

import { Buffer } from "node:buffer";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads UTF-8. A lenient reader puts a replacement character for every broken byte, so that many inputs become one text.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3629#section-10 RFC 3629 §10}
 */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/**
 * Reads one name or value of `application/x-www-form-urlencoded`: percent-encoded UTF-8 with `+` for a space.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#appendix-B RFC 6749 Appendix B}
 */
export function decodeFormText(encoded: string): string | undefined {
  // Half a surrogate pair has no UTF-8 at all: whoever writes it out again writes something else.
  if (/\p{Cs}/u.test(encoded)) return undefined;
  try {
    return decodeURIComponent(encoded.replaceAll("+", " "));
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** Reads base64, with or without its padding. RFC 4648 §4. */
export function decodeBase64(encoded: string): Uint8Array | undefined {
  return decodeCanonical(encoded.replace(/={1,2}$/, ""), "base64");
}

/** Reads base64url without padding, as every part of a JWT is written. RFC 4648 §5 and RFC 7515 §2. */
export function decodeBase64url(encoded: string): Uint8Array | undefined {
  return decodeCanonical(encoded, "base64url");
}

/**
 * RFC 4648 §3.5: the unused bits of the last character are zero. If they were not looked at, one value would have several
 * spellings, and what is cached or denied under one would be found afresh under another.
 */
function decodeCanonical(encoded: string, encoding: "base64" | "base64url"): Uint8Array | undefined {
  const bytes = Buffer.from(encoded, encoding);
  return bytes.toString(encoding).replace(/={1,2}$/, "") === encoded ? bytes : undefined;
}
