/** What a person allowed one installation of a client; every token hangs from one. The promises of refresh-token rotation are kept here. RFC 9700 §4.14. */

import { OAuthProxyError } from "../protocol/errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection, Entry } from "../state/collection.ts";
import type { ListOptions } from "../state/token-storage.ts";
import type { Observe, RevocationCause } from "./events.ts";
import type { OwnAccount, UpstreamTokens } from "./identity-provider.ts";
import type { Keys } from "./keys.ts";
import { RecentlySeen } from "./recently-seen.ts";
import { formatRefreshToken, parseRefreshToken, provesRefreshToken, type RefreshTokenClaim } from "./refresh-token.ts";

/** The account that a person signed in with. */
export interface Account {
  /** The id of its provider. */
  readonly provider: string;
  /** As the provider names it; absent where it names nobody. The grant's subject may be another one: see the option `linkSubject`. */
  readonly subject?: string | undefined;
  /** The address that the provider vouched for. */
  readonly verifiedEmail?: string | undefined;
  /** The account of our own that was signed in to, be it through another provider. */
  readonly own?: OwnAccount | undefined;
}

/** A living grant. */
export interface Grant {
  readonly clientId: string;
  /** As the client called itself when it was granted. */
  readonly clientName?: string | undefined;
  readonly subject: string;
  readonly scope: readonly string[];
  readonly resources: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
  readonly upstream?: UpstreamTokens | undefined;
  /** Absent in grants that began before there were several providers. */
  readonly account?: Account | undefined;
  /** Whether the person may still sign in was asked and could not be answered: nothing is given before it is. */
  readonly undecided?: true | undefined;
  /** Whether the client may refresh. */
  readonly refreshable: boolean;
  readonly salt: string;
  /** Which redemption made it; see `codes.ts`. */
  readonly redemption: string;
  /** The generation of the refresh token that is to be used next. */
  readonly generation: number;
  /** The first use of each earlier generation whose grace period may still run. */
  readonly firstUses: readonly FirstUse[];
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly traceId: string;
}

/** A grant before it is tied to the redemption that made it. */
export type NewGrant = Omit<Grant, "redemption">;

interface FirstUse {
  readonly generation: number;
  readonly at: number;
  /** The process whose clock said so. */
  readonly by: string;
}

/** What is left of a grant that has ended, for as long as one of its tokens could still come back. */
export interface EndedGrant {
  readonly endedAt: number;
  readonly clientId: string;
}

export type GrantRecord = Grant | EndedGrant;
export type LivingEntry = Entry<GrantRecord> & { readonly value: Grant };

/** A refresh token that stood every check, together with the state that it was checked against. */
export interface OpenedGrant {
  readonly grantId: string;
  readonly entry: LivingEntry;
  readonly claim: RefreshTokenClaim;
  /** The token was used before, within its grace period or by a racer: nothing moves. */
  readonly retried: boolean;
}

export interface GrantsOptions {
  readonly collection: Collection<GrantRecord>;
  readonly keys: Keys;
  readonly runtime: Runtime;
  readonly observe: Observe;
  readonly refreshTokenTtl: number;
  readonly refreshTokenGracePeriod: number;
  readonly accessTokenTtl: number;
  readonly authorizationCodeTtl: number;
  readonly revocationCheckTtl: number;
  /** Ends a grant and its upstream's tokens. */
  readonly revoke: (grantId: string, entry: LivingEntry, because: RevocationCause) => Promise<unknown>;
}

/** How far the clock of another process may be off. */
const CLOCK_SKEW = 60;
/** Rotations within one grace period after which a token is answered with itself: the list of first uses stays short whatever a client does. */
const MOST_FIRST_USES = 64;
/** How often a lost compare-and-swap is tried again. Each loss means that somebody else moved on. */
const ATTEMPTS = 64;

/** The grants of one server. */
export class Grants {
  readonly #options: GrantsOptions;
  #instance: string | undefined;
  readonly #alive: RecentlySeen;
  readonly #ended: RecentlySeen;

  constructor(options: GrantsOptions) {
    this.#options = options;
    this.#alive = new RecentlySeen(100_000);
    this.#ended = new RecentlySeen(100_000);
  }

