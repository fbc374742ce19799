/** The keys that an issuer publishes: remembered, renewed, and asked for once at a time. RFC 7517 §5, OpenID Connect Core §10.1.1. */
import { KeySet } from "./key-set.ts";
import { KeySetError } from "./key-set-error.ts";
import { type Fetch, fetchKeySet } from "./key-set-request.ts";

export interface RemoteKeySetOptions {
  readonly uri: string;
  /** Milliseconds, all of them. */
  readonly cacheDuration: number;
  readonly cooldownDuration: number;
  readonly staleDuration: number;
  readonly requestTimeoutMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly fetch: Fetch;
}

/** Milliseconds for which a failure is believed, or the cooldown where that is shorter. */
const FAILURE_DURATION = 5000;

/**
 * One address and its keys.
 *
 * - There is never more than one request under way; whoever needs its outcome waits for that one.
 * - Within `cacheDuration` the keys are simply there. After it the next caller fetches them anew.
 * - Where that fails, the old ones serve for `staleDuration` more, and nobody waits for the further attempts.
 */
export class RemoteKeySet {
  readonly #options: RemoteKeySetOptions;
  #keys: KeySet | undefined;
  #fetchedAt = 0;
  #failure: KeySetError | undefined;
  /** When the latest request ended. */
  #askedAt: number | undefined;
  #asking: Promise<void> | undefined;

  constructor(options: RemoteKeySetOptions) {
    this.#options = options;
  }

  /** The keys, if they are fresh: the way of nearly every call, without a promise. */
  get fresh(): KeySet | undefined {
    return this.#isWithin(this.#fetchedAt, this.#options.cacheDuration) ? this.#keys : undefined;
  }

  /** The keys to verify with right now. @throws {KeySetError} where there are none */
  async current(): Promise<KeySet> {
    if (this.fresh !== undefined) return this.fresh;
    const failedBefore = this.#failure !== undefined;
    const asking = failedBefore && this.#isCoolingDown() ? undefined : this.#ask();
    // While the endpoint is down nobody waits for it again and again: the first to notice did.
    if (!(failedBefore && this.#stale !== undefined)) await asking;
    const keys = this.fresh ?? this.#stale;
    if (keys === undefined) throw this.#failure ?? new KeySetError("unreachable");
    return keys;
  }

  /**
   * A later key set than the one that did not verify a token; `undefined` where it is too early to ask for one. Tokens are a
   * stranger's to send: without the cooldown each of them would be a request of ours to the issuer.
   *
   * @throws {KeySetError} where it can't be known
   */
  async newerThan(keys: KeySet): Promise<KeySet | undefined> {
    if (this.#keys === keys && (this.#asking !== undefined || !this.#isCoolingDown())) await this.#ask();
    if (this.#keys !== keys) return this.#keys;
    if (this.#failure !== undefined) throw this.#failure;
    return undefined;
  }

  get #stale(): KeySet | undefined {
    const { cacheDuration, staleDuration } = this.#options;
    return this.#isWithin(this.#fetchedAt, cacheDuration + staleDuration) ? this.#keys : undefined;
  }

  #isCoolingDown(): boolean {
    const { cooldownDuration } = this.#options;
    const duration = this.#failure === undefined ? cooldownDuration : Math.min(cooldownDuration, FAILURE_DURATION);
    return this.#askedAt !== undefined && this.#isWithin(this.#askedAt, duration);
  }

  /** Without a sign: a clock that is set back must not make a moment "in the future" count for as long as that lasts. */
  #isWithin(moment: number, duration: number): boolean {
    return Math.abs(this.#options.now() - moment) < duration;
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#renew().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Never rejects: what went wrong is remembered for all who ask. */
  async #renew(): Promise<void> {
    const { fetch, uri, requestTimeoutMs, now } = this.#options;
    try {
      this.#keys = KeySet.parse(await fetchKeySet(fetch, uri, requestTimeoutMs), this.#keys);
      this.#fetchedAt = now();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error instanceof KeySetError ? error : new KeySetError("unreachable", { cause: error });
    }
    this.#askedAt = now();
  }
}
