/** The two kinds of error that are meant to be seen: the operator's at start, the peer's on the wire. RFC 6749 §4.1.2.1 and §5.2. */

interface Refusal {
  readonly code: OAuthErrorCode;
  readonly description: string;
}

/** The words that RFC 6749, 6750, 7009, 7591, 8707 and OpenID Connect define for the wire. */
export type OAuthErrorCode =
  | "invalid_request"
  | "invalid_client"
  | "invalid_grant"
  | "unauthorized_client"
  | "unsupported_grant_type"
  | "unsupported_response_type"
  | "invalid_scope"
  | "invalid_target"
  | "invalid_token"
  | "insufficient_scope"
  | "invalid_redirect_uri"
  | "invalid_client_metadata"
  | "access_denied"
  | "request_not_supported"
  | "request_uri_not_supported"
  | "server_error"
  | "temporarily_unavailable";

/**
 * Every way in which this server refuses a peer: our own fine word, the RFC's coarse one, and the fixed text for the wire.
 *
 * A description never carries input: what a stranger sent would otherwise be reflected into headers, logs and pages.
 */
export const REASONS = {
  // Requests as such
  malformed_parameters: { code: "invalid_request", description: "The parameters are not well-formed." },
  repeated_parameter: { code: "invalid_request", description: "A parameter is given more than once." },
  malformed_body: { code: "invalid_request", description: "The request body is not well-formed." },
  body_too_large: { code: "invalid_request", description: "The request body is too large." },
  content_type: { code: "invalid_request", description: "The request body has the wrong content type." },
  value_too_long: { code: "invalid_request", description: "A parameter is too long." },

  // Clients
  client_id_missing: { code: "invalid_request", description: "The parameter client_id is missing." },
  client_unknown: { code: "invalid_client", description: "The client is not known here. It has to register." },
  client_credentials_missing: { code: "invalid_client", description: "The client did not authenticate." },
  client_credentials_malformed: { code: "invalid_client", description: "The client credentials are not well-formed." },
  client_credentials_several: {
    code: "invalid_request",
    description: "The client authenticated in more than one way.",
  },
  client_credentials_wrong: { code: "invalid_client", description: "The client credentials are wrong." },
  client_auth_method: { code: "invalid_client", description: "The client registered another authentication method." },
  client_grant_type: { code: "unauthorized_client", description: "The client is not registered for this grant type." },

  // Registration
  registration_disabled: { code: "access_denied", description: "Dynamic client registration is turned off." },
  client_metadata_malformed: {
    code: "invalid_client_metadata",
    description: "The client metadata is not well-formed.",
  },
  client_grant_types: {
    code: "invalid_client_metadata",
    description: "The client must use the authorization code grant.",
  },
  redirect_uri_malformed: {
    code: "invalid_redirect_uri",
    description: "A redirect URI is not a well-formed absolute URI in normal form.",
  },
  redirect_uri_scheme: {
    code: "invalid_redirect_uri",
    description: "A redirect URI must use https, a loopback address, or a listed private scheme.",
  },
  redirect_uri_too_long: {
    code: "invalid_redirect_uri",
    description: "A redirect URI is too long, or there are too many.",
  },
  redirect_uri_refused: {
    code: "invalid_redirect_uri",
    description:
      "A redirect URI is not admitted by this server. The operator can admit it with allowedRedirectUriPatterns.",
  },

  // Authorization
  redirect_uri_missing: { code: "invalid_request", description: "The parameter redirect_uri is missing." },
  redirect_uri_unregistered: {
    code: "invalid_request",
    description: "The redirect URI is not registered for this client.",
  },
  response_type_missing: { code: "invalid_request", description: "The parameter response_type is missing." },
  response_type_unsupported: {
    code: "unsupported_response_type",
    description: "Only response_type=code is supported.",
  },
  response_mode_unsupported: { code: "invalid_request", description: "Only response_mode=query is supported." },
  request_not_supported: { code: "request_not_supported", description: "Request objects are not supported." },
  request_uri_not_supported: { code: "request_uri_not_supported", description: "Request objects are not supported." },
  code_challenge_missing: {
    code: "invalid_request",
    description: "The parameter code_challenge is missing. PKCE is required.",
  },
  code_challenge_method: { code: "invalid_request", description: "The parameter code_challenge_method must be S256." },
  code_challenge_malformed: {
    code: "invalid_request",
    description: "The parameter code_challenge is not a SHA-256 digest in base64url.",
  },
  malformed_scope: { code: "invalid_scope", description: "The scope is not well-formed." },
  scope_exceeded: { code: "invalid_scope", description: "The scope goes beyond what was granted." },
  resource_malformed: { code: "invalid_target", description: "The resource is not an absolute URI without fragment." },
  resource_unknown: { code: "invalid_target", description: "The resource is not one that this server protects." },
  resource_ambiguous: {
    code: "invalid_target",
    description: "The parameter resource is missing, and this server protects several.",
  },

  // Consent and callback
  consent_forged: {
    code: "access_denied",
    description: "The form did not come from the page that this server showed to this browser.",
  },
  consent_denied: { code: "access_denied", description: "The request was denied." },
  transaction_unknown: { code: "invalid_request", description: "This sign-in is not known, or has expired." },
  transaction_used: { code: "invalid_request", description: "This sign-in has already been finished." },
  browser_mismatch: {
    code: "invalid_request",
    description: "This sign-in was not started and approved in this browser.",
  },
  provider_mismatch: {
    code: "invalid_request",
    description: "This answer did not come from the identity provider that was chosen.",
  },
  sign_in_refused: { code: "access_denied", description: "The sign-in was cancelled or refused." },
  sign_in_not_allowed: { code: "access_denied", description: "This account is not allowed to sign in here." },
  account_barred: { code: "access_denied", description: "This account can not be used." },
  sign_in_undecided: { code: "server_error", description: "It could not be decided whether this account may sign in." },

  // Token endpoint
  grant_type_missing: { code: "invalid_request", description: "The parameter grant_type is missing." },
  grant_type_unsupported: { code: "unsupported_grant_type", description: "The grant type is not supported." },
  code_missing: { code: "invalid_request", description: "The parameter code is missing." },
  code_invalid: { code: "invalid_grant", description: "The authorization code is not valid." },
  code_replayed: { code: "invalid_grant", description: "The authorization code is not valid." },
  code_verifier_missing: { code: "invalid_grant", description: "The parameter code_verifier is missing." },
  code_verifier_malformed: { code: "invalid_grant", description: "The parameter code_verifier is not well-formed." },
  code_verifier_wrong: { code: "invalid_grant", description: "The code verifier does not match the code challenge." },
  redirect_uri_mismatch: {
    code: "invalid_grant",
    description: "The redirect URI is not the one of the authorization request.",
  },
  refresh_token_missing: { code: "invalid_request", description: "The parameter refresh_token is missing." },
  refresh_token_invalid: { code: "invalid_grant", description: "The refresh token is not valid." },
  refresh_token_reused: { code: "invalid_grant", description: "The refresh token is not valid." },
  grant_revoked: { code: "invalid_grant", description: "The grant has been revoked." },
  grant_not_allowed: { code: "invalid_grant", description: "This account is not allowed to sign in here." },
  grant_undecided: {
    code: "temporarily_unavailable",
    description: "It could not be decided whether this account may sign in. Try again shortly.",
  },
  token_missing: { code: "invalid_request", description: "The parameter token is missing." },

  // Resource server
  bearer_malformed: { code: "invalid_request", description: "The Authorization header is not well-formed." },
  token_malformed: { code: "invalid_token", description: "The access token is not valid." },
  token_signature: { code: "invalid_token", description: "The access token is not valid." },
  token_type_wrong: { code: "invalid_token", description: "The access token is not valid." },
  token_expired: { code: "invalid_token", description: "The access token has expired." },
  token_not_yet_valid: { code: "invalid_token", description: "The access token is not valid yet." },
  token_issuer: { code: "invalid_token", description: "The access token was issued by another server." },
  token_audience: { code: "invalid_token", description: "The access token is for another resource." },
  token_revoked: { code: "invalid_token", description: "The access token has been revoked." },
  token_scope: { code: "insufficient_scope", description: "The access token lacks a scope that this operation needs." },
  origin_refused: { code: "access_denied", description: "Requests from this origin are not allowed." },

  // Upstream
  upstream_invalid_grant: { code: "invalid_grant", description: "The identity provider has ended the session." },
  upstream_unavailable: {
    code: "temporarily_unavailable",
    description: "The identity provider does not answer. Try again shortly.",
  },
  upstream_busy: {
    code: "temporarily_unavailable",
    description: "The identity provider does not answer. Try again shortly.",
  },
  upstream_client_refused: { code: "server_error", description: "The identity provider refused this server." },
  upstream_response_malformed: {
    code: "server_error",
    description: "The identity provider gave an answer that can not be used.",
  },
  upstream_refused: { code: "server_error", description: "The identity provider refused the request." },
  upstream_metadata: {
    code: "server_error",
    description: "The identity provider describes itself in a way that can not be used.",
  },
  upstream_issuer: {
    code: "server_error",
    description: "The answer did not come from the expected identity provider.",
  },
  upstream_identity: {
    code: "server_error",
    description: "The identity provider gave an answer that can not be trusted.",
  },

  provider_missing: {
    code: "server_error",
    description: "The identity provider of this grant is not configured any more.",
  },

  // Ourselves
  storage_unavailable: {
    code: "temporarily_unavailable",
    description: "The server can not answer right now. Try again shortly.",
  },
  busy: {
    code: "temporarily_unavailable",
    description: "The server has too much to do right now. Try again shortly.",
  },
  internal: { code: "server_error", description: "The server failed." },
} as const satisfies Record<string, Refusal>;

