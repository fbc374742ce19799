/** Slows down guessing: an attempt is counted before a password is looked at. OWASP Authentication Cheat Sheet, "Account Lockout"; device cookies. */
import { type Collection, type Entry, type Keys, type Runtime, sign } from "@sallyport/oauth-core/accounts";
import { networkOf } from "./client-address.ts";

/** What is kept of a bucket. It says neither whose it is nor of which kind. */
export interface AttemptRecord {
  /** Attempts that failed, or that are not decided yet. */
  readonly failures: number;
  /** Nothing is admitted before, in seconds since 1970. */
  readonly until: number;
  /** When all of it is forgotten, unless `until` is later; in seconds since 1970. */
  readonly forgetAt: number;
}

/** An attempt to prove who one is. */
export interface Attempt {
  /** What was typed, in normal form. Not the account that it leads to: that two names are slowed down together would say that they are one person's. */
  readonly login: string;
  /** What `KnownBrowsers.find` gave for the account. */
  readonly browser?: string | undefined;
  /** Of the client, as the connection or a trusted proxy says. Anything that is no address counts as not known. */
  readonly address?: string | undefined;
}

/** How an attempt ended. */
export type AttemptOutcome = "failed" | "succeeded" | "untried";

/** An attempt that may go on. It counts as failed already, and stays so where it is never settled. */
export interface AdmittedAttempt {
  readonly admitted: true;
  /** Says how it ended; `untried`: nothing was looked at, and it counts no more. Only the first call counts. @throws whatever the storage rejects with */
  settle(outcome: AttemptOutcome): Promise<void>;
}

/** An attempt that must not go on. Nothing was counted. */
export interface RefusedAttempt {
  readonly admitted: false;
  /** Seconds, at least 1. */
  readonly retryAfter: number;
}

/** How often something may be done. */
export interface Limit {
  /** Times. */
  readonly most: number;
  /** Seconds from the first of them. */
  readonly per: number;
}

export interface AttemptsOptions {
  readonly collection: Collection<AttemptRecord>;
  /** Hide names and addresses in the names of records. The first one counts; when it is another one, counting begins anew. */
  readonly keys: Keys;
  readonly runtime: Runtime;
}

/** How a bucket fills up. */
interface Pace {
  readonly free: number;
  /** Seconds after which failures are forgotten. */
  readonly forgetAfter: number;
  /** Since the last failure, or since the first. */
  readonly since: "last" | "first";
  /** What a full bucket does: let one more in after each longer wait, or none until all is forgotten. */
  readonly whenFull: "waits" | "refuses";
}

interface Bucket {
  readonly id: string;
  readonly pace: Pace;
}

/** A bucket with an attempt in it. */
interface Charge {
  readonly bucket: Bucket;
  readonly entry: Entry<AttemptRecord>;
}

const LONGEST_WAIT = 900;
const LOGIN: Pace = { free: 5, forgetAfter: 3600, since: "last", whenFull: "waits" };
/** Since the first: the failures of an office behind one address must not add up over days. */
const ADDRESS: Pace = { free: 30, forgetAfter: 900, since: "first", whenFull: "waits" };
const BROWSER: Pace = { free: 10, forgetAfter: 3600, since: "first", whenFull: "refuses" };

/** More than any pace here has free, so that a race is decided by the count; a storage where somebody else always wins is an attack, or broken. */
const TRIES = 32;
const TRY_AGAIN = 1;

/**
 * Counts, exactly and over all processes, what was tried: each attempt takes its place in a bucket by compare-and-swap **before** it is decided, so that
 * of any number of guesses at once only as many go on as are free.
 *
 * - A browser that is known for the account: 10 failures an hour on its own. Beyond them it is like any other.
 * - Any other browser: 5 failures for one login and 30 in 15 minutes for one address, and then one attempt after each wait of 1, 2, 4 … 900 seconds. A
 *   login is forgotten after an hour without a failure.
 * - No wait is longer than 15 minutes, and what is refused meanwhile does not prolong it.
 *
 * It is not told whether there is such a login, and so behaves the same. Where the storage fails, it rejects, and nobody may go on.
 */
