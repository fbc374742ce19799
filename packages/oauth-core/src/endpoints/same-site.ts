/** Where a form comes from, as the browser says: a second wall before the CSRF token. Fetch standard, `Sec-Fetch-Site`; RFC 6749 §10.12. */
import { OAuthProxyError } from "../protocol/errors.ts";

/**
 * Another site's form is refused for where it came from. `Origin: null` is what browsers send for our own page, because it asks for no referrer.
 *
 * @throws {OAuthProxyError} `consent_forged`
 */
export function refuseOtherSites(request: Request, origin: string): void {
  const site = request.headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin") throw new OAuthProxyError("consent_forged");
  const from = request.headers.get("origin");
  if (from !== null && from !== "null" && from !== origin) throw new OAuthProxyError("consent_forged");
}

/**
 * Whether the browser itself says that a form is from a page of this origin. One that says nothing is old, or no browser: then it may be from anywhere, and only the
 * CSRF token tells.
 */
export function saysSameOrigin(request: Request): boolean {
  return request.headers.get("sec-fetch-site") === "same-origin";
}
