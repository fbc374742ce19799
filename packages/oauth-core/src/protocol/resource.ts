/** Resource indicators: which protected resource a token is for. RFC 8707. */

import { ConfigurationError, OAuthProxyError } from "./errors.ts";
import { isPort, isUriText, splitUri } from "./uri.ts";

const MAX_RESOURCE_LENGTH = 2048;

const DEFAULT_PORTS: ReadonlyMap<string, string> = new Map([
  ["http", "80"],
  ["https", "443"],
]);

/**
 * Reads one `resource` parameter and gives it back in the form in which resources are compared here: scheme and host in lower
 * case, no default port, no `/` where there is no other path, the query kept. Nothing else is normalised: dot segments and
 * percent-encodings stay as they are, and so equal nothing that was configured.
 *
 * @throws {OAuthProxyError} `invalid_target`, reason `resource_malformed`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2}
 */
export function parseResource(value: string): string {
  const canonical = canonicalForm(value);
  // RFC 8707 §2: an absolute URI without fragment. User information would put a password into a token's audience.
  if (canonical === undefined) throw new OAuthProxyError("resource_malformed");
  return canonical;
}

/**
 * The same form for a resource that the operator configured.
 *
 * @throws {ConfigurationError} where it is no absolute URI, or carries user information or a fragment.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2}
 */
export function canonicalResource(url: string): string {
  const canonical = canonicalForm(url);
  if (canonical === undefined) {
    throw new ConfigurationError("resource", "must be an absolute URI without user information and fragment");
  }
  return canonical;
}

function canonicalForm(value: string): string | undefined {
  if (value.length > MAX_RESOURCE_LENGTH || !isUriText(value)) return undefined;
  const parts = splitUri(value);
  if (parts === undefined || parts.host === "") return undefined;

  const scheme = parts.scheme.toLowerCase();
  const port = parts.port ?? "";
  if (port !== "" && !isPort(port)) return undefined;
  const authority = port === "" || port === DEFAULT_PORTS.get(scheme) ? parts.host : `${parts.host}:${port}`;
  return `${scheme}://${authority.toLowerCase()}${parts.path === "/" ? "" : parts.path}${parts.query ?? ""}`;
}

/**
 * Which of the configured resources a request asks for, as they were configured, each once, in the order of the configuration.
 *
 * A request that names none gets the only one there is, because older clients never name any. A query on a requested resource is
 * forgiven where the same URI without it is configured: a known client adds one.
 *
 * @throws {OAuthProxyError} `invalid_target`; reason `resource_unknown` for one that is not configured, `resource_ambiguous` where
 * none is named and several are configured.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2}
 */
export function selectResources(requested: readonly string[], configured: readonly string[]): readonly string[] {
  const spellings = new Map<string, string>();
  for (const resource of configured) {
    const canonical = canonicalResource(resource);
    if (!spellings.has(canonical)) spellings.set(canonical, resource);
  }

  if (requested.length === 0) {
    // RFC 8707 §2: a token for everything would let one protected resource act at another with what it was handed.
    if (spellings.size !== 1) throw new OAuthProxyError("resource_ambiguous");
    return [...spellings.values()];
  }

  const selected = new Set<string>();
  for (const resource of requested) {
    const canonical = parseResource(resource);
    const spelling = spellings.get(canonical) ?? spellings.get(withoutQuery(canonical));
    // RFC 8707 §2: `invalid_target`. A token for a resource of somebody else's choosing would be a token to be carried there.
    if (spelling === undefined) throw new OAuthProxyError("resource_unknown");
    selected.add(spelling);
  }
  return [...spellings.values()].filter((spelling) => selected.has(spelling));
}

function withoutQuery(resource: string): string {
  const [path = ""] = resource.split("?", 1);
  return path;
}
