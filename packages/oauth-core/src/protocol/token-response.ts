/** The successful token response. RFC 6749 §5.1. */

import { formatScope } from "./scope.ts";

/**
 * The body of a token response. Clients refuse `null` in it, so what is absent is left out.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}
 */
export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: "Bearer";
  /** In seconds. */
  readonly expires_in?: number;
  readonly refresh_token?: string;
  readonly scope?: string;
}

/**
 * Writes a token response.
 *
 * The scope is always stated where there is one, although the RFC lets it be omitted when it is what was asked for: a client
 * that is not told takes it for empty and asks the person again.
 *
 * @param issued `expiresIn` in whole seconds; `undefined` where the lifetime is not known.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.1 RFC 6749 §5.1}
 */
export function formatTokenResponse(issued: {
  readonly accessToken: string;
  readonly expiresIn?: number | undefined;
  readonly refreshToken?: string | undefined;
  readonly scope: Iterable<string>;
}): TokenResponse {
  const scope = formatScope(issued.scope);
  return {
    access_token: issued.accessToken,
    token_type: "Bearer",
    ...(issued.expiresIn === undefined ? {} : { expires_in: issued.expiresIn }),
    ...(issued.refreshToken === undefined ? {} : { refresh_token: issued.refreshToken }),
    ...(scope === "" ? {} : { scope }),
  };
}
