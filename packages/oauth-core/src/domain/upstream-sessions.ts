/** Keeps the upstream's tokens of a grant fresh: one refresh at a time over all processes, persisted before anything else is done with it. */

import { OAuthProxyError } from "../protocol/errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection } from "../state/collection.ts";
import type { Admission, Verdict } from "./admission.ts";
import { type ClaimsPolicy, claimsOf } from "./claims.ts";
import type { Observe, RevocationCause } from "./events.ts";
import type { Account, Grant, Grants, LivingEntry } from "./grants.ts";
import type { Identity, UpstreamTokens } from "./identity-provider.ts";
import { type IdentityProviders, type OfferedProvider, subjectAt, UNNAMED_PROVIDER } from "./identity-providers.ts";
import { signedInIdentity } from "./sign-ins.ts";

export interface UpstreamSessionsOptions {
  readonly grants: Grants;
  readonly leases: Collection<string>;
  readonly identityProviders: IdentityProviders;
  readonly admission: Admission;
  readonly claims: ClaimsPolicy | undefined;
  readonly runtime: Runtime;
  readonly observe: Observe;
  /** Milliseconds that one upstream request may take. */
  readonly upstreamRequestTimeoutMs: number;
}

/** How often to look again while another process refreshes, in milliseconds. */
const FIRST_PAUSE = 25;
const LONGEST_PAUSE = 400;
/** Seconds for a persisting that comes after the upstream's answer. */
const PERSISTING = 5;
/** Seconds before its expiry at which a token counts as due, where its whole life is long enough for that. */
const DUE_EARLY = 60;

/** The upstream half of every grant. */
export class UpstreamSessions {
  readonly #options: UpstreamSessionsOptions;
  readonly #leaseTtl: number;
  /** Refreshes under way in this process: whoever comes meanwhile shares the answer. */
  readonly #underWay = new Map<string, { readonly since: number; readonly refreshing: Promise<LivingEntry> }>();

  constructor(options: UpstreamSessionsOptions) {
    this.#options = options;
    this.#leaseTtl = Math.ceil(options.upstreamRequestTimeoutMs / 1000) + PERSISTING;
  }

  /**
   * The grant with upstream tokens that can be used now, refreshed first where they are due and can be.
   *
   * @throws {OAuthProxyError} `upstream_invalid_grant` when the upstream ended the session, and the grant with it; `upstream_unavailable`,
   *   `upstream_busy` or `grant_undecided` when it may work again shortly, and nothing is lost; `grant_not_allowed` when the person may sign in no more, and
   *   the grant is ended; `provider_missing` when nobody is configured who could say
   */
  async fresh(grantId: string, entry: LivingEntry): Promise<LivingEntry> {
    this.#providerOf(entry.value);
    if (!this.#isDue(entry.value)) return entry;
    const now = this.#options.runtime.now();
    const before = this.#underWay.get(grantId);
    // One that outlasts its lease hangs in a storage that never answered it. Nobody else has to.
    if (before !== undefined && Math.abs(now - before.since) < this.#leaseTtl) {
      // As long as the old token still works, there is nothing to wait for.
      return this.#isUsable(entry.value) ? entry : before.refreshing;
    }
    const underWay = { since: now, refreshing: this.#refresh(grantId, entry) };
    this.#underWay.set(grantId, underWay);
    try {
      return await underWay.refreshing;
    } finally {
      if (this.#underWay.get(grantId) === underWay) this.#underWay.delete(grantId);
    }
  }

  /**
   * Ends a grant, and its tokens upstream where the upstream can. What the upstream answers changes nothing here.
   *
   * @returns whether it was this call that ended it
   */
  async end(grantId: string, entry: LivingEntry, because: RevocationCause): Promise<boolean> {
    const ended = await this.#options.grants.end(grantId, entry, because);
    if (ended === undefined) return false;
    await this.#revoke(ended, ended.upstream);
    return true;
  }

  async #revoke(grant: Grant, tokens: UpstreamTokens | undefined): Promise<void> {
    if (tokens === undefined) return;
    try {
      await this.#providerOf(grant).identityProvider.revoke(tokens);
    } catch (error) {
      this.#failed("revoke", error, grant);
    }
  }

  /** A grant of a provider that the operator took away goes on when it comes back, and until then gives nothing. */
  #providerOf({ account }: Pick<Grant, "account">): OfferedProvider {
    const provider = this.#options.identityProviders.find(account?.provider);
    if (provider === undefined) throw new OAuthProxyError("provider_missing");
    return provider;
  }

  async #refresh(grantId: string, entry: LivingEntry): Promise<LivingEntry> {
    const { leases, runtime, grants, upstreamRequestTimeoutMs } = this.#options;
    const giveUpAt = runtime.now() + this.#leaseTtl + Math.ceil(upstreamRequestTimeoutMs / 1000);
    let current = entry;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      const since = runtime.now();
      if (await leases.claim(grantId, "refresh", this.#leaseTtl)) {
        try {
          return await this.#refreshUnderLease(grantId);
        } finally {
          // A lease that may have run out could be another's by now.
          if (runtime.now() - since < this.#leaseTtl - 1) await leases.delete(grantId);
        }
      }
      // Another process is at it, and the same goes for this one.
      if (this.#isUsable(current.value)) return current;
      if (runtime.now() >= giveUpAt) throw new OAuthProxyError("upstream_busy");
      await runtime.pause(pause);
      current = await grants.living(grantId);
      if (!this.#isDue(current.value)) return current;
    }
  }

  async #refreshUnderLease(grantId: string): Promise<LivingEntry> {
    const { grants, observe } = this.#options;
    const current = await grants.living(grantId);
    const { upstream, subject, account, traceId } = current.value;
    // Whoever held the lease before may have done it already.
    if (upstream === undefined || !this.#isDue(current.value)) return current;

    const provider = this.#providerOf(current.value);
    let identity: Identity;
    try {
      identity = await provider.identityProvider.refresh(upstream, account?.subject ?? subject);
    } catch (error) {
      this.#failed("refresh", error, current.value);
      if (!(error instanceof OAuthProxyError) || error.code !== "invalid_grant") throw error;
      const latest = await grants.living(grantId);
      // An answer to a token that somebody has rotated meanwhile says nothing about the session.
      if (latest.value.upstream?.refreshToken !== upstream.refreshToken) return latest;
      await grants.end(grantId, latest, "upstream");
      throw error;
    }

    // Persisted before anything else is done with it: an upstream that rotates has already forgotten the old one.
    const persisted = await this.#persist(grantId, current, identity);
    observe({ type: "upstream.refreshed", grant: grantId }, traceId);
    return this.#admitted(grantId, persisted, provider, identity);
  }

  async #persist(grantId: string, entry: LivingEntry, identity: Identity): Promise<LivingEntry> {
    const { tokens, partial } = identity;
    const claims = claimsOf(this.#options.claims, identity);
    try {
      return await this.#options.grants.update(grantId, entry, (grant) => ({
        ...grant,
        upstream: tokens,
        // An account of ours speaks for itself. Else a new word about the person is all there is to say now; without one, what was said at the sign-in stays.
        claims:
          grant.account?.own !== undefined ? grant.claims : partial === true ? { ...grant.claims, ...claims } : claims,
      }));
    } catch (error) {
      // The grant ended while the upstream answered: nobody else knows of these tokens, and they must not outlive it.
      if (error instanceof OAuthProxyError && error.reason === "grant_revoked") await this.#revoke(entry.value, tokens);
      throw error;
    }
  }

