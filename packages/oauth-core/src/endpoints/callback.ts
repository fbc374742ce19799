/** The callback: where the upstream sends the browser back. RFC 6749 §4.1.2, RFC 9207, RFC 9700 §4.4. */
import type { Identity } from "../domain/identity-provider.ts";
import type { OfferedProvider } from "../domain/identity-providers.ts";
import { NotAllowed } from "../domain/sign-ins.ts";
import { isLink, type LinkTransaction, type Transaction } from "../domain/transactions.ts";
import { STYLE_HASH } from "../pages/layout.ts";
import { notAllowedPage } from "../pages/not-allowed.ts";
import { OAuthProxyError, type Reason } from "../protocol/errors.ts";
import { type Parameters, parseParameters } from "../protocol/parameters.ts";
import { readCookies, setCookie } from "../transport/cookies.ts";
import { toRefusal } from "../transport/error-reply.ts";
import { page, type Reply, redirect, withHeaders } from "../transport/reply.ts";
import { queryOf } from "../transport/router.ts";
import { clientRedirectOf } from "./client-redirect-of.ts";
import { placeOf } from "./consent-page.ts";
import type { PageContext, PageEndpoint, PageSettings } from "./endpoint.ts";
import type { OwnPages } from "./own-pages.ts";

/** The callback of one provider; an answer for another one's sign-in is none. `own` are the pages of accounts of ours, with which its identities may be linked. */
export function callback(provider: OfferedProvider, own?: OwnPages): PageEndpoint {
  return (request, context) => answer(provider, own, request, context);
}

async function answer(
  provider: OfferedProvider,
  own: OwnPages | undefined,
  request: Request,
  context: PageContext,
): Promise<Reply> {
  const { engine, pages, trace } = context;
  const parameters = parseParameters(queryOf(request.url));
  const answered = parameters.get("state");
  if (answered === undefined) throw new OAuthProxyError("transaction_unknown");
  // CVE-2026-27124: an attacker begins and approves, and lets a victim finish, whose tokens then are the attacker's. The cookie was set in the browser
  // in which the approval was given, and nothing goes on without it: no storage is read, no code is redeemed.
  if (!engine.browserBinding.provesApproval(readCookies(request), answered))
    throw new OAuthProxyError("browser_mismatch");
  // RFC 9700 §4.4: a provider that was chosen sends the browser to another one's callback, to have its answer taken for the other's.
  const state = engine.transactions.stateOf(answered, provider.id);
  if (state === undefined) throw new OAuthProxyError("provider_mismatch");
  const transaction = await engine.transactions.byState(state);
  trace.id = transaction.traceId;
  await engine.transactions.finish(state);

  const cookies = engine.browserBinding.forget(undefined, answered).map((cookie) => setCookie(cookie, pages.secure));
  if (isLink(transaction)) {
    // The operator took the accounts away meanwhile.
    if (own === undefined) throw new OAuthProxyError("transaction_unknown");
    return withHeaders(await link(provider, own, parameters, transaction, request, context), cookies);
  }
  const clientRedirect = clientRedirectOf(transaction, engine.issuer);
  try {
    const code = await finish(provider, parameters, transaction, context);
    return redirect(302, clientRedirect.success(code), cookies);
  } catch (error) {
    if (error instanceof NotAllowed)
      return refuse(error, provider, clientRedirect.failure(error), cookies, transaction.traceId, pages);
    const refusal = toRefusal(error);
    engine.observe(
      { type: "sign_in.failed", clientId: transaction.clientId, reason: refusal.reason, cause: refusal.cause },
      transaction.traceId,
    );
    // RFC 6749 §4.1.2.1: `invalid_grant` is no word of an authorization response; it is the upstream's, about a code of ours.
    const told = refusal.code === "invalid_grant" ? new OAuthProxyError("upstream_refused") : refusal;
    return redirect(302, clientRedirect.failure(told), cookies);
  }
}

