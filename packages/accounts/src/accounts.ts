/** `Accounts`: our own users, as an identity provider among others, with pages of their own and functions for the operator. */

import {
  ConfigurationError,
  type Home,
  KeyRing,
  type Keys,
  mac,
  type OwnPage,
  type OwnPages,
} from "@sallyport/oauth-core/accounts";
import type { ProviderContext, UpstreamProvider } from "@sallyport/oauth-core/upstream";
import { AccountError } from "./account-error.ts";
import { AccountIdentities } from "./account-identities.ts";
import type { AccountParts } from "./account-parts.ts";
import { type AccountsConfig, type AccountsSettings, accountsOptions } from "./accounts-options.ts";
import { Attempts } from "./attempts.ts";
import { type BrowserSession, BrowserSessions } from "./browser-sessions.ts";
import { Directory, type NewUser, type UserChanges } from "./directory.ts";
import { accountEndpoint } from "./endpoints/account.ts";
import { linkedAnswer } from "./endpoints/linked.ts";
import { finishResetEndpoint, resetPasswordEndpoint } from "./endpoints/reset-password.ts";
import { signInEndpoint } from "./endpoints/sign-in.ts";
import { signOutEndpoint } from "./endpoints/sign-out.ts";
import { finishSignUpEndpoint, signUpEndpoint } from "./endpoints/sign-up.ts";
import { FormTokens } from "./form-tokens.ts";
import { KnownBrowsers } from "./known-browsers.ts";
import { type Link, Links } from "./links.ts";
import { parseLogin } from "./login-name.ts";
import { MailTokens } from "./mail-tokens.ts";
import { Mailer } from "./mailer.ts";
import { PasswordHashing } from "./password-hashing.ts";
import { PasswordSignIn } from "./password-sign-in.ts";
import { isUnknownProxy } from "./proxy-watch.ts";
import { SigningOut } from "./signing-out.ts";
import { StoredUsers } from "./stored-users.ts";
import { Tickets } from "./tickets.ts";
import type { User, UserListOptions, UserStore } from "./user-store.ts";

/** A user as an operator sees one: everything but the hash of the password. */
export type Account = Omit<User, "passwordHash"> & {
  /** Whether there is a password to sign in with. */
  readonly hasPassword: boolean;
};

/** One page of them. */
export interface AccountPage {
  readonly accounts: readonly Account[];
  /** Where the next page begins; absent on the last one. */
  readonly cursor?: string | undefined;
}

/**
 * Our own users. Give them to an `OAuthServer`, or to `providers` of any `OAuthProxy` beside others: people then sign in on pages of this server.
 *
 * The functions for operators work from the moment when the server has been constructed.
 *
 * @example
 * ```ts
 * const accounts = new Accounts();
 * const auth = new OAuthServer({ baseUrl: "https://mcp.example.com", secret: process.env.SECRET ?? "", accounts });
 * await accounts.createUser({ username: "alice", password: "correct horse battery staple", roles: ["admin"] });
 * ```
 */
export class Accounts implements UpstreamProvider {
  readonly id = "accounts";
  readonly name: string;
  readonly scopes: readonly string[] = [];
  readonly plainSubjects = true;
  readonly #settings: AccountsSettings;
  #storedUsers: StoredUsers | undefined;
  #isTaken = false;
  #parts: AccountParts | undefined;

  /** @throws {ConfigurationError} naming the option that can't work */
  constructor(config: AccountsConfig = {}) {
    this.#settings = accountsOptions(config);
    this.name = this.#settings.name;
  }

