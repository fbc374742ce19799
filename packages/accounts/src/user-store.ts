/** The port behind which users are kept: in the server's own storage, or in a table that an application has already. */

/** A person with an account of ours, as a store keeps them. */
export interface User {
  /** Names the account for good, and is the `sub` of its tokens: 1 to 128 of `A` to `Z`, `a` to `z`, digits, `.`, `_`, `~` and `-`. Never given to anybody else. */
  readonly id: string;
  /** What they sign in with, in normal form; without an `@`. At least one of `username` and `email` is there. */
  readonly username?: string | undefined;
  /** What they may sign in with as well, in normal form. */
  readonly email?: string | undefined;
  /** Whether they have shown that mail to it reaches them, or an operator said so. */
  readonly emailVerified: boolean;
  /** What they are called on pages and in tokens. */
  readonly name?: string | undefined;
  /** The password's Argon2id hash as a PHC string, parameters and salt included; absent where there is no password to sign in with. */
  readonly passwordHash?: string | undefined;
  readonly roles: readonly string[];
  /** Further claims for tokens, as JSON can carry them. What a protocol has a meaning for never gets into one. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly disabled: boolean;
  /** How often they have been signed out everywhere: what was begun under an earlier number counts no more. */
  readonly epoch: number;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** Counts the updates; the store raises it by one with each. */
  readonly version: number;
}

/** What somebody types to sign in, in normal form. Text with an `@` is an address, and anything else a username. */
export type Login = { readonly username: string } | { readonly email: string };

/** One page of users. */
export interface UserPage {
  readonly users: readonly User[];
  /** Where the next page begins; absent on the last one. */
  readonly cursor?: string | undefined;
}

/** Which page. */
export interface UserListOptions {
  /** The `cursor` of the page before; absent for the first page. */
  readonly cursor?: string | undefined;
  /** How many users a page aims at. A page may have fewer, or none, and still name a cursor. Default: the store's own. */
  readonly limit?: number | undefined;
}

/**
 * Where users are kept.
 *
 * - **Ids, usernames and addresses are each unique**, compared as they stand: whoever calls has normalised them.
 * - **Races are decided**: of any number of simultaneous `create` with one id, username or address, over any number of processes, exactly one is told
 *   `created`, and so with names that `update` brings; of any number of `update` from one version exactly one is told `updated`. Whoever is told
 *   anything else has changed nothing, and stands in the way of nobody who wanted one of the same names at the same moment.
 * - **What was written is read**, by every process, from the moment the promise is fulfilled; a user read is equal, as JSON, to the one
 *   written, but for `version`, and no object that anybody holds.
 * - **An unreachable store rejects**, and may have done what it was asked for all the same. It never answers that somebody is absent: a disabled person would be let in, or a name be given away twice.
 *
 * `userStoreContract` of `@sallyport/contracts/users` proves each of these sentences on any implementation.
 */
export interface UserStore {
  /** By the account's id. */
  find(id: string): Promise<User | undefined>;
  /** By what they sign in with. */
  findByLogin(login: Login): Promise<User | undefined>;
  /** Stores a new user as given, with `version` 0. `taken`: the id, the username or the address is somebody's. */
  create(user: User): Promise<"created" | "taken">;
  /**
   * Stores `user` with the next version, where the stored version still is `user.version`. `stale`: it is another one, or there is no such user; read again and
   * decide again. `taken`: the new username or address is somebody else's. Names that stay are never `taken`.
   */
  update(user: User): Promise<"updated" | "stale" | "taken">;
  /** Everybody, page by page. Who is there during the whole walk appears once. For operators: no request waits for it. */
  list(options?: UserListOptions): Promise<UserPage>;
}
