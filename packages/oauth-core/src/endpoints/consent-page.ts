/** Shows the consent page for a transaction. */

import type { Client } from "../domain/clients.ts";
import type { NamedTransaction } from "../domain/transactions.ts";
import { consentPage } from "../pages/consent.ts";
import { STYLE_HASH } from "../pages/layout.ts";
import { knownClientOf } from "../protocol/known-callbacks.ts";
import { isLoopbackRedirectUri, redirectUriHost } from "../protocol/redirect-uri.ts";
import { readCookies, setCookie } from "../transport/cookies.ts";
import { page, type Reply } from "../transport/reply.ts";
import type { PageContext } from "./endpoint.ts";

/** 200 with the page. Every rendering has a CSRF token and a cookie of its own, so that two tabs don't disturb each other. */
export function askForConsent(
  client: Client,
  { id, transaction }: NamedTransaction,
  request: Request,
  { engine, pages }: PageContext,
): Reply {
  const { browserBinding, identityProvider, observe } = engine;
  const { csrfToken, cookie } = browserBinding.page(id);
  const { redirectUri, scope, resourceScope, resources } = transaction;
  const scopes = [...scope, ...resourceScope];
  const text = consentPage({
    serverName: pages.serverName,
    clientName: client.clientName,
    verifiedName: client.configured ? client.clientName : knownClientOf(redirectUri),
    redirectUri,
    redirectHost: redirectUriHost(redirectUri),
    isLoopback: isLoopbackRedirectUri(redirectUri),
    resources,
    providerName: identityProvider.name,
    scopes: scopes.map((name) => ({ name, description: descriptionOf(pages.scopeDescriptions, name) })),
    action: pages.consentAction,
    transactionId: id,
    csrfToken,
  });
  observe({ type: "consent.shown", clientId: client.clientId, scopes }, transaction.traceId);
  const cookies = [...browserBinding.surplus(readCookies(request)), cookie].map((each) =>
    setCookie(each, pages.secure),
  );
  return page(200, text, STYLE_HASH, ["'self'", formTarget(pages.upstreamOrigin), formTarget(redirectUri)], cookies);
}

/** What people know the identity scopes as, unless the operator has better words. */
const COMMON: Readonly<Record<string, string>> = {
  openid: "Know who you are",
  profile: "See your name and profile",
  email: "See your e-mail address",
  offline_access: "Stay signed in while you are away",
};

function descriptionOf(descriptions: Readonly<Record<string, string>>, scope: string): string | undefined {
  for (const words of [descriptions, COMMON]) if (Object.hasOwn(words, scope)) return words[scope];
  return undefined;
}

/**
 * A source for `form-action`: the origin, or its scheme where CSP has no word for the host: private schemes, IPv6 addresses (browsers would drop the
 * redirect), and what would end the source and begin a directive. CSP Level 3 §2.3.1.
 */
function formTarget(uri: string): string {
  const { origin, protocol, hostname } = new URL(uri);
  return origin !== "null" && /^[a-z0-9.-]+$/.test(hostname) ? origin : protocol;
}