/** 403. A redirect would hide from the person why; the client hears of it when they go back. */
function refuse(
  { identity }: NotAllowed,
  provider: OfferedProvider,
  backToClient: string,
  cookies: Reply["headers"],
  traceId: string,
  { serverName }: PageSettings,
): Reply {
  const { name: personName, email } = identity;
  const providerName = placeOf(provider, serverName);
  const text = notAllowedPage({ serverName, providerName, personName, email, backToClient, traceId });
  return page(403, text, STYLE_HASH, [], cookies);
}

/** Whatever comes of it, the person goes back to where their account is shown. */
async function link(
  provider: OfferedProvider,
  own: OwnPages,
  parameters: Parameters,
  transaction: LinkTransaction,
  request: Request,
  context: PageContext,
): Promise<Reply> {
  const { clientAddress } = context;
  const visit = { request, endpoint: "callback", clientAddress, traceId: transaction.traceId };
  // Asked once, whatever it answers: what fails in the pages themselves is no failure of the provider's.
  return own.linked(visit, transaction.link, provider, await shown(provider, parameters, transaction, context));
}

/** Who the person is there, or why nobody knows. */
async function shown(
  provider: OfferedProvider,
  parameters: Parameters,
  { codeVerifier, nonce, scope, traceId }: LinkTransaction,
  { engine }: PageContext,
): Promise<Identity | OAuthProxyError> {
  try {
    const code = await codeOf(provider, parameters);
    return await engine.signIns.prove(provider, { code, codeVerifier, nonce, scope }, traceId);
  } catch (error) {
    const refusal = toRefusal(error);
    const { reason, cause } = refusal;
    engine.observe({ type: "sign_in.failed", clientId: undefined, reason, cause }, traceId);
    return refusal;
  }
}

/** The upstream's code. @throws {OAuthProxyError} where the answer has none, or is another's */
async function codeOf(provider: OfferedProvider, parameters: Parameters): Promise<string> {
  await provider.identityProvider.checkIssuer(parameters.get("iss"));
  // The upstream's own words are never repeated: they would be a stranger's text in the client's hands.
  const error = parameters.get("error");
  if (error !== undefined) throw new OAuthProxyError(UPSTREAM_ERRORS.get(error) ?? "upstream_refused");
  const code = parameters.get("code");
  if (code === undefined) throw new OAuthProxyError("upstream_response_malformed");
  return code;
}

async function finish(
  provider: OfferedProvider,
  parameters: Parameters,
  transaction: Transaction,
  { engine }: PageContext,
): Promise<string> {
  const { transactions, signIns, codes, observe } = engine;
  const code = await codeOf(provider, parameters);
  const { clientId, redirectUri, codeChallenge, resourceScope, resources, codeVerifier, nonce, traceId } = transaction;
  const scope = transactions.scopeFor(transaction, provider);
  const asked = { clientId, redirectUri, codeChallenge, scope, resourceScope, resources, traceId };
  if (codeVerifier === undefined)
    return codes.issue({ ...asked, upstreamCode: { code, nonce, provider: provider.id } });

  const signedIn = await signIns.complete(provider, { code, codeVerifier, nonce, scope }, clientId, traceId);
  const issued = await codes.issue({ ...asked, signedIn });
  observe({ type: "code.issued", clientId, subject: signedIn.subject }, traceId);
  return issued;
}

/** RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6. */
const UPSTREAM_ERRORS: ReadonlyMap<string, Reason> = new Map<string, Reason>([
  ["access_denied", "sign_in_refused"],
  ["consent_required", "sign_in_refused"],
  ["interaction_required", "sign_in_refused"],
  ["login_required", "sign_in_refused"],
  ["account_selection_required", "sign_in_refused"],
  ["temporarily_unavailable", "upstream_unavailable"],
  ["unauthorized_client", "upstream_client_refused"],
  ["invalid_client", "upstream_client_refused"],
]);
