/** Well-known locations: the suffix stands between host and path. RFC 8414 §3.1 and RFC 9728 §3.1. */

import { ConfigurationError } from "./errors.ts";

/**
 * Path, and query if there is one, under which the metadata of an issuer or resource lies: `https://host/mcp` with the suffix
 * `oauth-protected-resource` gives `/.well-known/oauth-protected-resource/mcp`. A slash at the end of the path is dropped, as
 * clients do it.
 *
 * @throws {ConfigurationError} where the identifier is no absolute http or https URL.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3.1 RFC 8414 §3.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-3.1 RFC 9728 §3.1}
 */
export function wellKnownPath(suffix: string, identifier: string): string {
  const { pathname, search } = parseIdentifier(identifier);
  const path = pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
  return `/.well-known/${suffix}${path}${search}`;
}

/**
 * The absolute URL of that location.
 *
 * @throws {ConfigurationError} where the identifier is no absolute http or https URL.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8615#section-3 RFC 8615 §3}
 */
export function wellKnownUrl(suffix: string, identifier: string): string {
  return `${parseIdentifier(identifier).origin}${wellKnownPath(suffix, identifier)}`;
}

function parseIdentifier(identifier: string): URL {
  const url = URL.canParse(identifier) ? new URL(identifier) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new ConfigurationError("baseUrl", "an issuer or resource must be an absolute http or https URL");
  }
  return url;
}
