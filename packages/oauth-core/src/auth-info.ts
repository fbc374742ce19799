/** A verified access in the words of the MCP SDK, so that its request handlers find it where they look. RFC 6750, RFC 8707. */
import type { Access } from "./domain/bearers.ts";

/**
 * What the MCP SDK, version 1 and 2, calls `AuthInfo`. It has the SDK's shape and not its type: nobody has to install an SDK to read it.
 *
 * Nothing of it comes from anywhere but the verified token.
 */
export interface AuthInfo {
  /** The token itself, for `loadUpstreamTokens`. Never send it anywhere else. */
  token: string;
  clientId: string;
  scopes: string[];
  /** Seconds since 1970. */
  expiresAt: number;
  /** The resource that the token was checked for. RFC 8707. */
  resource: URL;
  /** What the SDK has no member for. */
  extra: {
    /** The person, stable for one identity provider. */
    subject: string;
    /** All claims of the token. */
    claims: Readonly<Record<string, unknown>>;
    [name: string]: unknown;
  };
}

/**
 * The {@link AuthInfo} of a verified access. Each call makes a new one, so that what a handler changes in it is its own.
 *
 * @example
 * ```ts
 * const access = await auth.protect(request);
 * return access instanceof Response ? access : mcp.fetch(request, { authInfo: toAuthInfo(access) });
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc8707#section-2 RFC 8707 §2}
 */
export function toAuthInfo({ token, clientId, scopes, expiresAt, resource, subject, claims }: Access): AuthInfo {
  return { token, clientId, scopes: [...scopes], expiresAt, resource: new URL(resource), extra: { subject, claims } };
}