/** Our own, stable and finer word for a refusal; for logs, events and tests. */
export type Reason = keyof typeof REASONS;

/**
 * A peer broke the protocol or a policy.
 *
 * `code` is the RFC's word and reaches the wire with `description`, a fixed text. `reason` is finer, stable, and for logs and
 * tests. `cause` is for the operator and never leaves the process.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 RFC 6749 §5.2}
 */
export class OAuthProxyError extends Error {
  override readonly name = "OAuthProxyError";
  readonly code: OAuthErrorCode;
  readonly reason: Reason;
  readonly description: string;

  /**
   * @param reason which refusal of the table this is
   * @param options `cause`: what led to it, for the operator; `description`: replaces the table's text, and must not carry a stranger's input
   */
  constructor(reason: Reason, options: { readonly cause?: unknown; readonly description?: string | undefined } = {}) {
    const refusal: Refusal = REASONS[reason];
    const description = options.description ?? refusal.description;
    super(description, "cause" in options ? { cause: options.cause } : undefined);
    this.reason = reason;
    this.code = refusal.code;
    this.description = description;
  }

  /** The body that goes over the wire. RFC 6749 §5.2. */
  toJSON(): { error: OAuthErrorCode; error_description: string } {
    return { error: this.code, error_description: this.description };
  }
}

/** An option that can't work, found when the server is constructed. The message names the option and never its value. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  /** The option that has to change, as the operator wrote it: `baseUrl`, `clients[2].redirectUris`. */
  readonly option: string;

  constructor(option: string, problem: string) {
    super(`${option}: ${problem}`);
    this.option = option;
  }
}
