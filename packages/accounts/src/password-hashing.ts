/** Password hashes: Argon2id (RFC 9106), kept as PHC strings, a few at a time. */
import { timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";
import { ConfigurationError, OAuthProxyError, type Runtime } from "@sallyport/oauth-core/accounts";
import pLimit, { type LimitFunction } from "p-limit";
import { type Argon2Cost, type Argon2id, argon2idOnThreads } from "./argon2id.ts";

/** What new hashes cost, and how many are computed at once. */
export interface PasswordHashingOptions extends Partial<Argon2Cost> {
  /** In KiB. Default, and least: 19456. */
  readonly memoryCost?: number;
  /** Default, and least: 2. */
  readonly timeCost?: number;
  /** Default: 1. */
  readonly parallelism?: number;
  /**
   * How many hashes are computed at once, each on a thread of its own. Default: one less than there are processors, and at most 4. Each takes `memoryCost`
   * while it is computed.
   */
  readonly concurrency?: number;
  /** How many may wait for their turn; whoever comes then is told to try again. Default: 256. */
  readonly queue?: number;
}

/** What came of comparing a password. */
export interface Verification {
  readonly matches: boolean;
  /** It matches, and the hash is weaker than one made today: store a new one while the password is at hand. */
  readonly outdated: boolean;
}

/** OWASP Password Storage Cheat Sheet, Argon2id: the least that is recommended. */
const LEAST: Argon2Cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** 1 GiB, and more passes and lanes than anybody uses. A stored hash that asks for more would let whoever wrote it stop the server. */
const MOST: Argon2Cost = { memoryCost: 1_048_576, timeCost: 64, parallelism: 64 };

/** RFC 9106 §3.1 recommends 16 bytes of salt; §4 an output of 32. */
const SALT_BYTES = 16;
const HASH_BYTES = 32;

/** A stored hash, read. */
interface StoredHash extends Argon2Cost {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
}

/**
 * Makes and compares password hashes, off the event loop.
 *
 * Every comparison that fails costs the same, whoever it is for: a person who isn't there, one without a password, one with a broken hash and one with
 * a hash of lesser parameters are all computed at today's. Only a stored hash of higher parameters than today's costs more.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9106 RFC 9106}
 */
export class PasswordHashing {
  readonly #cost: Argon2Cost;
  readonly #runtime: Pick<Runtime, "randomBytes">;
  readonly #argon2id: Argon2id;
  readonly #limit: LimitFunction;
  readonly #queue: number;
  /** Compared where there is no hash: no password is known for it, and none would do. */
  readonly #decoy: StoredHash;

  /**
   * @param argon2id computes the hashes; default: `@node-rs/argon2` on threads of its own, started by the first hash
   * @throws {ConfigurationError} for less than OWASP's least parameters, and for numbers that make no sense
   */
  constructor(
    runtime: Pick<Runtime, "randomBytes">,
    options: PasswordHashingOptions = {},
    argon2id: Argon2id = argon2idOnThreads,
  ) {
    const number = (option: keyof PasswordHashingOptions, least: number, most: number, fallback: number) =>
      wholeNumber(`passwordHashing.${option}`, options[option] ?? fallback, least, most);
    this.#cost = {
      memoryCost: number("memoryCost", LEAST.memoryCost, MOST.memoryCost, LEAST.memoryCost),
      timeCost: number("timeCost", LEAST.timeCost, MOST.timeCost, LEAST.timeCost),
      parallelism: number("parallelism", LEAST.parallelism, MOST.parallelism, LEAST.parallelism),
    };
    // One processor is left to the event loop.
    const spare = Math.min(Math.max(1, availableParallelism() - 1), 4);
    this.#limit = pLimit(number("concurrency", 1, 1024, spare));
    this.#queue = number("queue", 0, 65_536, 256);
    this.#runtime = runtime;
    this.#argon2id = argon2id;
    const [salt, hash] = [runtime.randomBytes(SALT_BYTES), runtime.randomBytes(HASH_BYTES)];
    this.#decoy = { ...this.#cost, salt, hash };
  }

  /**
   * A new hash, as a PHC string that other software reads too.
   *
   * @param password as `normalizePassword` gives it
   * @throws {OAuthProxyError} `busy` where too many wait already
   */
  hash(password: string): Promise<string> {
    return this.#inTurn(async () => {
      const salt = this.#runtime.randomBytes(SALT_BYTES);
      const hash = await this.#argon2id(bytesOf(password), { ...this.#cost, salt, outputLen: HASH_BYTES });
      return formatPhc({ ...this.#cost, salt, hash });
    });
  }

  /**
   * Whether a password is the one that a hash was made of. What is no PHC string of Argon2id matches nothing.
   *
   * @param stored the hash; `undefined` where nobody has the name, or they have no password: it costs the same
   * @param password as `normalizePassword` gives it
   * @throws {OAuthProxyError} `busy` where too many wait already
   */
  verify(stored: string | undefined, password: string): Promise<Verification> {
    const known = stored === undefined ? undefined : parsePhc(stored);
    return this.#inTurn(async () => {
      const { salt, hash, ...cost } = known ?? this.#decoy;
      const given = bytesOf(password);
      const computed = await this.#argon2id(given, { ...cost, salt, outputLen: hash.length });
      const matches = timingSafeEqual(computed, hash) && known !== undefined;
      if (!matches) await this.#makeUpFor(cost, given);
      return { matches, outdated: matches && this.#isOutdated(known) };
    });
  }

  /**
   * After a failure with lesser parameters: computes as much as is missing of today's. Once an operator has raised them, a quick answer would otherwise say that
   * somebody has the name. Memory times passes is what the time goes with.
   */
  async #makeUpFor(spent: Argon2Cost, password: Uint8Array): Promise<void> {
    const { memoryCost, timeCost, parallelism } = this.#cost;
    const missing = memoryCost * timeCost - spent.memoryCost * spent.timeCost;
    if (missing <= 0) return;
    const rest = Math.max(Math.round(missing / timeCost), 8 * parallelism);
    const { salt } = this.#decoy;
    await this.#argon2id(password, { memoryCost: rest, timeCost, parallelism, salt, outputLen: HASH_BYTES });
  }

  #isOutdated({ salt, hash, ...cost }: StoredHash): boolean {
    const { memoryCost, timeCost, parallelism } = this.#cost;
    const isCheaper = cost.memoryCost < memoryCost || cost.timeCost < timeCost || cost.parallelism < parallelism;
    return isCheaper || salt.length < SALT_BYTES || hash.length < HASH_BYTES;
  }

  async #inTurn<T>(compute: () => Promise<T>): Promise<T> {
    // Passwords cost a stranger nothing to send: a queue without an end would be memory without an end, and answers that nobody waits for any more.
    const isFull = this.#limit.activeCount >= this.#limit.concurrency && this.#limit.pendingCount >= this.#queue;
    if (isFull) throw new OAuthProxyError("busy");
    return this.#limit(compute);
  }
}

