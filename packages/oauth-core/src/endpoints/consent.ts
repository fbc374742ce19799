/** The consent endpoint: the person's answer. Bound to the browser that was shown the page. RFC 6749 §10.12, §10.13. */

import type { OfferedProvider } from "../domain/identity-providers.ts";
import type { NamedTransaction } from "../domain/transactions.ts";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { Parameters } from "../protocol/parameters.ts";
import { readForm } from "../transport/body.ts";
import { readCookies, setCookie } from "../transport/cookies.ts";
import { type Reply, redirect, withHeaders } from "../transport/reply.ts";
import { clientRedirectOf } from "./client-redirect-of.ts";
import type { PageContext, PageEndpoint } from "./endpoint.ts";
import { refuseOtherSites } from "./same-site.ts";
import { redirectUpstream } from "./upstream-redirect.ts";

export const consent: PageEndpoint = async (request, context) => {
  const { engine, pages, trace } = context;
  refuseOtherSites(request, pages.origin);
  const form = await readForm(request);
  const cookies = readCookies(request);
  const id = form.get("transaction");
  // The token stands in the page, its proof in a cookie: another site can't read the one and can't set the other, and neither fits another
  // rendering or another transaction.
  if (id === undefined || !engine.browserBinding.provesPage(cookies, id, form.get("csrf_token")))
    throw new OAuthProxyError("consent_forged");

  const named = await engine.transactions.byId(id);
  trace.id = named.transaction.traceId;
  const action = form.get("action");
  if (action === "deny") return deny(named, context);
  const provider = action === "approve" || action === undefined ? chosenProvider(form, context) : undefined;
  if (provider === undefined) throw new OAuthProxyError("malformed_parameters");
  return approve(named, provider, request, context);
};

/** The one whose button was pressed: with a choice, a yes that names none of them is no answer. */
function chosenProvider(form: Parameters, { engine: { identityProviders } }: PageContext): OfferedProvider | undefined {
  const id = form.get("provider");
  if (id !== undefined) return identityProviders.find(id);
  return form.get("action") === "approve" ? identityProviders.only : undefined;
}

/** Idempotent: a form that is posted twice leads to the same place. What the person approved is what the server kept, whatever the form says. */
async function approve(
  named: NamedTransaction,
  provider: OfferedProvider,
  request: Request,
  context: PageContext,
): Promise<Reply> {
  const { engine, pages } = context;
  const { clientId, unasked, traceId } = named.transaction;
  const reply = await redirectUpstream(named, provider, 303, request, context);
  const remembered = engine.approvals.remember(readCookies(request), named.transaction, provider);
  if (unasked !== true) {
    const granted = { type: "consent.granted", clientId, provider: provider.id } as const;
    engine.observe({ ...granted, remembered: remembered !== undefined }, traceId);
  }
  return remembered === undefined ? reply : withHeaders(reply, [setCookie(remembered, pages.secure)]);
}

/** Idempotent as well: of two clicks the browser follows the answer to the second, and the client has to hear of it. */
async function deny({ id, state, transaction }: NamedTransaction, { engine, pages }: PageContext): Promise<Reply> {
  try {
    await engine.transactions.finish(state);
    engine.observe({ type: "consent.denied", clientId: transaction.clientId }, transaction.traceId);
  } catch (error) {
    if (!(error instanceof OAuthProxyError) || error.reason !== "transaction_used") throw error;
  }
  const location = clientRedirectOf(transaction, engine.issuer).failure(new OAuthProxyError("consent_denied"));
  return redirect(
    303,
    location,
    engine.browserBinding.forget(id, state).map((cookie) => setCookie(cookie, pages.secure)),
  );
}
