/** Client metadata: what a client says of itself when it registers, and what it is told back. RFC 7591 §2 and §3. */

import { OAuthProxyError } from "./errors.ts";
import { isJsonObject, type JsonObject } from "./json-object.ts";
import { parseRedirectUri } from "./redirect-uri.ts";
import { formatScope, parseScope, type Scope } from "./scope.ts";

/** How a client authenticates at the token endpoint. RFC 6749 §2.3.1 and RFC 7591 §2. */
export type TokenEndpointAuthMethod = "none" | "client_secret_basic" | "client_secret_post";

/** The grant types that a client may use here. */
export type GrantTypeName = "authorization_code" | "refresh_token";

/** What is kept of a registration: only what this server understands and grants. */
export interface ClientMetadata {
  /** What the client calls itself. Self-asserted: it proves nothing. */
  readonly clientName?: string | undefined;
  readonly redirectUris: readonly string[];
  readonly tokenEndpointAuthMethod: TokenEndpointAuthMethod;
  readonly grantTypes: readonly GrantTypeName[];
  readonly applicationType?: "web" | "native" | undefined;
  /** `undefined` where the client asked for none in particular. */
  readonly scope?: Scope | undefined;
}

/**
 * The body of a registration request, as far as it is read. Every other member is ignored.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-2 RFC 7591 §2}
 */
export interface RegistrationRequest {
  readonly redirect_uris: readonly string[];
  readonly client_name?: string | undefined;
  readonly token_endpoint_auth_method?: string | undefined;
  readonly grant_types?: readonly string[] | undefined;
  readonly response_types?: readonly string[] | undefined;
  readonly scope?: string | undefined;
  readonly application_type?: string | undefined;
}

/**
 * The body of a successful registration: everything that was registered, as it was registered.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1 RFC 7591 §3.2.1}
 */
export interface RegistrationResponse {
  readonly client_id: string;
  readonly client_id_issued_at: number;
  readonly client_secret?: string;
  /** Present with a secret, and 0: it does not expire. */
  readonly client_secret_expires_at?: number;
  readonly client_name?: string;
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly GrantTypeName[];
  readonly response_types: readonly ["code"];
  readonly token_endpoint_auth_method: TokenEndpointAuthMethod;
  readonly application_type?: "web" | "native";
  readonly scope?: string;
}

const MAX_REDIRECT_URIS = 32;
const MAX_LIST_LENGTH = 64;
const MAX_NAME_LENGTH = 120;

/** Before anything is done with a name: normalising long runs of combining marks costs more than linear time. */
const MAX_RAW_NAME_LENGTH = 1024;

/** Controls, formats (bidi overrides, zero-width characters), halves of surrogate pairs, line separators, and what is drawn as nothing. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu;

const GRANT_TYPES: readonly GrantTypeName[] = ["authorization_code", "refresh_token"];
const AUTH_METHODS: readonly TokenEndpointAuthMethod[] = ["none", "client_secret_basic", "client_secret_post"];
const APPLICATION_TYPES = ["web", "native"] as const;

/**
 * Reads the metadata that a client registers, and decides what of it is granted: the intersection with what this server does.
 *
 * Unknown members are ignored, and `null` is read as absent. A missing `token_endpoint_auth_method`, and one that is not spoken
 * here (`private_key_jwt`), become `none`, since PKCE is required of every client; the response says so.
 *
 * @throws {OAuthProxyError} `invalid_redirect_uri` or `invalid_client_metadata`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-2 RFC 7591 §2}
 */
export function parseClientMetadata(body: unknown): ClientMetadata {
  if (!isJsonObject(body)) throw new OAuthProxyError("client_metadata_malformed");
  return {
    clientName: parseName(optional(body.client_name, isString)),
    redirectUris: parseRedirectUris(body.redirect_uris),
    tokenEndpointAuthMethod: oneOf(AUTH_METHODS, optional(body.token_endpoint_auth_method, isString)) ?? "none",
    grantTypes: parseGrantTypes(body),
    applicationType: oneOf(APPLICATION_TYPES, body.application_type),
    scope: parseMetadataScope(optional(body.scope, isString)),
  };
}

