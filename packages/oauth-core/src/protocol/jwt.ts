/** JSON Web Tokens in their compact form, read and not yet believed. RFC 7519 and RFC 7515. */

import { OAuthProxyError } from "./errors.ts";
import { type JsonObject, parseJsonObject } from "./json-object.ts";
import { decodeBase64url, decodeUtf8 } from "./strict-decoding.ts";

/** In characters; larger ones do not fit into the headers that common servers accept. */
const MAX_TOKEN_LENGTH = 16_384;

/** Far beyond any claim, and far from what a recursion minds. */
const MAX_DEPTH = 32;

/** A token taken apart. Nothing in it is true before its signature has been checked. */
export interface Jwt {
  readonly header: Record<string, unknown>;
  readonly claims: Record<string, unknown>;
  /** What the signature is over. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/**
 * Takes a compact JWS with JSON claims apart.
 *
 * @throws {OAuthProxyError} `invalid_token`, reason `token_malformed`: not three canonical base64url parts of two JSON objects and
 * a signature, too long, too deep, or with a critical header parameter.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515#section-5.2 RFC 7515 §5.2}
 */
export function parseJwt(token: string): Jwt {
  const jwt = token.length > MAX_TOKEN_LENGTH ? undefined : takeApart(token);
  if (jwt === undefined) throw new OAuthProxyError("token_malformed");
  return jwt;
}

function takeApart(token: string): Jwt | undefined {
  const [header, claims, signature, ...more] = token.split(".", 4).map(decodeBase64url);
  // RFC 7515 §7.1: three parts. RFC 7518 §3.6: an empty signature belongs to `alg: none`, and so to nobody.
  if (header === undefined || claims === undefined || signature === undefined || more.length > 0) return undefined;
  if (signature.length === 0) return undefined;

  const headerObject = parseObject(header);
  const claimsObject = parseObject(claims);
  if (headerObject === undefined || claimsObject === undefined) return undefined;

  // RFC 7515 §4.1.11: a critical extension that is not understood makes the signature mean something else.
  if (Object.hasOwn(headerObject, "crit")) return undefined;

  return {
    header: headerObject,
    claims: claimsObject,
    signingInput: token.slice(0, token.lastIndexOf(".")),
    signature,
  };
}

/**
 * The claims of a token whose signature is not checked; `undefined` where it is no JWT. Only for a token that came straight from
 * its issuer over TLS: from anywhere else these claims are what a stranger wrote.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation OpenID Connect Core §3.1.3.7}
 */
export function readJwtClaims(token: string): Record<string, unknown> | undefined {
  try {
    return parseJwt(token).claims;
  } catch (error) {
    if (error instanceof OAuthProxyError) return undefined;
    throw error;
  }
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  const text = decodeUtf8(bytes);
  const value = text === undefined ? undefined : parseJsonObject(text);
  return value !== undefined && isShallow(value, MAX_DEPTH) ? value : undefined;
}

/** Whoever walks the claims later on does so recursively; a token of nothing but brackets would exhaust the stack. */
function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((member) => isShallow(member, depth - 1));
}
