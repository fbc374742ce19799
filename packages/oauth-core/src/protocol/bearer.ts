/** Bearer tokens in HTTP: the credentials of a request, and the challenge of a refusal. RFC 6750 and RFC 9728 §5.1. */

import { OAuthProxyError } from "./errors.ts";
import { formatScope } from "./scope.ts";

/** Node refuses longer headers by default. */
const MAX_CREDENTIALS_LENGTH = 16_384 + "Bearer ".length;

/** RFC 6750 §2.1: the scheme in any case, then one b64token. The class and `=` exclude each other: linear. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * Reads the token of an `Authorization` header; `undefined` where there is no header, or one of another scheme.
 *
 * @throws {OAuthProxyError} `invalid_request`, reason `bearer_malformed`: no token behind the scheme, several ones, or characters
 * that no token has.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 RFC 6750 §2.1}
 */
export function parseBearer(authorization: string | undefined): string | undefined {
  // RFC 9110 §11.1: the name of a scheme is case-insensitive; it ends at the first character that no name has.
  if (authorization === undefined || !/^bearer(?![A-Za-z0-9!#$%&'*+.^_`|~-])/i.test(authorization)) return undefined;

  // RFC 6750 §2: not more than one token. Of "Bearer a, Bearer b" a proxy might check the one and this server use the other.
  const token = authorization.length > MAX_CREDENTIALS_LENGTH ? undefined : BEARER.exec(authorization)?.[1];
  if (token === undefined) throw new OAuthProxyError("bearer_malformed");
  return token;
}

/**
 * The value of `WWW-Authenticate` for a refused request.
 *
 * @param challenge without `error` for a request that had no credentials at all; `scope` is what the operation needs;
 * `resourceMetadata` is the absolute URL of the metadata document, and always there, because clients find everything else from it.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 RFC 6750 §3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9728#section-5.1 RFC 9728 §5.1}
 */
export function formatChallenge(challenge: {
  readonly error?: string | undefined;
  readonly scope?: Iterable<string> | undefined;
  readonly resourceMetadata: string;
  readonly errorDescription?: string | undefined;
}): string {
  // Clients read this with a plain search from the left, in which the first `scope=` counts, even inside of a description: so the
  // order, and so no `=` in the prose.
  const attributes: [name: string, value: string][] = [
    ["error", quotable(challenge.error ?? "")],
    ["scope", quotable(formatScope(challenge.scope ?? []))],
    ["resource_metadata", quotable(challenge.resourceMetadata)],
    ["error_description", quotable(challenge.errorDescription ?? "").replaceAll("=", "")],
  ];
  const present = attributes.filter(([, value]) => value !== "");
  return `Bearer ${present.map(([name, value]) => `${name}="${value}"`).join(", ")}`;
}

/**
 * RFC 6750 §3: %x20-21, %x23-5B and %x5D-7E. A quote would end the attribute and begin one of the attacker's choosing, a line
 * break another header, and most clients do not understand backslashes.
 */
function quotable(value: string): string {
  return value.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, "");
}
