/** One authorization in flight, from the client's request to the upstream's answer. RFC 9700 §4.4, §4.7. */

import { OAuthProxyError } from "../protocol/errors.ts";
import { s256 } from "../protocol/pkce.ts";
import type { Runtime } from "../runtime.ts";
import type { Collection } from "../state/collection.ts";
import { digest } from "../state/digest.ts";
import { type OfferedProvider, UNNAMED_PROVIDER } from "./identity-providers.ts";
import { type Keys, sign, verify } from "./keys.ts";

/** The way to an identity provider and back. */
interface Errand {
  /** What is asked of the upstream; where there is a choice, what may be asked of any of them. */
  readonly scope: readonly string[];
  /** What is asked of which provider, where there is a choice. */
  readonly scopeBy?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Our own verifier towards the upstream; absent where the client's challenge is forwarded. RFC 7636 §4.1. */
  readonly codeVerifier: string | undefined;
  /** Binds the upstream's ID token to this transaction. OpenID Connect Core §3.1.2.1. */
  readonly nonce: string;
  readonly expiresAt: number;
  readonly traceId: string;
}

/** Somebody who is signed in to an account of ours shows that an identity elsewhere is theirs too. No client has asked for it, and none hears of it. */
export interface LinkTransaction extends Errand {
  readonly codeVerifier: string;
  /** What the accounts need to know when the person comes back. */
  readonly link: string;
}

/** What was asked for, as it was checked when it was asked; nothing that a browser posts later changes it. */
export interface Transaction extends Errand {
  readonly clientId: string;
  readonly redirectUri: string;
  /** The client's own `state`, if it sent one. */
  readonly clientState: string | undefined;
  readonly codeChallenge: string;
  /** Nobody has to be asked for consent: by the operator's word, for all clients or for this one. */
  readonly unasked?: true | undefined;
  /** What is granted by us. */
  readonly resourceScope: readonly string[];
  readonly resources: readonly string[];
}

/** A transaction and its two names: `id` stands in the consent form, `state` goes upstream in the form of {@link Transactions.stateFor} and exists only for who approved. */
export interface NamedTransaction<T extends Errand = Transaction> {
  readonly id: string;
  readonly state: string;
  readonly transaction: T;
}

export interface TransactionsOptions {
  readonly collection: Collection<Transaction | LinkTransaction>;
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
    return this.#keep({ ...asked, ...this.#errand(), ...(forwardPkce ? { codeVerifier: undefined } : {}) });
  }

  /** Begins the way to a provider whose answer is for an account of ours. One write. */
  async beginLink(
    asked: Omit<LinkTransaction, "codeVerifier" | "nonce" | "expiresAt">,
  ): Promise<NamedTransaction<LinkTransaction>> {
    return this.#keep({ ...asked, ...this.#errand() });
  }

  #random(): string {
    return Buffer.from(this.#options.runtime.randomBytes(32)).toString("base64url");
  }

  #errand(): { codeVerifier: string; nonce: string; expiresAt: number } {
    const { runtime, transactionTtl } = this.#options;
    return { codeVerifier: this.#random(), nonce: this.#random(), expiresAt: runtime.now() + transactionTtl };
  }

  async #keep<T extends Transaction | LinkTransaction>(transaction: T): Promise<NamedTransaction<T>> {
    const { collection, keys, transactionTtl } = this.#options;
    const id = this.#random();
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
      // No form was ever made for a link.
      if (transaction !== undefined && !isLink(transaction)) return { id, state, transaction };
    }
    throw new OAuthProxyError("transaction_unknown");
  }

  /** By the `state` that came back from the upstream. @throws {OAuthProxyError} `transaction_unknown` */
  async byState(state: string): Promise<Transaction | LinkTransaction> {
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
  scopeFor(
    { scope, scopeBy }: Pick<Errand, "scope" | "scopeBy">,
    { id, scopes }: Pick<OfferedProvider, "id" | "scopes">,
  ): readonly string[] {
    const asked = scopeBy !== undefined && Object.hasOwn(scopeBy, id) ? scopeBy[id] : undefined;
    return asked ?? scope.filter((word) => scopes.includes(word));
  }

  /** The challenge that goes upstream: of our own verifier, or the client's own. */
  challengeOf(transaction: Transaction | LinkTransaction): string {
    if (isLink(transaction)) return s256(transaction.codeVerifier);
    return transaction.codeVerifier === undefined ? transaction.codeChallenge : s256(transaction.codeVerifier);
  }

  async #get(state: string): Promise<Transaction | LinkTransaction | undefined> {
    const transaction = (await this.#options.collection.get(digest(state)))?.value;
    if (transaction === undefined || transaction.expiresAt + CLOCK_SKEW < this.#options.runtime.now()) return undefined;
    return transaction;
  }
}

/** Whether no client waits at the end of it. */
export function isLink(transaction: Transaction | LinkTransaction): transaction is LinkTransaction {
  return "link" in transaction;
}

/** How far the clock of the process that began a transaction may be off; the storage's expiry is exact. */
const CLOCK_SKEW = 60;

function stateOf(keys: Keys, id: string): string {
  return sign(keys, "state", id);
}
