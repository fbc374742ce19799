/** Users in the server's own storage: each in one sealed record, found by names that only a key leads to. */

import type { Collection, Entry, Keys, Runtime } from "@sallyport/oauth-core/accounts";
import { LoginClaims, LoginIndex, type LoginRecord, type Place } from "./login-index.ts";
import { holds, loginsOf, type UserRecord, userOf } from "./user-record.ts";
import type { Login, User, UserListOptions, UserPage, UserStore } from "./user-store.ts";

/** What stored users are made of. */
export interface StoredUsersOptions {
  /** The users, by id. */
  readonly users: Collection<UserRecord>;
  /** Whose is which username and address. */
  readonly logins: Collection<LoginRecord>;
  /** The keys of usernames and addresses: the first and all others record them. One that is taken away takes with it whoever was not resealed before. */
  readonly keys: Keys;
  readonly runtime: Pick<Runtime, "now" | "pause" | "randomBytes">;
}

const ID = /^[A-Za-z0-9._~-]{1,128}$/;
const LARGEST_PAGE = 1000;
const DEFAULT_PAGE = 100;

/**
 * Users behind any storage that decides races; no transaction is asked of it.
 *
 * A lookup by login is two round trips, whether there is such a user or not. An update that changes no name is two as well.
 */
export class StoredUsers implements UserStore {
  readonly #users: Collection<UserRecord>;
  readonly #index: LoginIndex;

  constructor(options: StoredUsersOptions) {
    this.#users = options.users;
    this.#index = new LoginIndex(options);
  }

  async find(id: string): Promise<User | undefined> {
    return userOf(await this.#users.get(id));
  }

  async findByLogin(login: Login): Promise<User | undefined> {
    const ids = await this.#index.idsOf(login);
    // For nobody a user is read as well, who is not there: as many round trips, so that their number tells nobody which logins exist.
    const read = ids.length === 0 ? [this.#index.placesOf(login)[0].key] : ids;
    const users = await Promise.all(read.map((id) => this.find(id)));
    return users.find((user) => holds(user, login));
  }

  /** @throws {TypeError} for an id that is none, and for a user without username and address */
  async create(user: User): Promise<"created" | "taken"> {
    assertUser(user);
    const claims = new LoginClaims(this.#index, user.id);
    if ((await this.#take(claims, loginsOf(user))) && (await this.#users.claim(user.id, this.#record(user, 0))))
      return "created";
    await claims.release();
    return "taken";
  }

  /** @throws {TypeError} for an id that is none, and for a user without username and address */
  async update(user: User): Promise<"updated" | "stale" | "taken"> {
    assertUser(user);
    const claims = new LoginClaims(this.#index, user.id);
    for (;;) {
      const entry = await this.#users.get(user.id);
      const before = userOf(entry);
      const current = entry !== undefined && before?.version === user.version;
      const outcome = current ? await this.#write(claims, entry, user, user.version + 1) : "stale";
      if (outcome === "again") continue;
      if (outcome !== "updated") await claims.release();
      return outcome;
    }
  }

  /**
   * Pages of the storage's `list`, and one read for each name on it.
   *
   * @throws {ConfigurationError} naming `tokenStorage`, where the storage has no `list`
   * @throws {RangeError} for a limit that is not from 1 to 1000
   */
  async list({ cursor, limit = DEFAULT_PAGE }: UserListOptions = {}): Promise<UserPage> {
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= LARGEST_PAGE))
      throw new RangeError(`limit: has to be a whole number from 1 to ${LARGEST_PAGE}.`);
    const page = await this.#users.list("", { cursor, limit });
    const users = await Promise.all(page.ids.map((id) => this.find(id)));
    return {
      users: users.filter((user) => user !== undefined),
      ...(page.cursor === undefined ? {} : { cursor: page.cursor }),
    };
  }

  /**
   * Seals and records everybody with the first key who still depends on another one, and says how many that were. Versions stay.
   *
   * To be called before a key is taken away, when every process has the new one in front. Whoever is changed meanwhile is not lost.
   *
   * @throws {ConfigurationError} naming `tokenStorage`, where the storage has no `list`
   */
  async reseal(): Promise<number> {
    let resealed = 0;
    let cursor: string | undefined;
    do {
      const page = await this.#users.list("", { cursor, limit: DEFAULT_PAGE });
      for (const id of page.ids) if (await this.#reseal(id)) resealed += 1;
      cursor = page.cursor;
    } while (cursor !== undefined);
    return resealed;
  }

  async #reseal(id: string): Promise<boolean> {
    for (;;) {
      const entry = await this.#users.get(id);
      const user = userOf(entry);
      if (entry === undefined || user === undefined) return false;
      const current = await Promise.all(loginsOf(user).map((login) => this.#index.isCurrent(login, id)));
      if (entry.outdated !== true && current.every(Boolean)) return false;

      const claims = new LoginClaims(this.#index, id);
      if ((await this.#write(claims, { ...entry, outdated: true }, user, user.version)) === "updated") return true;
      // Somebody has written there meanwhile, and names that were recorded just now may have been let go by it.
      await claims.release();
    }
  }

  /** One attempt to write `user` over `entry`. `again`: somebody has written there meanwhile. */
  async #write(
    claims: LoginClaims,
    entry: Entry<UserRecord>,
    user: User,
    version: number,
  ): Promise<"updated" | "taken" | "again"> {
    const before = userOf(entry);
    const gained = loginsOf(user).filter((login) => !holds(before, login));
    if (!(await this.#take(claims, gained))) return "taken";
    // Names that stay are recorded under keys that came after them. Whether that can be done decides nothing: nobody's disabling waits for a name.
    if (entry.outdated === true) for (const place of this.#placesOf(loginsOf(user))) await claims.take(place);

    const lost = before === undefined ? [] : loginsOf(before).filter((login) => !holds(user, login));
    const holdings = await this.#index.held(lost, user.id);
    if (!(await this.#users.replace(user.id, entry, this.#record(user, version)))) return "again";
    await this.#index.free(holdings);
    return "updated";
  }

  async #take(claims: LoginClaims, logins: readonly Login[]): Promise<boolean> {
    for (const place of this.#placesOf(logins)) if (!(await claims.take(place))) return false;
    return true;
  }

  /** In an order that is the same for everybody: of those who want the same names one gets all of theirs, and nobody waits in a circle. */
  #placesOf(logins: readonly Login[]): readonly Place[] {
    return logins.flatMap((login) => this.#index.placesOf(login)).sort(byKey);
  }

  #record(user: User, version: number): UserRecord {
    return { user: { ...user, version }, mark: this.#index.nonce() };
  }
}

function byKey(left: Place, right: Place): number {
  return left.key < right.key ? -1 : 1;
}

function assertUser({ id, username, email }: User): void {
  if (!ID.test(id)) throw new TypeError("id: has to be 1 to 128 letters, digits, `.`, `_`, `~` and `-`.");
  if (username === undefined && email === undefined) throw new TypeError("username: has to be there, or an email.");
}
