/** Accounts as an identity provider: a sign-in begins on a page of ours, and what that page found out comes back sealed. RFC 6749 §4.1, RFC 7636. */

import { type HasPages, type Home, OAuthProxyError, type OwnPages } from "@sallyport/oauth-core/accounts";
import type {
  Identity,
  IdentityProvider,
  LinkedIdentity,
  OwnAccount,
  OwnAccounts,
  SignIn,
  SignInAnswer,
  UpstreamTokens,
} from "@sallyport/oauth-core/upstream";
import { identityOf } from "./directory.ts";
import type { Links } from "./links.ts";
import type { Tickets } from "./tickets.ts";
import type { User, UserStore } from "./user-store.ts";

export interface AccountIdentitiesOptions {
  readonly store: UserStore;
  readonly links: Links;
  readonly tickets: Tickets;
  /** Makes the pages, once it is known where they are. */
  readonly open: (home: Home) => OwnPages;
}

/** What the engine knows of accounts. */
export class AccountIdentities implements IdentityProvider, HasPages {
  readonly #options: AccountIdentitiesOptions;
  readonly accounts: OwnAccounts;
  #home: Home | undefined;

  constructor(options: AccountIdentitiesOptions) {
    this.#options = options;
    this.accounts = {
      linkedWith: (identity) => this.#linkedWith(identity),
      standing: (account, linked) => this.#standing(account, linked),
    };
  }

  /** Our own. */
  get origin(): string | undefined {
    return this.#home?.origin;
  }

  open(home: Home): OwnPages {
    this.#home = home;
    return this.#options.open(home);
  }

  begin({ state, codeChallenge, formTarget, expiresAt }: SignIn): string {
    if (this.#home === undefined) throw new Error("the pages are not open");
    const request = this.#options.tickets.request({ state, codeChallenge, formTarget, expiresAt });
    return `${this.#home.url}/sign-in?request=${request}`;
  }

  checkIssuer(): void {
    // Nobody else's answer opens: nothing is taken from a party that could be taken for another.
  }

  async complete({ code, codeVerifier }: SignInAnswer): Promise<Identity> {
    const ticket = this.#options.tickets.open(code, codeVerifier);
    if (ticket === undefined) throw new OAuthProxyError("sign_in_refused");
    const user = await this.#options.store.find(ticket.userId);
    // Disabled or signed out everywhere since the page.
    if (!isStanding(user, ticket.epoch)) throw new OAuthProxyError("account_barred");
    return identityOf(user);
  }

  /** There are no tokens that could be refreshed; see {@link OwnAccounts.standing}. */
  refresh(_tokens: UpstreamTokens): Promise<Identity> {
    return Promise.reject(new OAuthProxyError("upstream_invalid_grant"));
  }

  async revoke(_tokens: UpstreamTokens): Promise<void> {
    // There are none.
  }

  async #linkedWith(identity: LinkedIdentity): Promise<Identity | undefined> {
    const { links, store } = this.#options;
    const userId = await links.find(identity);
    if (userId === undefined) return undefined;
    const user = await store.find(userId);
    // Whoever linked it meant to be that person and no other: with a disabled account they are not somebody new.
    if (user === undefined || user.disabled) throw new OAuthProxyError("account_barred");
    return identityOf(user);
  }

  async #standing({ id, epoch }: OwnAccount, linked: LinkedIdentity | undefined): Promise<Identity | undefined> {
    const { links, store } = this.#options;
    const [user, holder] = await Promise.all([store.find(id), linked === undefined ? id : links.find(linked)]);
    return isStanding(user, epoch) && holder === id ? identityOf(user) : undefined;
  }
}

function isStanding(user: User | undefined, epoch: number): user is User {
  return user !== undefined && !user.disabled && user.epoch === epoch;
}