  /**
   * Called once, by the server that these accounts are given to.
   *
   * @throws {ConfigurationError} where another server has them already, and for `passwordHashing` that can't work
   */
  create(context: ProviderContext): AccountIdentities {
    if (this.#isTaken)
      throw new ConfigurationError("accounts", "are another server's already; give each server its own");
    this.#isTaken = true;
    const { runtime, redirectUri: callbackUrl } = context;
    const keys = (purpose: string): Keys => derived(context.keys, purpose);
    const store = this.#settings.users ?? this.#stored(context, keys("login"));
    const hashing = new PasswordHashing(runtime, this.#settings.passwordHashing);
    const links = new Links({
      holders: context.records("link"),
      lists: context.records("links"),
      keys: keys("link"),
      runtime,
    });
    const ring = new KeyRing(keys("ticket"), { randomBytes: runtime.randomBytes });
    const tickets = new Tickets({ ring, runtime });
    const attempts = new Attempts({ collection: context.records("attempts"), keys: keys("attempts"), runtime });
    return new AccountIdentities({
      store,
      links,
      tickets,
      open: (home) => this.#open(home, { context, keys, store, hashing, links, tickets, attempts, callbackUrl }),
    });
  }

  #stored({ records, runtime }: ProviderContext, keys: Keys): StoredUsers {
    this.#storedUsers = new StoredUsers({ users: records("user"), logins: records("login"), keys, runtime });
    return this.#storedUsers;
  }

  #open(home: Home, made: Made): OwnPages {
    const { context, keys, store, hashing, ...rest } = made;
    const { runtime, records } = context;
    const { sessionTtl, sendMail, signUp, mailTtl, clientAddress } = this.#settings;
    const { secure, serverName, observe } = home;
    const directory = new Directory({ store, hashing, runtime, observe, serverName });
    const knownBrowsers = new KnownBrowsers({ keys: keys("known-browser"), runtime, secure });
    const sessions = new BrowserSessions({
      collection: records("session"),
      keys: keys("session"),
      runtime,
      secure,
      sessionTtl,
    });
    const parts: AccountParts = {
      ...rest,
      home,
      runtime,
      directory,
      knownBrowsers,
      sessions,
      passwordSignIn: new PasswordSignIn({ directory, hashing, attempts: made.attempts, knownBrowsers, observe }),
      formTokens: new FormTokens({ keys: keys("form"), runtime, secure }),
      mailTokens: new MailTokens({ collection: records("mail"), runtime, secure, ttl: mailTtl }),
      mailer: new Mailer({ sendMail, serverName, observe, runtime }),
      signingOut: new SigningOut({ directory, sessions, grants: home.grants, observe }),
      signUp,
      mailTtl,
      addressOf: clientAddress ?? this.#addressOf(context.warn),
    };
    this.#parts = parts;
    return { pages: pagesOf(parts), linked: linkedAnswer(parts) };
  }

