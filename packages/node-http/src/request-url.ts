/** The target of an incoming request as it was sent, and its absolute URL. RFC 9112 §3.2. */

/** Names, IPv4 and IPv6 literals, each with an optional port: nothing that could end the authority and begin a path. */
const AUTHORITY = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i;

/** `http://host:port` in front of the target's path, where a client sends the whole URL. */
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i;

/** RFC 8615 §3. */
const WELL_KNOWN = "/.well-known/";

/**
 * Path and query, as they were sent: `..`, `%2e` and `//` stay, because a path that only resembles an endpoint's must not lead to it.
 *
 * @param target the request target: origin-form, absolute-form (its authority is dropped), or `*`, which becomes the path `/*`
 * @param strippedPrefix what a reverse proxy cut off every path but those of well-known documents, which stand in front of an issuer's path
 * and not behind it
 * @see {@link https://www.rfc-editor.org/rfc/rfc9112#section-3.2 RFC 9112 §3.2}
 */
export function originForm(target: string, strippedPrefix = ""): string {
  const withoutAuthority = target.startsWith("/") ? target : target.replace(ABSOLUTE_FORM, "");
  const path = withoutAuthority.startsWith("/") ? withoutAuthority : `/${withoutAuthority}`;
  return strippedPrefix === "" || path.startsWith(WELL_KNOWN) ? path : withSlash(strippedPrefix) + path;
}

/**
 * Puts scheme, authority and {@link originForm} together.
 *
 * The authority is what the client claims in `Host`, and `localhost` where that is missing or malformed. Trust it with nothing.
 */
export function requestUrl(
  scheme: "http" | "https",
  host: string | undefined,
  target: string,
  strippedPrefix = "",
): string {
  return `${scheme}://${authorityOf(host)}${originForm(target, strippedPrefix)}`;
}

/** `/auth` for `auth`, `/auth` and `/auth/`; nothing for `/`. */
function withSlash(prefix: string): string {
  const name = prefix.replace(/^\/+|\/+$/g, "");
  return name === "" ? "" : `/${name}`;
}

/** The last `Host` that was looked into: most servers are only ever asked for one. */
let last: { readonly host: string | undefined; readonly authority: string } = {
  host: undefined,
  authority: "localhost",
};

function authorityOf(host: string | undefined): string {
  if (last.host === host) return last.authority;
  // A port of 99999 and an address such as 1.2.3.256 have the right characters, and yet no URL can be made of them.
  const isOne = host !== undefined && AUTHORITY.test(host) && URL.canParse(`http://${host}`);
  last = { host, authority: isOne ? host : "localhost" };
  return last.authority;
}
