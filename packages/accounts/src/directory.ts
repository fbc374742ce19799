/** The users of one server: how they come to be, how they change, and that nobody changes them at the same time as somebody else. */

import { type AccountActor, OAuthProxyError, type Observe, type Runtime } from "@sallyport/oauth-core/accounts";
import type { Claims, Identity } from "@sallyport/oauth-core/upstream";
import { AccountError } from "./account-error.ts";
import { isGuessable } from "./common-passwords.ts";
import { normalizeDisplayName, normalizeEmail, normalizeUsername } from "./login-name.ts";
import type { PasswordHashing } from "./password-hashing.ts";
import { normalizePassword } from "./password-text.ts";
import type { User, UserStore } from "./user-store.ts";

/** A user to be. */
export interface NewUser {
  /** What they sign in with, 1 to 64 characters; compared without case. At least one of `username` and `email` is needed. */
  readonly username?: string | undefined;
  /** What they may sign in with as well, and where mail for a forgotten password goes. */
  readonly email?: string | undefined;
  /** Whether the address is known to be theirs. Default: false; a reset of the password shows it. */
  readonly emailVerified?: boolean | undefined;
  /** What they are called on pages and in tokens, 1 to 100 characters. */
  readonly name?: string | undefined;
  /** 8 to 256 characters. Without one, and with an address, they set it by "Forgot your password?". */
  readonly password?: string | undefined;
  /** What `requireRole` looks at. */
  readonly roles?: readonly string[] | undefined;
  /** Further claims for tokens. Protected ones (`sub`, `scope`, …) never get into one. */
  readonly claims?: Claims | undefined;
}

/** What may be changed of a user; what is left out stays. */
export type UserChanges = Pick<NewUser, "username" | "email" | "emailVerified" | "name" | "roles" | "claims">;

export interface DirectoryOptions {
  readonly store: UserStore;
  readonly hashing: PasswordHashing;
  readonly runtime: Runtime;
  readonly observe: Observe;
  /** What nobody's password should be made of. */
  readonly serverName: string;
}

/** Rounds of compare-and-swap after which something is wrong. */
const ATTEMPTS = 32;
const MOST_ROLES = 100;
const MOST_CLAIMS_BYTES = 4096;

/** The users of one server. */
export class Directory {
  readonly #options: DirectoryOptions;

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  get store(): UserStore {
    return this.#options.store;
  }

  /** @throws {AccountError} */
  async create(given: NewUser, by: AccountActor): Promise<User> {
    return this.add(await this.prepare(given), by);
  }

  /** A user to be, checked and with a hash. Nothing is stored. @throws {AccountError} */
  async prepare({ password, ...given }: NewUser): Promise<User> {
    const { runtime } = this.#options;
    const profile = profileOf(given);
    if (profile.username === undefined && profile.email === undefined) throw new AccountError("login_missing");
    return {
      roles: [],
      claims: {},
      emailVerified: false,
      ...profile,
      id: Buffer.from(runtime.randomBytes(16)).toString("base64url"),
      ...(password === undefined ? {} : { passwordHash: await this.hashOf(password, profile) }),
      disabled: false,
      epoch: 0,
      createdAt: runtime.now(),
      version: 0,
    };
  }

  /** Stores who was prepared. @throws {AccountError} `login_taken` */
  async add(user: User, by: AccountActor): Promise<User> {
    const { store, observe } = this.#options;
    if ((await store.create(user)) === "taken") throw new AccountError("login_taken");
    observe({ type: "account.created", subject: user.id, by });
    return user;
  }

