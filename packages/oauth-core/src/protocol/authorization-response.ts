/** The authorization response: a code or an error, carried by a redirect. RFC 6749 §4.1.2 and RFC 9207. */

/** What a client is told at its redirect URI. */
export type AuthorizationResponse =
  | { readonly code: string }
  | { readonly error: string; readonly errorDescription: string };

/**
 * The URL of the redirect. The redirect URI stays as it was registered, byte for byte; parameters are appended to its query.
 *
 * @param redirectUri proven to be registered for the client. Calling this with anything else makes an open redirector.
 * @param context `state` as the client sent it, `undefined` where it sent none; `issuer` as the metadata document has it.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2 RFC 6749 §4.1.2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9207#section-2 RFC 9207 §2}
 */
export function formatAuthorizationResponse(
  redirectUri: string,
  response: AuthorizationResponse,
  context: { readonly state?: string | undefined; readonly issuer: string },
): string {
  const parameters: [name: string, value: string][] =
    "code" in response
      ? [["code", response.code]]
      : [
          ["error", response.error],
          ["error_description", response.errorDescription],
        ];

  // RFC 6749 §4.1.2: the exact value, if there was one. An invented one looks like an answer to somebody else's request.
  if (context.state !== undefined) parameters.push(["state", context.state]);

  // RFC 9207 §2: on success and on error, so that a client of several servers can't be made to send one's code to another.
  parameters.push(["iss", context.issuer]);

  // Spaces as %20 and not as `+`: applications behind a private scheme often decode percent-encoding and nothing else.
  const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
  return `${redirectUri}${separatorAfter(redirectUri)}${query}`;
}

function separatorAfter(redirectUri: string): string {
  if (!redirectUri.includes("?")) return "?";
  return redirectUri.endsWith("?") || redirectUri.endsWith("&") ? "" : "&";
}
