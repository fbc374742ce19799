/** The right to redirect a browser to a client. Whoever holds one holds the proof that the URI is registered. RFC 6749 §4.1.2.1. */
import { formatAuthorizationResponse } from "../protocol/authorization-response.ts";
import type { OAuthProxyError } from "../protocol/errors.ts";

/** A proven redirect URI with the client's `state` and our issuer, which go back with every answer. RFC 9207 §2. */
export class ClientRedirect {
  readonly redirectUri: string;
  readonly #context: { readonly state: string | undefined; readonly issuer: string };

  constructor(redirectUri: string, state: string | undefined, issuer: string) {
    this.redirectUri = redirectUri;
    this.#context = { state, issuer };
  }

  /** Where to send the browser with a code. */
  success(code: string): string {
    return formatAuthorizationResponse(this.redirectUri, { code }, this.#context);
  }

  /** Where to send the browser with a refusal. */
  failure(error: OAuthProxyError): string {
    return formatAuthorizationResponse(
      this.redirectUri,
      { error: error.code, errorDescription: error.description },
      this.#context,
    );
  }
}