  /** Which process this is. Made on first use: Workers have no randomness before their first request. */
  get #self(): string {
    this.#instance ??= Buffer.from(this.#options.runtime.randomBytes(6)).toString("base64url");
    return this.#instance;
  }

  /** How long a fresh grant lives unless it is refreshed, in seconds. */
  lifetime(refreshable: boolean): number {
    return refreshable ? this.#options.refreshTokenTtl : this.#options.accessTokenTtl;
  }

  /** Stores a new grant; `false` where one of this id lives already, which is how an authorization code is spent. */
  async create(grantId: string, grant: Grant): Promise<boolean> {
    const created = await this.#options.collection.claim(grantId, grant, this.#storedFor(grant));
    if (created !== undefined) this.#alive.see(grantId, this.#options.runtime.now());
    return created !== undefined;
  }

  /** The grant as it is now: living, ended, or `undefined`. One read. */
  async get(grantId: string): Promise<Entry<GrantRecord> | undefined> {
    const entry = await this.#options.collection.get(grantId);
    const now = this.#options.runtime.now();
    if (entry !== undefined && isLiving(entry)) this.#alive.see(grantId, now);
    else this.#alive.forget(grantId);
    return entry;
  }

  /** The living grant, or the refusal that says why there is none. One read. */
  async living(grantId: string): Promise<LivingEntry> {
    const entry = await this.get(grantId);
    if (entry === undefined || !isLiving(entry)) throw new OAuthProxyError("grant_revoked");
    return entry;
  }

  /** The next refresh token of a grant. */
  refreshToken(grantId: string, grant: Pick<Grant, "generation" | "salt">): string {
    return formatRefreshToken(this.#options.keys, grantId, grant.generation, grant.salt);
  }

  /** Whether a refresh token, of whatever generation, is one that we made for this grant. */
  proves(refreshToken: string, grant: Pick<Grant, "salt">): boolean {
    const claim = parseRefreshToken(refreshToken);
    return claim !== undefined && provesRefreshToken(this.#options.keys, claim, grant.salt);
  }

  /**
   * The names that begin so, page by page: living grants, and what is left of those that have ended.
   *
   * @throws {ConfigurationError} where the storage can't list
   */
  list(beginning: string, options: ListOptions): Promise<{ ids: readonly string[]; cursor: string | undefined }> {
    return this.#options.collection.list(beginning, options);
  }

  /**
   * Whether access tokens of this grant still count. Asks the storage at most every `revocationCheckTtl` seconds; what this process
   * ended itself is known at once.
   */
  async isAlive(grantId: string): Promise<boolean> {
    const now = this.#options.runtime.now();
    if (this.#ended.seenWithin(grantId, now, Number.POSITIVE_INFINITY)) return false;
    const { revocationCheckTtl } = this.#options;
    if (revocationCheckTtl > 0 && this.#alive.seenWithin(grantId, now, revocationCheckTtl)) return true;
    const entry = await this.get(grantId);
    return entry !== undefined && isLiving(entry);
  }

  /**
   * Checks a refresh token against its grant, and moves nothing yet: a request that turns out wrong must burn nothing.
   *
   * @throws {OAuthProxyError} `refresh_token_invalid`, `grant_revoked`, or, after it has ended the grant, `refresh_token_reused`
   */
  async open(refreshToken: string, clientId: string): Promise<OpenedGrant> {
    const claim = parseRefreshToken(refreshToken);
    if (claim === undefined) throw new OAuthProxyError("refresh_token_invalid");
    const { grantId } = claim;
    const entry = await this.get(grantId);
    if (entry === undefined) throw new OAuthProxyError("refresh_token_invalid");
    if (!isLiving(entry)) throw new OAuthProxyError("grant_revoked");
    const grant = entry.value;

    // RFC 6749 §10.4: only what we made, and only for the client that it was made for. A stolen token is worth nothing to another client, and
    // a forged one must not be able to end somebody's grant.
    if (!provesRefreshToken(this.#options.keys, claim, grant.salt)) throw new OAuthProxyError("refresh_token_invalid");
    if (grant.clientId !== clientId) throw new OAuthProxyError("refresh_token_invalid");
    if (!grant.refreshable || claim.generation > grant.generation) throw new OAuthProxyError("refresh_token_invalid");
    // The storage may keep a grant for longer than it lives.
    if (grant.expiresAt <= this.#options.runtime.now()) throw new OAuthProxyError("refresh_token_invalid");

    if (claim.generation === grant.generation) return { grantId, entry, claim, retried: false };
    if (this.#inGrace(grant, claim.generation)) return { grantId, entry, claim, retried: true };

    // RFC 9700 §4.14.2: a token that comes back after its grace period is in two hands. Which of them is the thief's can't be known, so both lose it.
    this.#options.observe(
      { type: "refresh_token.reused", clientId, grant: grantId, subject: grant.subject },
      grant.traceId,
    );
    await this.#options.revoke(grantId, entry, "refresh_token_reuse");
    throw new OAuthProxyError("refresh_token_reused");
  }

  /**
   * What was opened, over a later state of its grant.
   *
   * Whoever opened a token while it could be used is a racer and not a replay, however late they come to the storage again and whatever the
   * clocks say.
   */
  join(opened: OpenedGrant, entry: LivingEntry): OpenedGrant {
    return { ...opened, entry, retried: opened.claim.generation < entry.value.generation };
  }

  /** Moves an opened grant to its next generation, or, where someone else did meanwhile, joins them. */
  async rotate(opened: OpenedGrant): Promise<{ grant: Grant; retried: boolean }> {
    let current = opened;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (current.retried) return { grant: current.entry.value, retried: true };
      const grant = current.entry.value;
      const firstUses = this.#openFirstUses(grant);
      if (firstUses.length >= MOST_FIRST_USES) return { grant, retried: true };

      const now = this.#options.runtime.now();
      const next: Grant = {
        ...grant,
        generation: grant.generation + 1,
        firstUses: [...firstUses, { generation: grant.generation, at: now, by: this.#self }],
        expiresAt: now + this.#options.refreshTokenTtl,
      };
      if (await this.#options.collection.replace(current.grantId, current.entry, next, this.#storedFor(next))) {
        return { grant: next, retried: false };
      }
      current = this.join(current, await this.living(current.grantId));
    }
    throw new OAuthProxyError("storage_unavailable");
  }

  /** Changes a living grant, `entry` or what has become of it meanwhile. Keeps its expiry. */
  async update(grantId: string, entry: LivingEntry, change: (grant: Grant) => Grant): Promise<LivingEntry> {
    let current = entry;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const next = change(current.value);
      const replaced = await this.#options.collection.replace(grantId, current, next, this.#storedFor(next));
      if (replaced !== undefined) return replaced;
      current = await this.living(grantId);
    }
    throw new OAuthProxyError("storage_unavailable");
  }

  /**
   * Ends a grant and with it every token that hangs from it. Of any number of simultaneous callers one is given what the grant was in the end.
   *
   * What is left is a marker and not nothing, or else the code that made the grant could make it again.
   */
  async end(grantId: string, entry: LivingEntry, because: RevocationCause): Promise<Grant | undefined> {
    const { runtime, observe, collection, accessTokenTtl, authorizationCodeTtl } = this.#options;
    let current: Entry<GrantRecord> | undefined = entry;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (current === undefined || !isLiving(current)) return undefined;
      const { clientId, subject, traceId } = current.value;
      const endedAt = runtime.now();
      if (await collection.replace(grantId, current, { endedAt, clientId }, accessTokenTtl + authorizationCodeTtl)) {
        // Not before it is stored: a process that took a failed attempt for the end would refuse a grant that lives on everywhere else.
        this.#alive.forget(grantId);
        this.#ended.see(grantId, endedAt);
        observe({ type: "grant.revoked", because, clientId, grant: grantId, subject }, traceId);
        return current.value;
      }
      current = await this.get(grantId);
    }
    throw new OAuthProxyError("storage_unavailable");
  }

  /** Seconds: as long as the grant lives, and as long as the code that it was made from could come back and make it again. */
  #storedFor(grant: Grant): number {
    const until = Math.max(grant.expiresAt, grant.createdAt + this.#options.authorizationCodeTtl + CLOCK_SKEW);
    return Math.max(1, until - this.#options.runtime.now());
  }

  #openFirstUses(grant: Grant): readonly FirstUse[] {
    return grant.firstUses.filter((use) => this.#withinGrace(use));
  }

  #inGrace(grant: Grant, generation: number): boolean {
    const use = grant.firstUses.find((use) => use.generation === generation);
    return use !== undefined && this.#withinGrace(use);
  }

  /**
   * The grace period runs from the first use and never slides. It is counted on one clock where one process saw both uses; the clock of another
   * is allowed to be off by a minute, but by no more than the grace period itself.
   */
  #withinGrace(use: FirstUse): boolean {
    const grace = this.#options.refreshTokenGracePeriod;
    const skew = use.by === this.#self ? 0 : Math.min(CLOCK_SKEW, grace);
    return this.#options.runtime.now() - use.at <= grace + skew;
  }
}

/** Whether a grant still lives. */
export function isLiving(entry: Entry<GrantRecord>): entry is LivingEntry {
  return !("endedAt" in entry.value);
}
