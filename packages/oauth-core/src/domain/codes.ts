/** Authorization codes: issued once, redeemed by exactly one of any number of simultaneous requests. RFC 6749 §4.1.2, §10.5. */

import { OAuthProxyError } from "../protocol/errors.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection, Entry } from "../state/collection.ts";
import { digest } from "../state/digest.ts";
import type { Observe, RevocationCause } from "./events.ts";
import { grantIdOf } from "./grant-id.ts";
import {
  type Account,
  type Grant,
  type GrantRecord,
  type Grants,
  isLiving,
  type LivingEntry,
  type NewGrant,
} from "./grants.ts";
import type { UpstreamTokens } from "./identity-provider.ts";
import type { Keys } from "./keys.ts";

/** The grant-to-be that a code stands for. */
export interface CodeRecord {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly codeChallenge: string;
  readonly scope: readonly string[];
  readonly resourceScope: readonly string[];
  readonly resources: readonly string[];
  readonly expiresAt: number;
  readonly traceId: string;
  /** Who signed in; absent where the upstream's code is still to be redeemed, by the client's own verifier. */
  readonly signedIn?: GrantToBe | undefined;
  /** With `forwardPkce`: the upstream's code, the nonce of its ID token, and whose it is. */
  readonly upstreamCode?: { readonly code: string; readonly nonce: string; readonly provider?: string } | undefined;
}

/** What a finished sign-in gave. */
export interface SignedIn {
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly upstream?: UpstreamTokens | undefined;
  /** Absent in records that were written before there were several providers. */
  readonly account?: Account | undefined;
}

/** A finished sign-in, and the name that its grant will have. */
export interface GrantToBe extends SignedIn {
  /**
   * Kept and not worked out again by whoever redeems the code: while secrets are rotated, two processes would give one code two names, and so
   * pay it twice.
   */
  readonly grantId: string;
}

/** Within this many seconds after a redemption another one is a retry of a client that lost the answer; after it, a replay. */
const RETRY_WINDOW = 10;
/** How far the clock of the process that issued a code may be off. */
const CLOCK_SKEW = 60;
/** Redemptions of this process that are remembered as unanswered. */
const MOST_UNANSWERED = 1000;

export interface CodesOptions {
  readonly collection: Collection<CodeRecord>;
  /** Who redeems a code right now; lives for {@link RETRY_WINDOW} seconds on the storage's own clock. */
  readonly redemptions: Collection<string>;
  readonly grants: Grants;
  /** What hides whose a grant is in its name. */
  readonly subjectKeys: Keys;
  readonly runtime: Runtime;
  readonly observe: Observe;
  readonly authorizationCodeTtl: number;
  /** Ends a grant and its upstream's tokens. */
  readonly revoke: (grantId: string, entry: LivingEntry, because: RevocationCause) => Promise<unknown>;
}

/** The authorization codes of one server. */
export class Codes {
  readonly #options: CodesOptions;
  /** The salts of grants that this process has made, or may have, without giving anything for them. */
  readonly #unanswered = new Set<string>();

  constructor(options: CodesOptions) {
    this.#options = options;
  }

  /** Stores a grant-to-be under a new code of 256 random bits. */
  async issue(
    record: Omit<CodeRecord, "expiresAt" | "signedIn"> & { readonly signedIn?: SignedIn | undefined },
  ): Promise<string> {
    const { runtime, collection, authorizationCodeTtl } = this.#options;
    const code = `sp_ac_${Buffer.from(runtime.randomBytes(32)).toString("base64url")}`;
    const signedIn = record.signedIn && this.#grantToBe(code, record.signedIn);
    await collection.save(
      digest(code),
      { ...record, signedIn, expiresAt: runtime.now() + authorizationCodeTtl },
      authorizationCodeTtl,
    );
    return code;
  }

