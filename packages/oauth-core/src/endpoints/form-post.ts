/** The answer of a provider that posts it as a form. OAuth 2.0 Form Post Response Mode. */
import { readForm } from "../transport/body.ts";
import { redirect } from "../transport/reply.ts";
import type { PageEndpoint } from "./endpoint.ts";

/** What an authorization response consists of, RFC 6749 §4.1.2 and RFC 9207 §2; nothing else is carried on. */
const CARRIED = ["code", "state", "iss", "error"] as const;

/**
 * Turns the post into the visit that other providers send.
 *
 * A post from another site comes without our cookies, which are `SameSite=Lax`, and for no provider are they made weaker: nothing is decided here. The browser
 * follows with a GET, which it sends with them, and which is checked like any other.
 *
 * @param redirectUri the callback itself: never the address of the request, which is a stranger's word
 * @see {@link https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html OAuth 2.0 Form Post Response Mode}
 */
export function formPost(redirectUri: string): PageEndpoint {
  return async (request) => {
    const form = await readForm(request);
    const query = new URLSearchParams();
    for (const name of CARRIED) {
      const value = form.get(name);
      if (value !== undefined) query.set(name, value);
    }
    // RFC 9700 §4.12: with 307 the form would be posted once more.
    return redirect(303, `${redirectUri}?${query}`);
  };
}
