/** Whose is which username and which address: a record for each, under a name that only a key leads to. RFC 2104. */

import { type Collection, type Entry, type Keys, mac, type Runtime } from "@sallyport/oauth-core/accounts";
import { holds, type UserRecord, userOf } from "./user-record.ts";
import type { Login } from "./user-store.ts";

/**
 * Who has a name, or is about to: `by` is another one with each write, so that no two records are equal; `at` is when, in seconds since 1970.
 * A name that was let go is `free` for the second until its record expires.
 */
export type LoginRecord = { readonly id: string; readonly by: string; readonly at: number } | { readonly free: string };

/** What the index is made of. */
export interface LoginIndexOptions {
  readonly users: Collection<UserRecord>;
  readonly logins: Collection<LoginRecord>;
  /** The keys of the names: a login is recorded under each, so that processes which were given them in another order meet. */
  readonly keys: Keys;
  readonly runtime: Pick<Runtime, "now" | "pause" | "randomBytes">;
}

/** Where a login is recorded. */
export interface Place {
  readonly key: string;
  readonly login: Login;
}

/** A record in its place, exactly as it was read. */
export interface Holding {
  readonly place: Place;
  readonly entry: Entry<LoginRecord>;
}

/** After this a name that nobody has, though somebody was about to, may be taken by others. */
const ABANDONED_SECONDS = 60;
/** For how long a name is waited for that somebody is about to have. */
const LOOKS = 80;
const PAUSE_MS = 25;

/** The places of all logins. Finding is here; taking is done by {@link LoginClaims}. */
export class LoginIndex {
  readonly options: LoginIndexOptions;

  constructor(options: LoginIndexOptions) {
    this.options = options;
  }

  /** One place for each key, that of the first key first. */
  placesOf(login: Login): readonly [Place, ...Place[]] {
    const [first, ...rest] = this.options.keys;
    return [placeUnder(first, login), ...rest.map((key) => placeUnder(key, login))];
  }

  /** The ids that are recorded for a login. Whether it is theirs, only their own records say. */
  async idsOf(login: Login): Promise<readonly string[]> {
    const entries = await Promise.all(this.placesOf(login).map(({ key }) => this.options.logins.get(key)));
    return [...new Set(entries.flatMap((entry) => (isHeld(entry) ? [entry.value.id] : [])))];
  }

  /** Whether the login is recorded for that id under the first key, and sealed with a key that seals. */
  async isCurrent(login: Login, id: string): Promise<boolean> {
    const entry = await this.options.logins.get(this.placesOf(login)[0].key);
    return isHeld(entry) && entry.value.id === id && entry.outdated !== true;
  }