export class Attempts {
  readonly #options: AttemptsOptions;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Takes a place for an attempt. @throws whatever the storage rejects with */
  async begin({ login, browser, address }: Attempt): Promise<AdmittedAttempt | RefusedAttempt> {
    const own = browser === undefined ? [] : [this.#bucket("browser", browser, BROWSER)];
    const ofOwn = own.length > 0 ? await this.#admit(own) : undefined;
    if (ofOwn !== undefined && "charges" in ofOwn) return this.#admitted(ofOwn.charges, own, []);

    const ofLogin = this.#bucket("login", login, LOGIN);
    const network = networkOf(address);
    const ofAddress = network === undefined ? [] : [this.#bucket("address", network, ADDRESS)];
    const verdict = await this.#admit([ofLogin, ...ofAddress]);
    if ("retryAfter" in verdict) return { admitted: false, retryAfter: verdict.retryAfter };
    // One's own account, signed in to again and again, must not wipe away guesses at those of others: the address only gets back this one attempt.
    return this.#admitted(
      verdict.charges,
      [...own, ofLogin],
      verdict.charges.filter(({ bucket }) => bucket !== ofLogin),
    );
  }

  /**
   * Counts something of which there may only be so much, whatever comes of it: mails, sign-ups. `kind` keeps counts apart. Without a `key` (an address
   * that is not known) nothing is counted.
   *
   * @throws whatever the storage rejects with
   */
  async limit(
    kind: string,
    key: string | undefined,
    { most, per }: Limit,
  ): Promise<{ readonly admitted: true } | RefusedAttempt> {
    if (key === undefined) return { admitted: true };
    const pace: Pace = { free: most, forgetAfter: per, since: "first", whenFull: "refuses" };
    const verdict = await this.#admit([this.#bucket(`limit ${kind}`, key, pace)]);
    return "charges" in verdict ? { admitted: true } : { admitted: false, retryAfter: verdict.retryAfter };
  }

  #admitted(charges: readonly Charge[], cleared: readonly Bucket[], returned: readonly Charge[]): AdmittedAttempt {
    let settled = false;
    const settle = async (outcome: AttemptOutcome) => {
      if (settled) return;
      settled = true;
      if (outcome === "failed") return;
      if (outcome === "untried") {
        await Promise.all(charges.map((charge) => this.#takeBack(charge)));
        return;
      }
      await Promise.all([
        ...cleared.map(({ id }) => this.#options.collection.delete(id)),
        ...returned.map((charge) => this.#takeBack(charge)),
      ]);
    };
    return { admitted: true, settle };
  }

  /** A place in every bucket, or in none. */
  async #admit(
    buckets: readonly Bucket[],
  ): Promise<{ readonly charges: readonly Charge[] } | { readonly retryAfter: number }> {
    const { collection } = this.#options;
    const entries = await Promise.all(buckets.map(({ id }) => collection.get(id)));
    const waits = await Promise.all(buckets.map((bucket, at) => this.#waitFor(bucket, entries[at])));
    const longest = Math.max(0, ...waits);
    if (longest > 0) return { retryAfter: longest };

    // One after the other: those whom the first bucket turns away must not have been in the way of others in the second.
    const charges: Charge[] = [];
    for (const [at, bucket] of buckets.entries()) {
      const charged = await this.#charge(bucket, entries[at]);
      if ("retryAfter" in charged) {
        await Promise.all(charges.map((charge) => this.#takeBack(charge)));
        return charged;
      }
      charges.push(charged);
    }
    return { charges };
  }

  /** Takes a place in one bucket. `entry` is what was read of it. */
  async #charge(
    bucket: Bucket,
    entry: Entry<AttemptRecord> | undefined,
  ): Promise<Charge | { readonly retryAfter: number }> {
    const { collection, runtime } = this.#options;
    let current = entry;
    let readable = entry !== undefined;
    for (let tries = 0; tries < TRIES; tries++) {
      const wait = await this.#waitFor(bucket, current);
      if (wait > 0) return { retryAfter: wait };
      const now = runtime.now();
      const record = withOneMore(standing(current?.value, bucket.pace, now), bucket.pace, now);
      const charged = await this.#store(bucket.id, current, record, now);
      if (charged !== undefined) return { bucket, entry: charged };
      current = await collection.get(bucket.id);
      readable ||= current !== undefined;
    }
    // There is a record, and nobody can read it: its key is gone. A full bucket in its place admits nobody now, and everybody by and by.
    if (!readable) {
      const now = runtime.now();
      const { free, forgetAfter } = bucket.pace;
      const full = { failures: free, until: now + TRY_AGAIN, forgetAt: now + forgetAfter };
      await collection.save(bucket.id, full, lifetime(full, now));
    }
    // So many others at once: whoever can't be counted is not let in.
    return { retryAfter: TRY_AGAIN };
  }

  /** Gives a place back. Where that fails, it stays taken: too many failures are counted, never too few. */
  async #takeBack({ bucket, entry }: Charge): Promise<void> {
    const { collection, runtime } = this.#options;
    let current: Entry<AttemptRecord> | undefined = entry;
    for (let tries = 0; tries < TRIES; tries++) {
      const now = runtime.now();
      if (current === undefined || isForgotten(current.value, now)) return;
      const { failures, until, forgetAt } = current.value;
      const next = {
        failures: Math.max(0, failures - 1),
        // The wait that this very place began ends; one that somebody else began goes on.
        until: until === entry.value.until ? Math.min(until, now) : until,
        forgetAt,
      };
      if (isForgotten(next, now) || (await this.#store(bucket.id, current, next, now)) !== undefined) return;
      current = await collection.get(bucket.id);
    }
  }

  /**
   * Seconds until the bucket has a place; 0 where it has one.
   *
   * A wait that is longer than so many failures make it is from before the clock was set back, or before a place was given back. The record is written
   * again, or its end would never come nearer.
   */
  async #waitFor(bucket: Bucket, entry: Entry<AttemptRecord> | undefined): Promise<number> {
    const now = this.#options.runtime.now();
    const record = standing(entry?.value, bucket.pace, now);
    if (entry !== undefined && record.until > now && record.until < entry.value.until)
      await this.#store(bucket.id, entry, record, now);
    return Math.max(0, record.until - now);
  }

  #store(
    id: string,
    was: Entry<AttemptRecord> | undefined,
    record: AttemptRecord,
    now: number,
  ): Promise<Entry<AttemptRecord> | undefined> {
    const { collection } = this.#options;
    const ttl = lifetime(record, now);
    return was === undefined ? collection.claim(id, record, ttl) : collection.replace(id, was, record, ttl);
  }

  #bucket(kind: string, key: string, pace: Pace): Bucket {
    return { id: sign(this.#options.keys, "attempts", kind, key), pace };
  }
}

/** What a record says now. */
function standing(record: AttemptRecord | undefined, pace: Pace, now: number): AttemptRecord {
  const { failures, until, forgetAt } = record ?? { failures: 0, until: 0, forgetAt: 0 };
  if (record === undefined || isForgotten(record, now))
    return { failures: 0, until: now, forgetAt: now + pace.forgetAfter };
  const latest = Math.min(forgetAt, now + pace.forgetAfter);
  return { failures, until: Math.min(until, waitEnd(failures, pace, now, latest)), forgetAt: latest };
}

function withOneMore({ failures, forgetAt }: AttemptRecord, pace: Pace, now: number): AttemptRecord {
  const end = pace.since === "last" ? now + pace.forgetAfter : forgetAt;
  return { failures: failures + 1, until: waitEnd(failures + 1, pace, now, end), forgetAt: end };
}

/** Until when nobody is admitted after so many failures, of which the last is now. */
function waitEnd(failures: number, { free, whenFull }: Pace, now: number, forgetAt: number): number {
  if (failures < free) return now;
  return whenFull === "refuses" ? forgetAt : now + Math.min(LONGEST_WAIT, 2 ** (failures - free));
}

function isForgotten({ until, forgetAt }: AttemptRecord, now: number): boolean {
  return now >= Math.max(until, forgetAt);
}

function lifetime({ until, forgetAt }: AttemptRecord, now: number): number {
  return Math.max(until, forgetAt) - now;
}