  /** The connection's address. One address for everybody would let each of them slow down all the others. */
  #addressOf(warn: ProviderContext["warn"]): AccountParts["addressOf"] {
    let warned = false;
    return (request, fromAdapter) => {
      if (!isUnknownProxy(request, fromAdapter)) return fromAdapter;
      if (!warned)
        warn(
          "requests seem to come through a proxy, so that guesses can't be counted by address. Tell the framework to trust it, or set the option clientAddress of Accounts.",
        );
      warned = true;
      return undefined;
    };
  }

  /**
   * Makes a user.
   *
   * @throws {AccountError} with a `reason` that says what can't be used; `login_taken` where somebody has the username or the address
   */
  async createUser(user: NewUser): Promise<Account> {
    return accountOf(await this.#working.directory.create(user, "operator"));
  }

  /** By id; `undefined` where there is none. */
  async findUser(id: string): Promise<Account | undefined> {
    const user = await this.#working.directory.store.find(id);
    return user && accountOf(user);
  }

  /** By what they sign in with, username or address, in whatever form; `undefined` where there is none. */
  async findUserByLogin(login: string): Promise<Account | undefined> {
    const parsed = parseLogin(login);
    const user = parsed && (await this.#working.directory.store.findByLogin(parsed));
    return user && accountOf(user);
  }

  /** Everybody, page by page, in no particular order. @throws {ConfigurationError} naming `tokenStorage`, where it has no `list` */
  async listUsers(options: UserListOptions = {}): Promise<AccountPage> {
    const { users, cursor } = await this.#working.directory.store.list(options);
    return { accounts: users.map(accountOf), ...(cursor === undefined ? {} : { cursor }) };
  }

  /**
   * Changes what is named. Roles and claims get into tokens with the next refresh, at the latest after `accessTokenTtl`; to have them count at once,
   * {@link signOutEverywhere}.
   *
   * @throws {AccountError}
   */
  async updateUser(id: string, changes: UserChanges): Promise<Account> {
    return accountOf(await this.#working.directory.update(id, changes, "operator"));
  }

  /** Sets a password, and signs the person out everywhere. @throws {AccountError} */
  async setPassword(id: string, password: string): Promise<Account> {
    const { directory, signingOut } = this.#working;
    const user = await directory.store.find(id);
    if (user === undefined) throw new AccountError("user_unknown");
    const changed = await directory.storePassword(id, await directory.hashOf(password, user), "operator");
    if (changed === undefined) throw new AccountError("user_unknown");
    await signingOut.clear(changed, "operator");
    return accountOf(changed);
  }

  /** Lets a person in no more, and signs them out everywhere, by whichever way they came in. @throws {AccountError} `user_unknown` */
  async disableUser(id: string): Promise<Account> {
    const { directory, signingOut } = this.#working;
    const user = await directory.setDisabled(id, true);
    await signingOut.clear(user, "operator");
    return accountOf(user);
  }

  /** Lets a disabled person in again. They have to sign in anew. @throws {AccountError} `user_unknown` */
  async enableUser(id: string): Promise<Account> {
    return accountOf(await this.#working.directory.setDisabled(id, false));
  }

  /**
   * Ends every session of a person's browsers and every grant of their applications. What is under way ends as well: no code that is out is redeemed, and no token refreshed.
   * Access tokens count no more, here at once and elsewhere within `revocationCheckTtl`; where the storage can't list, or `linkSubject` gave the person another name, when
   * they expire.
   *
   * @throws {AccountError} `user_unknown`
   */
  async signOutEverywhere(id: string): Promise<Account> {
    return accountOf(await this.#working.signingOut.everywhere(id, "operator"));
  }

  /** The browsers in which a person is signed in; `undefined` where the storage can't list. @throws {AccountError} `user_unknown` */
  async listSessions(id: string): Promise<readonly BrowserSession[] | undefined> {
    const { directory, sessions } = this.#working;
    const user = await directory.store.find(id);
    if (user === undefined) throw new AccountError("user_unknown");
    return sessions.list(user);
  }

  /** Which identities of other providers lead to a person's account. */
  async listLinks(id: string): Promise<readonly Link[]> {
    return this.#working.links.list(id);
  }

  /**
   * Writes everybody again, with the first key of the option `secret`, who still depends on another one. To be called before a secret is taken out of the list, when every
   * process has the new one in front: **what only the old one opens is lost with it.**
   *
   * @returns how many records it wrote
   * @throws {ConfigurationError} naming `tokenStorage`, where it has no `list`
   */
  async reseal(): Promise<number> {
    const { directory, links } = this.#working;
    let written = (await this.#storedUsers?.reseal()) ?? 0;
    let cursor: string | undefined;
    do {
      const page = await directory.store.list({ cursor });
      for (const { id } of page.users) written += await links.reseal(id);
      cursor = page.cursor;
    } while (cursor !== undefined);
    return written;
  }

  /** Fulfilled when the mails that are under way have been handed over: to be awaited before a process ends. */
  async settled(): Promise<void> {
    await this.#working.mailer.settled();
  }

  get #working(): AccountParts {
    if (this.#parts === undefined)
      throw new Error("Give the accounts to a server first: new OAuthServer({ accounts, … }).");
    return this.#parts;
  }
}

/** What is made before it is known where the pages are. */
interface Made extends Pick<AccountParts, "links" | "tickets" | "attempts" | "callbackUrl"> {
  readonly context: ProviderContext;
  readonly keys: (purpose: string) => Keys;
  readonly store: UserStore;
  readonly hashing: PasswordHashing;
}

function pagesOf(parts: AccountParts): readonly OwnPage[] {
  const always = [signInEndpoint(parts), signOutEndpoint(parts), accountEndpoint(parts)];
  const withMail = parts.mailer.works ? [resetPasswordEndpoint(parts), finishResetEndpoint(parts)] : [];
  const withSignUp = parts.signUp ? [signUpEndpoint(parts), finishSignUpEndpoint(parts)] : [];
  return [...always, ...withMail, ...withSignUp];
}

/** Keys of one purpose: what one signs, or hides, is nothing to another. */
function derived([first, ...others]: Keys, purpose: string): Keys {
  return [mac(first, purpose), ...others.map((key) => mac(key, purpose))];
}

function accountOf({ passwordHash, ...user }: User): Account {
  return { ...user, hasPassword: passwordHash !== undefined };
}