/** Base64 without padding, as PHC strings have it: 8 to 48 bytes of salt, 16 to 64 of hash. */
const PHC =
  /^\$argon2id\$v=19\$m=([1-9]\d{0,9}),t=([1-9]\d{0,9}),p=([1-9]\d{0,9})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,86})$/;

/** Reads a PHC string; `undefined` for everything that could not be computed, or asks for more than anybody should. */
function parsePhc(text: string): StoredHash | undefined {
  const [, memory, time, lanes, salt = "", hash = ""] = PHC.exec(text) ?? [];
  const cost = { memoryCost: Number(memory), timeCost: Number(time), parallelism: Number(lanes) };
  const isWithin = (Object.keys(MOST) as (keyof Argon2Cost)[]).every((name) => cost[name] <= MOST[name]);
  const isBase64 = [salt, hash].every((encoded) => base64(Buffer.from(encoded, "base64")) === encoded);
  // RFC 9106 §3.1: eight blocks of memory for each lane. (No match makes NaN of the numbers, which is within nothing.)
  if (!isWithin || !isBase64 || cost.memoryCost < 8 * cost.parallelism) return undefined;
  return { ...cost, salt: Buffer.from(salt, "base64"), hash: Buffer.from(hash, "base64") };
}

/** @see {@link https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md PHC string format} */
function formatPhc({ memoryCost, timeCost, parallelism, salt, hash }: StoredHash): string {
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${base64(salt)}$${base64(hash)}`;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64").replace(/=+$/, "");

const bytesOf = (password: string): Uint8Array => new TextEncoder().encode(password);

function wholeNumber(option: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new ConfigurationError(option, `must be a whole number from ${least} to ${most}`);
}
