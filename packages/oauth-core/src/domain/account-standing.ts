/** Whether the account of our own behind a grant may still be used: asked each time that tokens are given for it. RFC 6749 §6, RFC 9700 §4.14. */

import { isDeepStrictEqual } from "node:util";
import { OAuthProxyError } from "../protocol/errors.ts";
import type { Admission } from "./admission.ts";
import { type ClaimsPolicy, claimsOf } from "./claims.ts";
import type { Observe } from "./events.ts";
import type { Grant, Grants, LivingEntry } from "./grants.ts";
import type { Identity, LinkedIdentity } from "./identity-provider.ts";
import { type IdentityProviders, subjectAt } from "./identity-providers.ts";
import { signedInIdentity } from "./sign-ins.ts";
import type { UpstreamSessions } from "./upstream-sessions.ts";

export interface AccountStandingOptions {
  readonly identityProviders: IdentityProviders;
  readonly grants: Grants;
  readonly upstreamSessions: UpstreamSessions;
  readonly admission: Admission;
  readonly claims: ClaimsPolicy | undefined;
  readonly observe: Observe;
}

/** Accounts behind the grants of one server. Where a grant has none, nothing is asked and nothing is read. */
export class AccountStanding {
  readonly #options: AccountStandingOptions;

  constructor(options: AccountStandingOptions) {
    this.#options = options;
  }

  /**
   * For a grant that has just been made. After it, and not before: of somebody who disables the account meanwhile and ends its grants, and this question, at least one
   * comes late enough to see what the other has done.
   *
   * @throws {OAuthProxyError} `grant_not_allowed`, after it has ended the grant; `provider_missing`; `temporarily_unavailable`
   */
  async confirm(grantId: string, grant: Grant): Promise<void> {
    if (grant.account?.own === undefined) return;
    if ((await this.#today(grant)) !== undefined) return;
    await this.#end(grantId, await this.#options.grants.living(grantId));
  }

  /**
   * The grant with what is true of the person today. What they may do changes with the account, and not only with the next sign-in.
   *
   * @throws as {@link confirm}
   */
  async renew(grantId: string, entry: LivingEntry): Promise<LivingEntry> {
    const { own, provider } = entry.value.account ?? {};
    if (own === undefined) return entry;
    const identity = await this.#today(entry.value);
    if (identity === undefined || !(await this.#isAdmitted(provider, identity))) return this.#end(grantId, entry);
    const claims = claimsOf(this.#options.claims, identity);
    if (isDeepStrictEqual(claims, entry.value.claims)) return entry;
    return this.#options.grants.update(grantId, entry, (grant) => ({ ...grant, claims }));
  }

  #today({ account }: Grant): Promise<Identity | undefined> {
    const { accounts, all } = this.#options.identityProviders;
    // Where the operator took the accounts away, nobody can say; the grant goes on when they come back.
    if (account?.own === undefined || accounts === undefined) throw new OAuthProxyError("provider_missing");
    const isOwn = all.some(
      ({ id, identityProvider }) => id === account.provider && identityProvider.accounts === accounts,
    );
    return accounts.standing(account.own, isOwn ? undefined : linkOf(account));
  }

  /** Of whoever came through another provider, that one's next word decides. */
  async #isAdmitted(providerId: string | undefined, identity: Identity): Promise<boolean> {
    const provider = this.#options.identityProviders.find(providerId);
    if (provider?.identityProvider.accounts === undefined || identity.subject === undefined) return true;
    const verdict = await this.#options.admission.of(
      signedInIdentity(provider, subjectAt(provider, identity.subject), identity),
    );
    // A directory that can't be asked for a moment must not sign everybody out for good, and must let nobody in either.
    if ("failed" in verdict) throw new OAuthProxyError("grant_undecided", { cause: verdict.failed });
    return verdict.admitted;
  }

  async #end(grantId: string, entry: LivingEntry): Promise<never> {
    const { upstreamSessions, observe } = this.#options;
    const { clientId, subject, account, traceId } = entry.value;
    const provider = account?.provider ?? "";
    observe({ type: "sign_in.refused", clientId, subject, provider, grant: grantId }, traceId);
    await upstreamSessions.end(grantId, entry, "account");
    throw new OAuthProxyError("grant_not_allowed");
  }
}

function linkOf({
  provider,
  subject,
}: {
  readonly provider: string;
  readonly subject?: string | undefined;
}): LinkedIdentity {
  // Nobody is linked by a name that no provider gave.
  if (subject === undefined) throw new OAuthProxyError("grant_not_allowed");
  return { provider, subject };
}
