/** Passwords as text: the one form in which they are hashed and compared. RFC 8265 §4.2, OpaqueString. */

/** In characters, after normalising. */
export const SHORTEST_PASSWORD = 8;
/** In characters, after normalising. */
export const LONGEST_PASSWORD = 256;

/** UTF-16 units that are looked at at all: NFC makes one character of eight units at most, so that what is longer is too long in any form. */
const LONGEST_INPUT = 8 * LONGEST_PASSWORD;

/**
 * RFC 8264 §4.3, FreeformClass: no controls and line breaks, no halves of surrogate pairs, nothing unassigned, and no characters that nobody sees: whoever pasted one with
 * the password couldn't type it a second time. Emoji are made with some of those, and these may stay: joiners, variation selectors, tags.
 */
const FORBIDDEN =
  /(?!\u200c|\u200d|\ufe0e|\ufe0f|[\u{e0020}-\u{e007f}])[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** Why a text is no password. */
export type PasswordFault = "too_short" | "too_long" | "malformed";

/**
 * The one form of a password, or why there is none. Spaces of every kind are `U+0020`, and accents are composed (NFC): keyboards differ in both. Nothing else
 * changes: case, width and spaces around it are part of the password.
 *
 * 8 to 256 characters, counted as code points after normalising. `malformed`: it has a control character or one that nobody sees.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8265#section-4.2 RFC 8265 §4.2}
 */
export function normalizePassword(text: string): { readonly password: string } | { readonly fault: PasswordFault } {
  if (text.length > LONGEST_INPUT) return { fault: "too_long" };
  const password = text.replace(/\p{Zs}/gu, " ").normalize("NFC");
  if (FORBIDDEN.test(password)) return { fault: "malformed" };
  const length = [...password].length;
  if (length < SHORTEST_PASSWORD) return { fault: "too_short" };
  return length > LONGEST_PASSWORD ? { fault: "too_long" } : { password };
}
