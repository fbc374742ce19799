/** A URI cut at its delimiters, nothing decoded and nothing normalised. RFC 3986 §3. */

/** The parts of a URI of the form `scheme://host…`, as they are spelled. */
export interface UriParts {
  readonly scheme: string;
  /** With its brackets where it is an IPv6 address. */
  readonly host: string;
  /** Digits, or what stands for them in a pattern; `undefined` where there is no colon. */
  readonly port: string | undefined;
  /** Empty, or beginning with `/`. */
  readonly path: string;
  /** With its `?`; `undefined` where there is none. */
  readonly query: string | undefined;
}

/** What RFC 3986 §2 lets stand in a URI, with whole percent-encodings only. The alternatives begin differently: linear. */
const URI_TEXT = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+$/;

/** RFC 3986 Appendix B, less user information and fragment. Each class excludes the character that ends it: linear. */
const URI_PARTS =
  /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(\[[^\]@/?#]*\]|[^[\]@:/?#]*)(?::([0-9*]*))?((?:\/[^?#]*)?)(\?[^#]*)?$/;

/**
 * Whether a text is written in the characters of URIs: no spaces, quotes, backslashes, control characters, or broken percent-encodings.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3986#section-2 RFC 3986 §2}
 */
export function isUriText(text: string): boolean {
  return URI_TEXT.test(text);
}

/**
 * Cuts a URI of the form `scheme://…` into its parts; `undefined` for another form, and where it has user information or a fragment.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc3986#appendix-B RFC 3986 Appendix B}
 */
export function splitUri(uri: string): UriParts | undefined {
  const parts = URI_PARTS.exec(uri);
  if (parts === null) return undefined;
  const [, scheme = "", host = "", port, path = "", query] = parts;
  return { scheme, host, port, path, query };
}

/** Whether a text is a port as URIs write it: 1 to 65535 without leading zeros. */
export function isPort(text: string): boolean {
  return /^[1-9][0-9]{0,4}$/.test(text) && Number(text) <= 65535;
}
