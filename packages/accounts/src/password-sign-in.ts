/** Tries a name and a password: the same work, whoever it is for. OWASP Authentication Cheat Sheet, "Authentication and Error Messages". */
import { setImmediate as othersTurn } from "node:timers/promises";
import type { Observe } from "@sallyport/oauth-core/accounts";
import type { AdmittedAttempt, Attempts } from "./attempts.ts";
import type { Directory } from "./directory.ts";
import type { KnownBrowsers } from "./known-browsers.ts";
import { parseLogin } from "./login-name.ts";
import type { PasswordHashing, Verification } from "./password-hashing.ts";
import { normalizePassword } from "./password-text.ts";
import type { Login, User } from "./user-store.ts";

export interface PasswordSignInOptions {
  readonly directory: Directory;
  readonly hashing: PasswordHashing;
  readonly attempts: Attempts;
  readonly knownBrowsers: KnownBrowsers;
  readonly observe: Observe;
}

/** What was typed, where. */
export interface PasswordAttempt {
  readonly login: string | undefined;
  readonly password: string | undefined;
  readonly cookies: ReadonlyMap<string, string>;
  readonly address: string | undefined;
  readonly traceId: string;
}

/** Who it is; nobody; or nothing was looked at, because there were too many attempts. */
export type PasswordOutcome = { readonly user: User | undefined } | { readonly retryAfter: number };

/** Stands for whatever is no password, so that it costs what a password costs. */
const NO_PASSWORD = "no password";

/**
 * The sign-ins of one server.
 *
 * Between its steps others have their turn: a storage in memory answers at once, and all steps together would keep whatever else comes, guard checks above all,
 * waiting for a millisecond or two.
 */
export class PasswordSignIn {
  readonly #options: PasswordSignInOptions;

  constructor(options: PasswordSignInOptions) {
    this.#options = options;
  }

  /** @throws {OAuthProxyError} `busy` while too many passwords are being looked at; `storage_unavailable` */
  async attempt(attempt: PasswordAttempt): Promise<PasswordOutcome> {
    const { directory } = this.#options;
    const login = parseLogin(attempt.login ?? "");
    const user = login === undefined ? undefined : await directory.store.findByLogin(login);
    return this.#try(user, nameOf(login) ?? attempt.login ?? "", attempt);
  }

  /** The password of somebody who is signed in, before they do what a session that was left open must not do. */
  async confirm(user: User, attempt: Omit<PasswordAttempt, "login">): Promise<PasswordOutcome> {
    return this.#try(user, user.username ?? user.email ?? user.id, attempt);
  }

  async #try(
    user: User | undefined,
    login: string,
    { password = "", cookies, address, traceId }: Omit<PasswordAttempt, "login">,
  ): Promise<PasswordOutcome> {
    const { attempts, knownBrowsers, observe } = this.#options;
    const failed = (because: "credentials" | "disabled" | "slowed_down") =>
      observe({ type: "account.sign_in_failed", subject: user?.id, because }, traceId);
    await othersTurn();
    const admission = await attempts.begin({ login, browser: knownBrowsers.find(cookies, user), address });
    if (!admission.admitted) {
      failed("slowed_down");
      return { retryAfter: admission.retryAfter };
    }
    const normal = normalizePassword(password);
    const given = "password" in normal ? normal.password : NO_PASSWORD;
    const { matches, outdated } = await this.#verify(user, given, admission);
    if (user === undefined || !matches || "fault" in normal || user.disabled) {
      // The same words for whoever is disabled: to others it says nothing of the password, and they know whom to ask.
      failed(user !== undefined && matches && user.disabled ? "disabled" : "credentials");
      await admission.settle("failed");
      return { user: undefined };
    }
    await admission.settle("succeeded");
    await othersTurn();
    if (outdated) await this.#rehash(user, given);
    return { user };
  }

  /** Whom nobody had time for has guessed nothing: or a flood of guesses at others would slow down whoever tries again meanwhile, and long after it. */
  async #verify(user: User | undefined, password: string, admission: AdmittedAttempt): Promise<Verification> {
    try {
      return await this.#options.hashing.verify(user?.passwordHash, password);
    } catch (error) {
      await admission.settle("untried");
      throw error;
    }
  }

  /** Where it can't be done now, it is done next time. */
  async #rehash(user: User, password: string): Promise<void> {
    try {
      await this.#options.directory.rehashed(user, password);
    } catch (cause) {
      this.#options.observe({ type: "error", endpoint: "sign-in", cause });
    }
  }
}

/** One name for one account, however it was typed. */
function nameOf(login: Login | undefined): string | undefined {
  return login === undefined ? undefined : "email" in login ? login.email : login.username;
}
