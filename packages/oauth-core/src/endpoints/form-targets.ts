/** Where a form may end up, in the words of a policy: Chrome applies `form-action` to the redirects that follow as well. CSP Level 3 §6.4.1. */
import type { OfferedProvider } from "../domain/identity-providers.ts";

/** Of the providers. One that has not been asked yet where its own page is may be anywhere: the page must not wait for it. */
export function providerTargets(providers: readonly OfferedProvider[], secure: boolean): readonly string[] {
  const anywhere = secure ? ["https:"] : ["https:", "http:"];
  const targets = providers.flatMap(({ identityProvider: { origin } }) =>
    origin === undefined ? anywhere : [formTarget(origin)],
  );
  return [...new Set(targets)];
}

/**
 * A source for `form-action`: the origin, or its scheme where CSP has no word for the host: private schemes, IPv6 addresses (browsers would drop the
 * redirect), and what would end the source and begin a directive. CSP Level 3 §2.3.1.
 */
export function formTarget(uri: string): string {
  const { origin, protocol, hostname } = new URL(uri);
  return origin !== "null" && /^[a-z0-9.-]+$/.test(hostname) ? origin : protocol;
}
