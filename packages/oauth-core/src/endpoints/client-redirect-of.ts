/** The right to redirect to the client of a transaction: its redirect URI was proven when the transaction began, and has been sealed since. */
import { ClientRedirect } from "../domain/client-redirect.ts";
import type { Transaction } from "../domain/transactions.ts";

export function clientRedirectOf(transaction: Transaction, issuer: string): ClientRedirect {
  return new ClientRedirect(transaction.redirectUri, transaction.clientState, issuer);
}
