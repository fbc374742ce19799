/** The revocation request. RFC 7009 §2.1. */

import { OAuthProxyError } from "./errors.ts";
import type { Parameters } from "./parameters.ts";

/** As long as the longest access token that is read here. */
const MAX_TOKEN_LENGTH = 16_384;

/** A token that its owner wants to be worthless. */
export interface RevocationRequest {
  readonly token: string;
  /** A hint and no more: a wrong or unknown one changes nothing. */
  readonly tokenTypeHint?: string | undefined;
}

/**
 * Reads a revocation request.
 *
 * @throws {OAuthProxyError} `invalid_request`; reason `token_missing` or `value_too_long`.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2.1 RFC 7009 §2.1}
 */
export function parseRevocationRequest(form: Parameters): RevocationRequest {
  const token = form.get("token");
  if (token === undefined) throw new OAuthProxyError("token_missing");
  if (token.length > MAX_TOKEN_LENGTH) throw new OAuthProxyError("value_too_long");
  return { token, tokenTypeHint: form.get("token_type_hint") };
}
