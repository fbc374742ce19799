/** The callback: where the upstream sends the browser back. RFC 6749 §4.1.2, RFC 9207, RFC 9700 §4.4. */
import type { Transaction } from "../domain/transactions.ts";
import { OAuthProxyError, type Reason } from "../protocol/errors.ts";
import { type Parameters, parseParameters } from "../protocol/parameters.ts";
import { readCookies, setCookie } from "../transport/cookies.ts";
import { toRefusal } from "../transport/error-reply.ts";
import { redirect } from "../transport/reply.ts";
import { queryOf } from "../transport/router.ts";
import { clientRedirectOf } from "./client-redirect-of.ts";
import type { PageContext, PageEndpoint } from "./endpoint.ts";

export const callback: PageEndpoint = async (request, context) => {
  const { engine, pages, trace } = context;
  const parameters = parseParameters(queryOf(request.url));
  const state = parameters.get("state");
  if (state === undefined) throw new OAuthProxyError("transaction_unknown");
  // CVE-2026-27124: an attacker begins and approves, and lets a victim finish, whose tokens then are the attacker's. The cookie was set in the browser
  // in which the approval was given, and nothing goes on without it: no storage is read, no code is redeemed.
  if (!engine.browserBinding.provesApproval(readCookies(request), state)) throw new OAuthProxyError("browser_mismatch");
  const transaction = await engine.transactions.byState(state);
  trace.id = transaction.traceId;
  await engine.transactions.finish(state);

  const clientRedirect = clientRedirectOf(transaction, engine.issuer);
  const cookies = engine.browserBinding.forget(undefined, state).map((cookie) => setCookie(cookie, pages.secure));
  try {
    const code = await finish(parameters, transaction, context);
    return redirect(302, clientRedirect.success(code), cookies);
  } catch (error) {
    const refusal = toRefusal(error);
    engine.observe(
      { type: "sign_in.failed", clientId: transaction.clientId, reason: refusal.reason, cause: refusal.cause },
      transaction.traceId,
    );
    // RFC 6749 §4.1.2.1: `invalid_grant` is no word of an authorization response; it is the upstream's, about a code of ours.
    const told = refusal.code === "invalid_grant" ? new OAuthProxyError("upstream_refused") : refusal;
    return redirect(302, clientRedirect.failure(told), cookies);
  }
};

async function finish(parameters: Parameters, transaction: Transaction, { engine }: PageContext): Promise<string> {
  const { identityProvider, signIns, codes, observe } = engine;
  identityProvider.checkIssuer(parameters.get("iss"));
  // The upstream's own words are never repeated: they would be a stranger's text in the client's hands.
  const error = parameters.get("error");
  if (error !== undefined) throw new OAuthProxyError(UPSTREAM_ERRORS.get(error) ?? "upstream_refused");
  const code = parameters.get("code");
  if (code === undefined) throw new OAuthProxyError("upstream_response_malformed");

  const { clientId, redirectUri, codeChallenge, scope, resourceScope, resources, codeVerifier, nonce, traceId } =
    transaction;
  const asked = { clientId, redirectUri, codeChallenge, scope, resourceScope, resources, traceId };
  if (codeVerifier === undefined) return codes.issue({ ...asked, upstreamCode: { code, nonce } });

  const signedIn = await signIns.complete({ code, codeVerifier, nonce, scope }, clientId, traceId);
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
