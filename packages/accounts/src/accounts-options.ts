/** The options of accounts: their units, their defaults, their dangers. */
import { ConfigurationError } from "@sallyport/oauth-core/accounts";
import type { SendMail } from "./mailer.ts";
import type { PasswordHashingOptions } from "./password-hashing.ts";
import type { UserStore } from "./user-store.ts";

/** The options of `Accounts`. All durations are whole seconds. */
export interface AccountsConfig {
  /** Where users are kept. Default: in the `tokenStorage` of the server, sealed. A memory storage forgets them when the process ends. */
  users?: UserStore | undefined;
  /**
   * Whether people may make accounts of their own. Needs `sendMail`: an account is made by whoever reads the mail, so that nobody learns from the page who has one.
   * Default: false.
   */
  signUp?: boolean | undefined;
  /** Delivers mails: links for new passwords and new accounts, and word that a password was changed. Default: none, and then nobody can reset a password but the operator. */
  sendMail?: SendMail | undefined;
  /** What the button says after "Continue with", where there are other providers. Default: `your password`. */
  name?: string | undefined;
  /** Seconds for which a browser stays signed in, from the sign-in on; applications that were connected are not affected. Default: 43 200 (12 hours). */
  sessionTtl?: number | undefined;
  /** Seconds for which the link for a new password works. Default: 1800. */
  resetTtl?: number | undefined;
  /** Seconds for which the link for a new account works. Default: 3600. */
  signUpTtl?: number | undefined;
  /**
   * Where a request comes from, for slowing down guesses of one address. Default: what the adapter knows of the connection, which honours the framework's own setting for
   * proxies. Needed where there is no adapter (`auth.fetch`).
   *
   * Danger: a header that anybody can send names whatever address they like. Read only what a proxy of yours has written.
   */
  clientAddress?: ((request: Request) => string | undefined) | undefined;
  /** What a password's hash costs, and how many are computed at once. Default: the least that OWASP recommends for Argon2id. */
  passwordHashing?: PasswordHashingOptions | undefined;
}

/** The options as accounts work with them. */
export interface AccountsSettings {
  readonly users: UserStore | undefined;
  readonly signUp: boolean;
  readonly sendMail: SendMail | undefined;
  readonly name: string;
  readonly sessionTtl: number;
  readonly mailTtl: { readonly reset_password: number; readonly sign_up: number };
  readonly clientAddress: ((request: Request) => string | undefined) | undefined;
  readonly passwordHashing: PasswordHashingOptions;
}

const DAY = 86_400;
const VERBS = ["find", "findByLogin", "create", "update", "list"] as const satisfies readonly (keyof UserStore)[];

/** Checks everything that can be checked before there is a server. @throws {ConfigurationError} naming the option */
export function accountsOptions(config: AccountsConfig): AccountsSettings {
  const { users, signUp = false, sendMail, name = "your password", clientAddress } = config;
  for (const verb of users === undefined ? [] : VERBS)
    if (typeof users?.[verb] !== "function") throw new ConfigurationError("users", `has no ${verb}`);
  functionOption("sendMail", sendMail);
  functionOption("clientAddress", clientAddress);
  if (signUp && sendMail === undefined)
    throw new ConfigurationError("sendMail", "is needed for signUp: accounts are made by whoever reads the mail");
  if (typeof name !== "string" || name.trim() === "") throw new ConfigurationError("name", "is empty");
  return {
    users,
    signUp,
    sendMail,
    name,
    sessionTtl: seconds("sessionTtl", config.sessionTtl ?? 43_200, 60, 400 * DAY),
    mailTtl: {
      reset_password: seconds("resetTtl", config.resetTtl ?? 1800, 60, DAY),
      sign_up: seconds("signUpTtl", config.signUpTtl ?? 3600, 60, 7 * DAY),
    },
    clientAddress,
    passwordHashing: config.passwordHashing ?? {},
  };
}

function functionOption(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== "function") throw new ConfigurationError(option, "must be a function");
}

function seconds(option: string, value: number, least: number, most: number): number {
  if (!(Number.isInteger(value) && value >= least && value <= most))
    throw new ConfigurationError(option, `must be a whole number from ${least} to ${most}`);
  return value;
}
