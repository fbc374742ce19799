/** Authorization server metadata. RFC 8414 and RFC 9207 §3. */

import type { GrantTypeName, TokenEndpointAuthMethod } from "./client-metadata.ts";

/**
 * The metadata document. Clients refuse `null` in it, so what is absent is left out.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-2 RFC 8414 §2}
 */
export interface ServerMetadata {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly registration_endpoint?: string;
  readonly revocation_endpoint?: string;
  readonly jwks_uri?: string;
  readonly scopes_supported?: readonly string[];
  readonly response_types_supported: readonly ["code"];
  readonly response_modes_supported: readonly ["query"];
  readonly grant_types_supported: readonly GrantTypeName[];
  readonly token_endpoint_auth_methods_supported: readonly TokenEndpointAuthMethod[];
  readonly revocation_endpoint_auth_methods_supported?: readonly TokenEndpointAuthMethod[];
  readonly code_challenge_methods_supported: readonly ["S256"];
  readonly authorization_response_iss_parameter_supported?: true;
}

/** What is said about a server: its issuer, where its endpoints are, and what it offers. */
export interface ServerDescription {
  /** As it appears everywhere else: in `iss`, in tokens, in resource metadata. Clients compare it character by character. */
  readonly issuer: string;
  /** Absolute URLs. An endpoint that is turned off is absent. */
  readonly endpoints: {
    readonly authorization: string;
    readonly token: string;
    readonly registration?: string | undefined;
    readonly revocation?: string | undefined;
    readonly jwks?: string | undefined;
  };
  readonly scopes: Iterable<string>;
  /** Whether responses carry `iss`. */
  readonly issParameter: boolean;
}

const AUTH_METHODS: readonly TokenEndpointAuthMethod[] = ["none", "client_secret_basic", "client_secret_post"];

/**
 * Writes the metadata document: what works, and nothing else.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3.2 RFC 8414 §3.2} what has no value is omitted
 */
export function formatServerMetadata({ issuer, endpoints, scopes, issParameter }: ServerDescription): ServerMetadata {
  const scopesSupported = [...new Set(scopes)];
  return {
    issuer,
    authorization_endpoint: endpoints.authorization,
    token_endpoint: endpoints.token,
    ...(endpoints.registration === undefined ? {} : { registration_endpoint: endpoints.registration }),
    ...(endpoints.revocation === undefined
      ? {}
      : { revocation_endpoint: endpoints.revocation, revocation_endpoint_auth_methods_supported: AUTH_METHODS }),
    ...(endpoints.jwks === undefined ? {} : { jwks_uri: endpoints.jwks }),
    ...(scopesSupported.length === 0 ? {} : { scopes_supported: scopesSupported }),
    response_types_supported: ["code"],
    response_modes_supported: ["query"],
    // RFC 8414 §2: left out, these two would mean "authorization_code and implicit" and "client_secret_basic only".
    grant_types_supported: ["authorization_code", "refresh_token"],
    token_endpoint_auth_methods_supported: AUTH_METHODS,
    // RFC 8414 §2: left out, this would mean that PKCE is not supported, and clients of MCP have to turn away.
    code_challenge_methods_supported: ["S256"],
    ...(issParameter ? { authorization_response_iss_parameter_supported: true } : {}),
  };
}
