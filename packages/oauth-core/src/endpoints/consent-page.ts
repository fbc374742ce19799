/** Shows the page on which a person decides: whether, and, where there are several providers, where to sign in. */

import type { Client } from "../domain/clients.ts";
import type { OfferedProvider } from "../domain/identity-providers.ts";
import type { NamedTransaction, Transaction } from "../domain/transactions.ts";
import { choicePage } from "../pages/choice.ts";
import { consentPage, type ScopeWords } from "../pages/consent.ts";
import { STYLE_HASH } from "../pages/layout.ts";
import { knownClientOf } from "../protocol/known-callbacks.ts";
import { isLoopbackRedirectUri, redirectUriHost } from "../protocol/redirect-uri.ts";
import { readCookies, setCookie } from "../transport/cookies.ts";
import { page, type Reply } from "../transport/reply.ts";
import type { PageContext } from "./endpoint.ts";
import { formTarget, providerTargets } from "./form-targets.ts";

/** 200 with the page. Every rendering has a CSRF token and a cookie of its own, so that two tabs don't disturb each other. */
export function showPage(
  client: Client,
  { id, transaction }: NamedTransaction,
  request: Request,
  context: PageContext,
): Reply {
  const { engine, pages } = context;
  const { browserBinding, identityProviders, observe } = engine;
  const { csrfToken, cookie } = browserBinding.page(id);
  const { redirectUri, scope, resourceScope, traceId, unasked } = transaction;
  const form = { action: pages.consentAction, transactionId: id, csrfToken };
  const { clientId } = client;
  if (unasked === true)
    observe({ type: "sign_in.offered", clientId, providers: identityProviders.all.map((each) => each.id) }, traceId);
  else observe({ type: "consent.shown", clientId, scopes: [...scope, ...resourceScope] }, traceId);
  const text =
    unasked === true
      ? choicePage({ ...form, serverName: pages.serverName, providers: identityProviders.all })
      : consentPage({ ...form, ...contentOf(client, transaction, context) });
  const cookies = [...browserBinding.surplus(readCookies(request)), cookie].map((each) =>
    setCookie(each, pages.secure),
  );
  const targets = ["'self'", ...providerTargets(identityProviders.all, pages.secure), formTarget(redirectUri)];
  return page(200, text, STYLE_HASH, targets, cookies);
}

function contentOf(client: Client, transaction: Transaction, { engine, pages }: PageContext) {
  const { redirectUri, resources } = transaction;
  const { identityProviders } = engine;
  return {
    serverName: pages.serverName,
    clientName: client.clientName,
    verifiedName: client.configured ? client.clientName : knownClientOf(redirectUri),
    redirectUri,
    redirectHost: redirectUriHost(redirectUri),
    isLoopback: isLoopbackRedirectUri(redirectUri),
    resources,
    providerName: placeOf(identityProviders.all[0], pages.serverName),
    providers: identityProviders.only === undefined ? identityProviders.all : undefined,
    scopes: scopeWords(transaction, engine, pages.scopeDescriptions),
  };
}

/** Where a person signs in: at an account of ours that is here. */
export function placeOf({ name, identityProvider }: OfferedProvider, serverName: string): string {
  return identityProvider.accounts === undefined ? name : serverName;
}

/** What is asked of some providers and not of others says so. */
function scopeWords(
  transaction: Transaction,
  { identityProviders, transactions }: PageContext["engine"],
  descriptions: Readonly<Record<string, string>>,
): readonly ScopeWords[] {
  const { scope, resourceScope } = transaction;
  const upstream = scope.map((name) => {
    const askedOf = identityProviders.all.filter((each) => transactions.scopeFor(transaction, each).includes(name));
    const only = askedOf.length < identityProviders.all.length ? askedOf.map((each) => each.name) : undefined;
    return { name, description: descriptionOf(descriptions, name), only };
  });
  return [...upstream, ...resourceScope.map((name) => ({ name, description: descriptionOf(descriptions, name) }))];
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