  /** The records of logins that an account is about to let go. */
  async held(logins: readonly Login[], id: string): Promise<readonly Holding[]> {
    const places = logins.flatMap((login) => this.placesOf(login));
    const entries = await Promise.all(places.map(async (place) => ({ place, entry: await this.#get(place) })));
    return entries.flatMap(({ place, entry }) => (isHeld(entry) && entry.value.id === id ? [{ place, entry }] : []));
  }

  /**
   * Lets names go, each only where its record still is the one that was read.
   *
   * Nothing depends on it: what is left behind says no more than that somebody once had the name, and is taken over by whoever wants it. A
   * storage that fails now must not turn an answer that is true already into an error.
   */
  async free(holdings: readonly Holding[]): Promise<void> {
    const { logins } = this.options;
    await Promise.allSettled(
      holdings.map(({ place, entry }) => logins.replace(place.key, entry, { free: this.nonce() }, 1)),
    );
  }

  nonce(): string {
    return Buffer.from(this.options.runtime.randomBytes(12)).toString("base64url");
  }

  #get({ key }: Place): Promise<Entry<LoginRecord> | undefined> {
    return this.options.logins.get(key);
  }
}

/**
 * The names that one call claims for one account, until the account's own record says that they are its.
 *
 * That record alone decides: a name is somebody's where both agree. So a name may be taken over from whoever claimed it and got stuck, once it is
 * certain that they can't go on: their record is written anew, or marked, first, and what they do next fails. Always in this order, on which all
 * depends: the name's record is read, then the account's; the account's is written, and then the name's, each only where it still is what was read.
 */
export class LoginClaims {
  readonly #index: LoginIndex;
  readonly #id: string;
  /** Every record that this call has written, by its place: what is to be undone where the call fails. */
  readonly #written = new Map<string, { readonly place: Place; readonly by: string }>();

  constructor(index: LoginIndex, id: string) {
    this.#index = index;
    this.#id = id;
  }

  /**
   * Claims a place, or claims it again: whoever reads the account anew has to, because their claim may have been taken over before. `false`: it is
   * another account's, or somebody is about to have it for longer than is waited for.
   */
  async take(place: Place): Promise<boolean> {
    const { logins, runtime } = this.#index.options;
    for (let look = 0; look < LOOKS; look += 1) {
      const record = { id: this.#id, by: this.#index.nonce(), at: runtime.now() };
      const written = (): true => {
        this.#written.set(place.key, { place, by: record.by });
        return true;
      };
      if (await logins.claim(place.key, record)) return written();

      const entry = await logins.get(place.key);
      // Gone meanwhile, or not to be read: what can't be read is not given away.
      if (entry === undefined) continue;
      const verdict = isHeld(entry) ? await this.#verdictOn(place, entry) : "free";
      if (verdict === "taken") return false;
      if (verdict === "wait") await runtime.pause(PAUSE_MS);
      else if (verdict !== "again" && (await logins.replace(place.key, entry, record)))
        // What another call for the same account claimed may be its still: it is never let go by this one.
        return verdict === "shared" || written();
    }
    return false;
  }

  /** Lets go of whatever was claimed, except where the account has it by now. */
  async release(): Promise<void> {
    const { users } = this.#index.options;
    const undone = [...this.#written.values()].map(async ({ place, by }) => {
      const entry = await this.#index.options.logins.get(place.key);
      if (!isHeld(entry) || entry.value.by !== by) return;
      if (!holds(userOf(await users.get(this.#id)), place.login)) await this.#index.free([{ place, entry }]);
    });
    await Promise.allSettled(undone);
  }

  async #verdictOn(place: Place, { value }: Entry<Held>): Promise<"free" | "shared" | "taken" | "wait" | "again"> {
    const { users, runtime } = this.#index.options;
    const owner = await users.get(value.id);
    if (holds(userOf(owner), place.login)) return value.id === this.#id ? "free" : "taken";
    if (value.by === this.#written.get(place.key)?.by) return "free";
    if (runtime.now() - value.at < ABANDONED_SECONDS) return "wait";
    // A sign-up under the very id that this one is for: whichever comes first gets the id, and the name with it.
    if (owner === undefined && value.id === this.#id) return "shared";
    return (await this.#stop(value.id, owner)) ? "free" : "again";
  }

  /** Makes sure that whoever claimed a name for that account can't go on. */
  async #stop(id: string, owner: Entry<UserRecord> | undefined): Promise<boolean> {
    const { users } = this.#index.options;
    if (owner === undefined) return (await users.claim(id, { abandoned: true })) !== undefined;
    if ("abandoned" in owner.value) return true;
    return (await users.replace(id, owner, { ...owner.value, mark: this.#index.nonce() })) !== undefined;
  }
}

type Held = Extract<LoginRecord, { readonly id: string }>;

function isHeld(entry: Entry<LoginRecord> | undefined): entry is Entry<Held> {
  return entry !== undefined && "id" in entry.value;
}

/** Keyed, because a dump of the storage could be searched for people by trying names otherwise. */
function placeUnder(key: Uint8Array, login: Login): Place {
  const [kind, name] = "username" in login ? ["username", login.username] : ["email", login.email];
  return { key: Buffer.from(mac(key, kind, name)).toString("base64url"), login };
}