  /** What a code stands for. Reading spends nothing. @throws {OAuthProxyError} `code_invalid` */
  async find(code: string): Promise<CodeRecord> {
    const record = (await this.#options.collection.get(digest(code)))?.value;
    // RFC 6749 §4.1.2: short-lived. The storage lets it expire; a storage that forgets to must not make it live on.
    if (record === undefined || record.expiresAt + CLOCK_SKEW < this.#options.runtime.now())
      throw new OAuthProxyError("code_invalid");
    return record;
  }

  /**
   * Lets one caller do something with a code that can be done only once, and lets it be tried again if it failed for the moment.
   *
   * @throws {OAuthProxyError} `code_invalid` for everyone else: nobody has signed in with the code yet, so there is no grant to look for
   */
  async once<T>(code: string, work: () => Promise<T>): Promise<T> {
    const { redemptions, authorizationCodeTtl } = this.#options;
    const marker = `once.${digest(code)}`;
    if (!(await redemptions.claim(marker, "", authorizationCodeTtl))) throw new OAuthProxyError("code_invalid");
    try {
      return await work();
    } catch (error) {
      if (error instanceof OAuthProxyError && error.code === "temporarily_unavailable")
        await redemptions.delete(marker);
      throw error;
    }
  }

  /**
   * Keeps who signed in, so that a redemption that fails from here on can be repeated: what the upstream was asked with is spent by now. To be
   * called under {@link once}: of one code there has to be one name.
   */
  async keep(code: string, record: CodeRecord, signedIn: SignedIn): Promise<GrantToBe> {
    const { collection, runtime } = this.#options;
    const left = Math.max(1, record.expiresAt - runtime.now());
    const kept = this.#grantToBe(code, signedIn);
    await collection.save(digest(code), { ...record, upstreamCode: undefined, signedIn: kept }, left);
    return kept;
  }

  /**
   * Spends a code for a grant. Of any number of simultaneous callers exactly one succeeds, and only that one's grant exists.
   *
   * The grant's name stands in the code's record, so that creating it *is* spending the code: there is no moment in which a code is burnt and
   * nothing was given for it. Those who come second are told apart by a marker that lives on the storage's clock, since the clocks of two
   * processes can't be compared: whoever finds the marker of the successful redemption still there is a retry and harms nobody; whoever could
   * set a new one, although the grant exists, comes too late and is a replay.
   *
   * A retry succeeds where this process knows that it made the grant and gave nothing for it; see {@link unanswered}.
   *
   * @returns the grant that exists, which such a retry finds and does not make
   * @throws {OAuthProxyError} `code_invalid` for a retry; `code_replayed` for a replay, after the grant has been ended
   */
  async spend(code: string, clientId: string, grantId: string, grant: NewGrant): Promise<Grant> {
    const { grants, runtime } = this.#options;
    const announcedAt = runtime.now();
    const announced = await this.#announce(code);
    const mine: Grant = { ...grant, redemption: announced.redemption };
    if (!(await this.#create(grantId, mine))) {
      const existing = await grants.get(grantId);
      if (!this.#wasUnanswered(existing)) return this.#refuse(code, clientId, grantId, existing, announced);
      await this.#restartWindow(code, existing.value.redemption);
      return existing.value;
    }
    const isFresh = announced.first && runtime.now() - announcedAt <= RETRY_WINDOW / 2;
    if (!isFresh) await this.#restartWindow(code, announced.redemption);
    return mine;
  }

  /**
   * Notes that a grant was, or may have been, made and that nobody was given anything for it: the storage failed after the deed, and the request
   * ended in an error. The next redemption of its code in this process may have it.
   *
   * That pays nothing twice. The salt is that of one attempt, which has given up; whoever takes the note, takes it away. What another process
   * did, or one that died, nobody can know: its answer may have been lost or not.
   */
  unanswered({ salt }: Pick<Grant, "salt">): void {
    this.#unanswered.add(salt);
    if (this.#unanswered.size <= MOST_UNANSWERED) return;
    for (const oldest of this.#unanswered) {
      this.#unanswered.delete(oldest);
      return;
    }
  }

  async #create(grantId: string, grant: Grant): Promise<boolean> {
    try {
      return await this.#options.grants.create(grantId, grant);
    } catch (error) {
      this.unanswered(grant);
      throw error;
    }
  }

  /** Whether a grant is one that this process made and gave nothing for. Asked twice, it says so once. */
  #wasUnanswered(existing: Entry<GrantRecord> | undefined): existing is LivingEntry {
    return existing !== undefined && isLiving(existing) && this.#unanswered.delete(existing.value.salt);
  }

  #grantToBe(code: string, signedIn: SignedIn): GrantToBe {
    return { ...signedIn, grantId: grantIdOf(this.#options.subjectKeys, signedIn.subject, code) };
  }

  /**
   * The window counts from the redemption. A marker that was joined may be nearly over, because the attempt that set it died on its way; so may
   * one's own, where the storage was slow. Only whoever made the grant does this, and so nobody can put a replay off by repeating it.
   */
  async #restartWindow(code: string, redemption: string): Promise<void> {
    const { redemptions, observe } = this.#options;
    try {
      await redemptions.save(digest(code), redemption, RETRY_WINDOW);
    } catch (cause) {
      // The code is spent, and its tokens have to get to the client: a shorter window is the smaller harm.
      observe({ type: "error", endpoint: "token", cause });
    }
  }

  /** Sets the marker of a redemption under way, or joins the one that is there. */
  async #announce(code: string): Promise<{ redemption: string; first: boolean }> {
    const { redemptions, runtime } = this.#options;
    const mine = Buffer.from(runtime.randomBytes(9)).toString("base64url");
    if (await redemptions.claim(digest(code), mine, RETRY_WINDOW)) return { redemption: mine, first: true };
    return { redemption: (await redemptions.get(digest(code)))?.value ?? mine, first: false };
  }

  async #refuse(
    code: string,
    clientId: string,
    grantId: string,
    existing: Entry<GrantRecord> | undefined,
    { redemption }: { readonly redemption: string },
  ): Promise<never> {
    const { observe, revoke } = this.#options;
    if (existing === undefined || !isLiving(existing)) throw new OAuthProxyError("code_invalid");
    const { subject, traceId } = existing.value;
    if (existing.value.redemption === redemption || !(await this.#isMarkedBy(code, redemption))) {
      observe({ type: "code.duplicated", clientId, grant: grantId }, traceId);
      throw new OAuthProxyError("code_invalid");
    }
    // RFC 6749 §4.1.2: a code that is used again after that may be in two hands; the tokens that it gave are ended.
    observe({ type: "code.replayed", clientId, grant: grantId, subject }, traceId);
    await revoke(grantId, existing, "code_replay");
    throw new OAuthProxyError("code_replayed");
  }

  /** Whether the marker still is the one that this attempt set or joined: one that was held up for longer than the window knows nothing of what came after. */
  async #isMarkedBy(code: string, redemption: string): Promise<boolean> {
    return (await this.#options.redemptions.get(digest(code)))?.value === redemption;
  }
}
