/** Sends the browser upstream, and in the same answer ties it to the transaction. MCP security best practices, "OAuth State Parameter Validation". */
import type { NamedTransaction } from "../domain/transactions.ts";
import { readCookies, setCookie } from "../transport/cookies.ts";
import { type Reply, redirect } from "../transport/reply.ts";
import type { PageContext } from "./endpoint.ts";

/** 303 after a form (RFC 9700 §4.12: a 307 would post the form to the upstream), 302 after a link. */
export function redirectUpstream(
  { state, transaction }: NamedTransaction,
  status: 302 | 303,
  request: Request,
  { engine, pages }: PageContext,
): Reply {
  const { identityProvider, browserBinding, transactions } = engine;
  const location = identityProvider.begin({
    state,
    nonce: transaction.nonce,
    codeChallenge: transactions.challengeOf(transaction),
    scope: transaction.scope,
  });
  const cookies = [...browserBinding.surplus(readCookies(request)), browserBinding.approval(state)];
  return redirect(
    status,
    location,
    cookies.map((cookie) => setCookie(cookie, pages.secure)),
  );
}
