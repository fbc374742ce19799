/** Sends the browser upstream, and in the same answer ties it to the transaction. MCP security best practices, "OAuth State Parameter Validation". */
import type { OfferedProvider } from "../domain/identity-providers.ts";
import { isLink, type LinkTransaction, type NamedTransaction, type Transaction } from "../domain/transactions.ts";
import { readCookies, setCookie } from "../transport/cookies.ts";
import { toRefusal } from "../transport/error-reply.ts";
import { type Reply, redirect } from "../transport/reply.ts";
import type { PageContext } from "./endpoint.ts";
import { formTarget } from "./form-targets.ts";

/** 303 after a form (RFC 9700 §4.12: a 307 would post the form to the upstream), 302 after a link. @throws {OAuthProxyError} `upstream_unavailable` */
export async function redirectUpstream(
  named: NamedTransaction<Transaction | LinkTransaction>,
  provider: OfferedProvider,
  status: 302 | 303,
  request: Request,
  { engine, pages }: PageContext,
): Promise<Reply> {
  const { browserBinding, transactions, observe } = engine;
  const { transaction } = named;
  // Its own for each provider, and the cookie is made for it: with another provider's answer nobody gets past the callback.
  const state = transactions.stateFor(named, provider.id);
  try {
    const location = await provider.identityProvider.begin({
      state,
      nonce: transaction.nonce,
      codeChallenge: transactions.challengeOf(transaction),
      scope: transactions.scopeFor(transaction, provider),
      formTarget: formTarget(isLink(transaction) ? pages.origin : transaction.redirectUri),
      expiresAt: transaction.expiresAt,
    });
    const cookies = [...browserBinding.surplus(readCookies(request)), browserBinding.approval(state)];
    return redirect(
      status,
      location,
      cookies.map((cookie) => setCookie(cookie, pages.secure)),
    );
  } catch (error) {
    const { reason } = toRefusal(error);
    observe(
      { type: "upstream.failed", operation: "begin", provider: provider.id, reason, cause: error },
      transaction.traceId,
    );
    throw error;
  }
}
