/** Redirect URIs: what may be registered, and what equals a registered one. RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §4.1. */

import { OAuthProxyError } from "./errors.ts";
import { isPort, isUriText, splitUri, type UriParts } from "./uri.ts";

const MAX_REDIRECT_URI_LENGTH = 1024;

/** Encoded dots, slashes, backslashes, percent signs and control characters: each reads differently after one more decoding. */
const AMBIGUOUS_ENCODING = /%(?:2e|2f|5c|25|[01][0-9a-f]|7f)/i;

/** RFC 8252 §7.3 and §8.3: the three names of this machine; a client that listens there uses plain http and any port. */
const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** Schemes whose handler runs, shows, sends or dials something instead of handing the code to one application. */
const DENIED_SCHEMES: ReadonlySet<string> = new Set(
  [
    "about blob chrome cid content data facetime feed file filesystem ftp ftps gopher intent jar javascript ldap ldaps livescript",
    "mailto mid mocha resource sftp sip sms smb ssh tel telnet urn vbscript view-source ws wss",
  ].flatMap((line) => line.split(" ")),
);

/**
 * Checks a redirect URI when it is registered, and gives it back unchanged.
 *
 * Comparison is exact later on, so a registered URI must have one reading only: everything that a browser, a proxy or another
 * parser could normalise into something else is refused here. Whether the server's policy admits the URI is another question.
 *
 * @throws {OAuthProxyError} `invalid_redirect_uri`; reason `redirect_uri_malformed`, `redirect_uri_scheme` or `redirect_uri_too_long`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2 RFC 6749 §3.1.2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8252#section-7 RFC 8252 §7}
 */
export function parseRedirectUri(value: unknown): string {
  if (typeof value !== "string") throw new OAuthProxyError("redirect_uri_malformed");
  if (value.length > MAX_REDIRECT_URI_LENGTH) throw new OAuthProxyError("redirect_uri_too_long");

  // RFC 6749 §10.14: a redirect must not become a way to run script: `javascript:` in any case, as browsers read schemes.
  const scheme = value.slice(0, Math.max(value.indexOf(":"), 0)).toLowerCase();
  if (DENIED_SCHEMES.has(scheme)) throw new OAuthProxyError("redirect_uri_scheme");

  // RFC 3986 §2, RFC 6749 §3.1.2 (no fragment): line breaks split headers, a backslash is a slash to a browser, `*` is nobody's address.
  if (!isUriText(value) || /[#*]/.test(value)) throw new OAuthProxyError("redirect_uri_malformed");
  if (!hasOneReading(value)) throw new OAuthProxyError("redirect_uri_malformed");

  // RFC 8252 §7.3 and RFC 9700 §2.6: plain http carries the code in the clear, except where it never leaves the machine.
  if (scheme === "http" && !isLoopbackRedirectUri(value)) throw new OAuthProxyError("redirect_uri_scheme");
  return value;
}

function hasOneReading(uri: string): boolean {
  // RFC 3986 §6.2.2: upper-case hosts, default ports, dot segments and odd numeric hosts all have a second spelling. Only the
  // normal form may register, so that exact comparison can't be talked round.
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || (url.href !== uri && url.href !== `${uri}/`)) return false;

  // RFC 3986 §3.2.1: `https://good.example@evil.test/` shows one host and goes to another.
  const afterScheme = uri.slice(url.protocol.length);
  const authority = afterScheme.startsWith("//") ? afterScheme.slice(2).split(/[/?]/, 1).join("") : "";
  if (authority.includes("@")) return false;

  // RFC 1034 §3.1: `example.com.` is the same machine under a name that no list has.
  if (url.hostname.endsWith(".")) return false;

  // RFC 3986 §2.4 and §3.3: `%2e%2e`, `%2F`, `%5c` and `..;/` are path traversal to whoever decodes once more or drops `;` parameters.
  const path = afterScheme.split("?", 1).join("");
  return !AMBIGUOUS_ENCODING.test(uri) && !path.split("/").some(isDotSegment);
}

function isDotSegment(segment: string): boolean {
  const name = segment.split(";", 1)[0];
  return name === "." || name === "..";
}

/**
 * Whether a redirect URI leads to the person's own machine: http or https on `localhost`, `127.0.0.1` or `[::1]`, and nothing else.
 *
 * Such a URI proves nobody: any program on the machine can listen there.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8252#section-7.3 RFC 8252 §7.3}
 */
export function isLoopbackRedirectUri(uri: string): boolean {
  const parts = splitUri(uri);
  return parts !== undefined && (parts.scheme === "http" || parts.scheme === "https") && isLoopback(parts);
}

/** RFC 8252 §7.3: compared as a whole, because `localhost.evil.test` and `127.0.0.1.evil.test` only begin like this machine. */
function isLoopback(parts: UriParts): boolean {
  return LOOPBACK_HOSTS.has(parts.host) && (parts.port === undefined || isPort(parts.port));
}

/**
 * Whether the redirect URI of a request is a registered one: the same string, character by character.
 *
 * The single exception is http on a loopback literal, where the port may differ, because a native client gets a free one at each
 * start. `localhost`, `127.0.0.1` and `[::1]` stay three different hosts.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.1.3 RFC 9700 §4.1.3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc8252#section-7.3 RFC 8252 §7.3}
 */
export function matchesRedirectUri(requested: string, registered: string): boolean {
  // RFC 9700 §2.1: exact string matching. Anything cleverer has been the open redirector of some server.
  if (requested === registered) return true;

  const asked = splitUri(requested);
  const known = splitUri(registered);
  if (asked === undefined || known === undefined) return false;
  if (asked.scheme !== "http" || known.scheme !== "http" || !isLoopback(asked) || !isLoopback(known)) return false;

  // RFC 8252 §7.3: the port, and only the port. A program on `[::1]` must not collect the code of one on `127.0.0.1`.
  return asked.host === known.host && (asked.path || "/") === (known.path || "/") && asked.query === known.query;
}

/**
 * What the consent page shows of a redirect URI: the host with its port for http and https, `scheme:` for anything else.
 *
 * @throws {OAuthProxyError} `redirect_uri_malformed` where it is no URI at all.
 */
export function redirectUriHost(uri: string): string {
  if (!URL.canParse(uri)) throw new OAuthProxyError("redirect_uri_malformed");
  const url = new URL(uri);
  return url.protocol === "https:" || url.protocol === "http:" ? url.host : url.protocol;
}
