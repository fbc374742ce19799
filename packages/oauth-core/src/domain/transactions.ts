/** One authorization in flight, from the client's request to the upstream's answer. RFC 9700 §4.4, §4.7. */

import { OAuthProxyError } from "../protocol/errors.ts";
import { s256 } from "../protocol/pkce.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection } from "../state/collection.ts";
import { digest } from "../state/digest.ts";
import { type OfferedProvider, UNNAMED_PROVIDER } from "./identity-providers.ts";
import { type Keys, sign, verify } from "./keys.ts";

/** What was asked for, as it was checked when it was asked; nothing that a browser posts later changes it. */
export interface Transaction {
  readonly clientId: string;
  readonly redirectUri: string;
  /** The client's own `state`, if it sent one. */
  readonly clientState: string | undefined;
  readonly codeChallenge: string;
  /** What is asked of the upstream; where there is a choice, what may be asked of any of them. */
  readonly scope: readonly string[];
  /** What is asked of which provider, where there is a choice. */
  readonly scopeBy?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Nobody has to be asked for consent: by the operator's word, for all clients or for this one. */
  readonly unasked?: true | undefined;
  /** What is granted by us. */
  readonly resourceScope: readonly string[];
  readonly resources: readonly string[];
  /** Our own verifier towards the upstream; absent where the client's challenge is forwarded. RFC 7636 §4.1. */
  readonly codeVerifier: string | undefined;
  /** Binds the upstream's ID token to this transaction. OpenID Connect Core §3.1.2.1. */
  readonly nonce: string;
  readonly expiresAt: number;
  readonly traceId: string;
}

/** A transaction and its two names: `id` stands in the consent form, `state` goes upstream in the form of {@link Transactions.stateFor} and exists only for who approved. */
export interface NamedTransaction {
  readonly id: string;
  readonly state: string;
  readonly transaction: Transaction;
}

export interface TransactionsOptions {
  readonly collection: Collection<Transaction>;
  /** Markers of transactions that have been finished. */
  readonly finished: Collection<true>;
  readonly keys: Keys;
  readonly runtime: Runtime;
  /** Seconds. */
  readonly transactionTtl: number;
}

const ID = /^[A-Za-z0-9_-]{43}$/;

/**
 * The transactions of one server.
 *
 * The `state` is a MAC over the random id: 256 bits that nobody can know before this server has sent them upstream, which it only does after approval,
 * and that need not be stored a second time.
 */
export class Transactions {
  readonly #options: TransactionsOptions;

  constructor(options: TransactionsOptions) {
    this.#options = options;
  }

  /** Keeps what was asked for. One write. */
  async begin(
    asked: Omit<Transaction, "codeVerifier" | "nonce" | "expiresAt">,
    forwardPkce: boolean,
  ): Promise<NamedTransaction> {
    const { runtime, collection, keys, transactionTtl } = this.#options;
    const random = () => Buffer.from(runtime.randomBytes(32)).toString("base64url");
    const id = random();
    const transaction: Transaction = {
      ...asked,
      codeVerifier: forwardPkce ? undefined : random(),
      nonce: random(),
      expiresAt: runtime.now() + transactionTtl,
    };
    const state = stateOf(keys, id);
    await collection.save(digest(state), transaction, transactionTtl);
    return { id, state, transaction };
  }

  /** By the name in the consent form. @throws {OAuthProxyError} `transaction_unknown` */
  async byId(id: string | undefined): Promise<NamedTransaction> {
    if (id === undefined || !ID.test(id)) throw new OAuthProxyError("transaction_unknown");
    // Keys may have been rotated while the page was open.
    const [first, ...older] = this.#options.keys;
    for (const key of [first, ...older]) {
      const state = stateOf([key], id);
      const transaction = await this.#get(state);
      if (transaction !== undefined) return { id, state, transaction };
    }
    throw new OAuthProxyError("transaction_unknown");
  }

  /** By the `state` that came back from the upstream. @throws {OAuthProxyError} `transaction_unknown` */
  async byState(state: string): Promise<Transaction> {
    const transaction = await this.#get(state);
    if (transaction === undefined) throw new OAuthProxyError("transaction_unknown");
    return transaction;
  }

  /**
   * Finishes a transaction; of any number of simultaneous callers exactly one does.
   *
   * Called before the upstream's code is redeemed, so that a second callback can't redeem it again.
   *
   * @throws {OAuthProxyError} `transaction_used`
   */
  async finish(state: string): Promise<void> {
    if (!(await this.#options.finished.claim(digest(state), true, this.#options.transactionTtl))) {
      throw new OAuthProxyError("transaction_used");
    }
  }

  /**
   * The `state` for one provider. RFC 9700 §4.4: each of several gets one of its own, so that none of them can answer in another's name, not even for a person
   * who went back and chose anew.
   */
  stateFor({ state }: Pick<NamedTransaction, "state">, providerId: string): string {
    return providerId === UNNAMED_PROVIDER
      ? state
      : `${state}.${sign(this.#options.keys, "state-for", state, providerId)}`;
  }

  /** The transaction's own state, of one that came back to a provider's callback; `undefined` for one that was not made for it. Reads nothing. */
  stateOf(answered: string, providerId: string): string | undefined {
    if (providerId === UNNAMED_PROVIDER) return answered;
    const [state = "", proof = ""] = answered.split(".", 2);
    return verify(this.#options.keys, proof, "state-for", state, providerId) ? state : undefined;
  }

  /** What is asked of a provider; what is left where it came after the transaction began. */
  scopeFor({ scope, scopeBy }: Transaction, { id, scopes }: Pick<OfferedProvider, "id" | "scopes">): readonly string[] {
    const asked = scopeBy !== undefined && Object.hasOwn(scopeBy, id) ? scopeBy[id] : undefined;
    return asked ?? scope.filter((word) => scopes.includes(word));
  }

  /** The challenge that goes upstream: of our own verifier, or the client's own. */
  challengeOf(transaction: Transaction): string {
    return transaction.codeVerifier === undefined ? transaction.codeChallenge : s256(transaction.codeVerifier);
  }

  async #get(state: string): Promise<Transaction | undefined> {
    const transaction = (await this.#options.collection.get(digest(state)))?.value;
    if (transaction === undefined || transaction.expiresAt + CLOCK_SKEW < this.#options.runtime.now()) return undefined;
    return transaction;
  }
}

/** How far the clock of the process that began a transaction may be off; the storage's expiry is exact. */
const CLOCK_SKEW = 60;

function stateOf(keys: Keys, id: string): string {
  return sign(keys, "state", id);
}