/**
 * The registration response: the whole of what was registered, nothing `null`, nothing empty.
 *
 * @param registered `issuedAt` in seconds since 1970; `scope` is what the client may ask for.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-3.2.1 RFC 7591 §3.2.1}
 */
export function formatRegistrationResponse(registered: {
  readonly metadata: ClientMetadata;
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly issuedAt: number;
  readonly scope: Scope;
}): RegistrationResponse {
  const { metadata, clientId, clientSecret, issuedAt, scope } = registered;
  return {
    client_id: clientId,
    client_id_issued_at: issuedAt,
    // RFC 7591 §3.2.1: client_secret_expires_at is required with a secret. Clients refuse a response without it.
    ...(clientSecret === undefined ? {} : { client_secret: clientSecret, client_secret_expires_at: 0 }),
    ...(metadata.clientName === undefined ? {} : { client_name: metadata.clientName }),
    redirect_uris: metadata.redirectUris,
    grant_types: metadata.grantTypes,
    response_types: ["code"],
    token_endpoint_auth_method: metadata.tokenEndpointAuthMethod,
    ...(metadata.applicationType === undefined ? {} : { application_type: metadata.applicationType }),
    ...(scope.size === 0 ? {} : { scope: formatScope(scope) }),
  };
}

function parseRedirectUris(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0) throw new OAuthProxyError("redirect_uri_malformed");
  // RFC 7591 §5: registration is open, so every list has an end: 20,000 URIs would be stored, shown and compared.
  if (value.length > MAX_REDIRECT_URIS) throw new OAuthProxyError("redirect_uri_too_long");
  return [...new Set(value.map(parseRedirectUri))];
}

/** RFC 7591 §2.1: what is not supported is left out of the registration instead of being echoed as if it were granted. */
function parseGrantTypes(body: JsonObject): readonly GrantTypeName[] {
  const wanted = optional(body.grant_types, isStringList) ?? GRANT_TYPES;
  const responseTypes = optional(body.response_types, isStringList) ?? ["code"];
  const granted = GRANT_TYPES.filter((name) => wanted.includes(name));

  // RFC 7591 §2.1: grant types and response types have to agree, and a client that can't use a code can't use this server.
  if (!granted.includes("authorization_code") || !responseTypes.includes("code")) {
    throw new OAuthProxyError("client_grant_types");
  }
  return granted;
}

/**
 * RFC 7591 §5: a name is shown to people. A right-to-left override or a zero-width space in it makes "Claude" of something else,
 * and a run of blanks pushes the word "unverified" out of sight.
 */
function parseName(raw: string | undefined): string | undefined {
  if (raw === undefined) return undefined;
  if (raw.length > MAX_RAW_NAME_LENGTH) throw new OAuthProxyError("client_metadata_malformed");
  const name = raw.replace(/\s/g, " ").replace(UNSEEN, "").normalize("NFC").replace(/ +/g, " ").trim();
  if (name.length > MAX_NAME_LENGTH) throw new OAuthProxyError("client_metadata_malformed");
  return name === "" ? undefined : name;
}

function parseMetadataScope(value: string | undefined): Scope | undefined {
  try {
    const scope = parseScope(value);
    return scope.size === 0 ? undefined : scope;
  } catch (cause) {
    // RFC 7591 §3.2.2: `invalid_scope` is no word of the registration endpoint.
    throw new OAuthProxyError("client_metadata_malformed", { cause });
  }
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isStringList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= MAX_LIST_LENGTH && value.every(isString);
}

function optional<T>(value: unknown, is: (value: unknown) => value is T): T | undefined {
  if (value === undefined || value === null) return undefined;
  if (!is(value)) throw new OAuthProxyError("client_metadata_malformed");
  return value;
}

function oneOf<T extends string>(known: readonly T[], value: unknown): T | undefined {
  return known.find((word) => word === value);
}
