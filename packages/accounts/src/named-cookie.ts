/** A cookie by its name and value; its attributes are always the same. RFC 6265bis §4.1.3.2. */

/** A cookie without its attributes. */
export interface NamedCookie {
  readonly name: string;
  readonly value: string;
  /** Seconds; 0 takes it away. */
  readonly maxAge: number;
}

/**
 * The name of a cookie of ours. With `__Host-` no sibling domain and no page without https can plant it.
 *
 * @param secure whether pages are served over https; otherwise (loopback only) a browser would refuse the prefix
 * @see {@link https://www.ietf.org/archive/id/draft-ietf-httpbis-rfc6265bis-20.html#section-4.1.3.2 RFC 6265bis §4.1.3.2}
 */
export function cookieName(word: string, secure: boolean): string {
  return `${secure ? "__Host-" : ""}sallyport-${word}`;
}