  /**
   * Changes a user, as they are or as somebody else has changed them meanwhile. `change` may be called several times.
   *
   * @throws {AccountError} `user_unknown`, `login_taken`, and what `change` throws
   */
  async change(id: string, change: (user: User) => User): Promise<User> {
    const { store } = this.#options;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const user = await store.find(id);
      if (user === undefined) throw new AccountError("user_unknown");
      const changed = change(user);
      if (changed === user) return user;
      const outcome = await store.update(changed);
      if (outcome === "taken") throw new AccountError("login_taken");
      if (outcome === "updated") return { ...changed, version: changed.version + 1 };
    }
    throw new OAuthProxyError("storage_unavailable");
  }

  /** @throws {AccountError} */
  async update(id: string, changes: UserChanges, by: AccountActor): Promise<User> {
    const profile = profileOf(changes);
    const user = await this.change(id, (before) => {
      const after = { ...before, ...profile };
      if (after.username === undefined && after.email === undefined) throw new AccountError("login_missing");
      // A word about an address is a word about that address and no other.
      return after.email === before.email || "emailVerified" in profile ? after : { ...after, emailVerified: false };
    });
    const what = [
      "roles" in profile && "roles",
      Object.keys(profile).some((name) => name !== "roles") && "profile",
    ] as const;
    this.#options.observe({ type: "account.changed", subject: id, by, what: what.filter((each) => each !== false) });
    return user;
  }

  /** The hash of a password that this person may have. @throws {AccountError} `password_…` */
  async hashOf(password: string, person: Pick<NewUser, "username" | "email" | "name">): Promise<string> {
    return this.#options.hashing.hash(this.acceptPassword(password, person));
  }

  /**
   * Gives a person another password, and raises their epoch: whoever knew the old one is out.
   *
   * @param allow what the person may be changed from, and to; `undefined` where it must not be done any more
   * @returns `undefined` where it was not allowed
   * @throws {AccountError} `user_unknown`
   */
  async storePassword(
    id: string,
    passwordHash: string,
    by: AccountActor,
    allow: (user: User) => User | undefined = (user) => user,
  ): Promise<User | undefined> {
    let allowed: User | undefined;
    const user = await this.change(id, (before) => {
      allowed = allow(before);
      return allowed === undefined ? before : { ...allowed, passwordHash, epoch: before.epoch + 1 };
    });
    if (allowed === undefined) return undefined;
    this.#options.observe({ type: "account.changed", subject: id, by, what: ["password"] });
    return user;
  }

  /** Notes a better hash of the same password, where the password still is that one. Not urgent: whoever is in the way wins. */
  async rehashed(user: User, password: string): Promise<void> {
    const { store, hashing } = this.#options;
    await store.update({ ...user, passwordHash: await hashing.hash(password) });
  }

  /** What began with an earlier sign-in counts no more. @throws {AccountError} `user_unknown` */
  signOutEverywhere(id: string): Promise<User> {
    return this.change(id, (before) => ({ ...before, epoch: before.epoch + 1 }));
  }

  /** @throws {AccountError} `user_unknown` */
  async setDisabled(id: string, disabled: boolean): Promise<User> {
    const user = await this.change(id, (before) =>
      before.disabled === disabled ? before : { ...before, disabled, epoch: before.epoch + 1 },
    );
    const what = [disabled ? "disabled" : "enabled"] as const;
    this.#options.observe({ type: "account.changed", subject: id, by: "operator", what });
    return user;
  }

  /** A password in normal form that this person may have. NIST SP 800-63B §3.1.1.2. @throws {AccountError} `password_…` */
  acceptPassword(password: string, { username, email, name }: Pick<NewUser, "username" | "email" | "name">): string {
    const normal = normalizePassword(password);
    if ("fault" in normal) throw new AccountError(`password_${normal.fault}`);
    const names = [username, email, email?.split("@", 1)[0], name, this.#options.serverName];
    if (isGuessable(normal.password, { names })) throw new AccountError("password_guessable");
    return normal.password;
  }
}

/** What is said of a person, to the engine and in tokens. */
export function identityOf(user: User): Identity {
  const { id, username, email, emailVerified, name, roles, claims, epoch } = user;
  return {
    subject: id,
    ...(email === undefined ? {} : { email, emailVerified }),
    ...(name === undefined ? {} : { name }),
    ...(roles.length === 0 ? {} : { roles }),
    // OpenID Connect Core §5.1.
    claims: { ...claims, ...(username === undefined ? {} : { preferred_username: username }) },
    own: { id, epoch },
  };
}

/** What was given of a person, in normal form; what was left out is left out. @throws {AccountError} */
function profileOf(given: UserChanges): Partial<User> {
  const { username, email, emailVerified, name, roles, claims } = given;
  // Empty text is not the absence of text: a user without a name to sign in with would be nobody that can be found.
  const text = (value: string | undefined, normalize: (text: string) => string | undefined, reason: TextReason) => {
    // Nothing at all is taken away; a text with nothing in it is a mistake.
    if (value === undefined) return undefined;
    const normal = normalize(value);
    if (normal === undefined) throw new AccountError(reason);
    return normal;
  };
  return {
    ...("username" in given ? { username: text(username, normalizeUsername, "username_malformed") } : {}),
    ...("email" in given ? { email: text(email, normalizeEmail, "email_malformed") } : {}),
    ...(emailVerified === undefined ? {} : { emailVerified }),
    ...("name" in given ? { name: text(name, normalizeDisplayName, "name_malformed") } : {}),
    ...(roles === undefined ? {} : { roles: checkRoles(roles) }),
    ...(claims === undefined ? {} : { claims: checkClaims(claims) }),
  };
}

type TextReason = "username_malformed" | "email_malformed" | "name_malformed";

function checkRoles(roles: readonly string[]): readonly string[] {
  const isRole = (role: unknown) => typeof role === "string" && /^[\p{L}\p{M}\p{N}\p{P}\p{S}]{1,64}$/u.test(role);
  if (roles.length > MOST_ROLES || !roles.every(isRole)) throw new AccountError("roles_malformed");
  return [...new Set(roles)];
}

function checkClaims(claims: Claims): Claims {
  let text: string;
  try {
    text = JSON.stringify(claims);
  } catch {
    // What was in it is the operator's data, and the parser's message would quote it.
    throw new AccountError("claims_malformed");
  }
  const isObject = typeof claims === "object" && claims !== null && !Array.isArray(claims);
  if (!isObject || Buffer.byteLength(text) > MOST_CLAIMS_BYTES) throw new AccountError("claims_malformed");
  return JSON.parse(text) as Claims;
}