  /** Whoever left the company keeps a session with some upstreams: what it says of them now decides. */
  async #admitted(
    grantId: string,
    entry: LivingEntry,
    provider: OfferedProvider,
    identity: Identity,
  ): Promise<LivingEntry> {
    const { clientId, subject: ours, account, undecided, traceId } = entry.value;
    if (identity.partial === true && undecided !== true) return entry;
    const named = identity.subject === undefined ? ours : subjectAt(provider, identity.subject);
    // As at the sign-in: whoever came in to an account of ours is that person, and rules that let them in by that name must not put them out by another.
    const subject = account?.own?.id ?? named;
    const verdict: Verdict =
      identity.partial === true
        ? { admitted: false, failed: new Error("the provider said nothing of the person") }
        : await this.#options.admission.of(signedInIdentity(provider, subject, withAddress(identity, account)));
    if (verdict.admitted) return undecided === true ? this.#decide(grantId, entry, undefined) : entry;
    // A directory that can't be asked for a moment must not sign everybody out for good, and must let nobody in either.
    if ("failed" in verdict) {
      if (undecided !== true) await this.#decide(grantId, entry, true);
      throw new OAuthProxyError("grant_undecided", { cause: verdict.failed });
    }
    const refused = {
      type: "sign_in.refused",
      clientId,
      subject: ours,
      provider: provider.id,
      grant: grantId,
    } as const;
    this.#options.observe(refused, traceId);
    await this.end(grantId, entry, "not_allowed");
    throw new OAuthProxyError("grant_not_allowed");
  }

  #decide(grantId: string, entry: LivingEntry, undecided: true | undefined): Promise<LivingEntry> {
    return this.#options.grants.update(grantId, entry, (grant) => ({ ...grant, undecided }));
  }

  #isDue({ upstream: tokens, undecided }: Pick<Grant, "upstream" | "undecided">): boolean {
    // The question is asked again with what the upstream then says of the person.
    if (undecided === true) return true;
    if (tokens?.refreshToken === undefined || tokens.expiresAt === undefined) return false;
    const life = tokens.expiresAt - tokens.issuedAt;
    return this.#options.runtime.now() >= tokens.expiresAt - Math.min(DUE_EARLY, Math.floor(life / 10));
  }

  #isUsable({ upstream: tokens, undecided }: Pick<Grant, "upstream" | "undecided">): boolean {
    return (
      undecided !== true &&
      tokens !== undefined &&
      (tokens.expiresAt === undefined || tokens.expiresAt > this.#options.runtime.now())
    );
  }

  #failed(operation: "refresh" | "revoke", cause: unknown, { account, traceId }: Grant): void {
    const reason = cause instanceof OAuthProxyError ? cause.reason : "internal";
    const provider = account?.provider ?? UNNAMED_PROVIDER;
    this.#options.observe({ type: "upstream.failed", operation, provider, reason, cause }, traceId);
  }
}

/** An ID token of a refresh need not repeat the address; the provider's word at the sign-in holds until it says another. OpenID Connect Core §12.2. */
function withAddress(identity: Identity, account: Account | undefined): Identity {
  const email = account?.verifiedEmail;
  return identity.email !== undefined || email === undefined ? identity : { ...identity, email, emailVerified: true };
}
