/** Keeps the upstream's tokens of a grant fresh: one refresh at a time over all processes, persisted before anything else is done with it. */

import { OAuthProxyError } from "../protocol/errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection } from "../state/collection.ts";
import type { Observe, RevocationCause } from "./events.ts";
import type { Grants, LivingEntry } from "./grants.ts";
import type { Identity, IdentityProvider, UpstreamTokens } from "./identity-provider.ts";

export interface UpstreamSessionsOptions {
  readonly grants: Grants;
  readonly leases: Collection<string>;
  readonly identityProvider: IdentityProvider;
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
   * @throws {OAuthProxyError} `upstream_invalid_grant` when the upstream ended the session, and the grant with it; `upstream_unavailable` or
   *   `upstream_busy` when it may work again shortly, and nothing is lost
   */
  async fresh(grantId: string, entry: LivingEntry): Promise<LivingEntry> {
    if (!this.#isDue(entry.value.upstream)) return entry;
    const now = this.#options.runtime.now();
    const before = this.#underWay.get(grantId);
    // One that outlasts its lease hangs in a storage that never answered it. Nobody else has to.
    if (before !== undefined && Math.abs(now - before.since) < this.#leaseTtl) {
      // As long as the old token still works, there is nothing to wait for.
      return this.#isUsable(entry.value.upstream) ? entry : before.refreshing;
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
    await this.#revoke(ended.upstream, ended.traceId);
    return true;
  }

  async #revoke(tokens: UpstreamTokens | undefined, traceId: string): Promise<void> {
    if (tokens === undefined) return;
    try {
      await this.#options.identityProvider.revoke(tokens);
    } catch (error) {
      this.#failed("revoke", error, traceId);
    }
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
      if (this.#isUsable(current.value.upstream)) return current;
      if (runtime.now() >= giveUpAt) throw new OAuthProxyError("upstream_busy");
      await runtime.pause(pause);
      current = await grants.living(grantId);
      if (!this.#isDue(current.value.upstream)) return current;
    }
  }

  async #refreshUnderLease(grantId: string): Promise<LivingEntry> {
    const { grants, identityProvider, observe } = this.#options;
    const current = await grants.living(grantId);
    const { upstream, subject, traceId } = current.value;
    // Whoever held the lease before may have done it already.
    if (upstream === undefined || !this.#isDue(upstream)) return current;

    let identity: Identity;
    try {
      identity = await identityProvider.refresh(upstream, subject);
    } catch (error) {
      this.#failed("refresh", error, traceId);
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
    return persisted;
  }

  async #persist(grantId: string, entry: LivingEntry, { tokens, claims }: Identity): Promise<LivingEntry> {
    const { upstream: before, traceId } = entry.value;
    try {
      return await this.#options.grants.update(grantId, entry, (grant) => ({
        ...grant,
        upstream: tokens,
        // A new ID token says all there is to say now; without one, what only it knew stays as it was.
        claims: tokens?.idToken === before?.idToken ? { ...grant.claims, ...claims } : claims,
      }));
    } catch (error) {
      // The grant ended while the upstream answered: nobody else knows of these tokens, and they must not outlive it.
      if (error instanceof OAuthProxyError && error.reason === "grant_revoked") await this.#revoke(tokens, traceId);
      throw error;
    }
  }

  #isDue(tokens: UpstreamTokens | undefined): boolean {
    if (tokens?.refreshToken === undefined || tokens.expiresAt === undefined) return false;
    const life = tokens.expiresAt - tokens.issuedAt;
    return this.#options.runtime.now() >= tokens.expiresAt - Math.min(DUE_EARLY, Math.floor(life / 10));
  }

  #isUsable(tokens: UpstreamTokens | undefined): boolean {
    return tokens !== undefined && (tokens.expiresAt === undefined || tokens.expiresAt > this.#options.runtime.now());
  }

  #failed(operation: "refresh" | "revoke", error: unknown, traceId: string): void {
    const reason = error instanceof OAuthProxyError ? error.reason : "internal";
    this.#options.observe({ type: "upstream.failed", operation, reason, cause: error }, traceId);
  }
}
