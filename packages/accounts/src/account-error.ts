/** What an account can't be made of or changed to, in words that are stable. */

/** Why not. */
export type AccountReason = keyof typeof REASONS;

const REASONS = {
  user_unknown: "There is no such user.",
  login_missing: "A user needs a username or an e-mail address.",
  login_taken: "The username or the e-mail address is somebody's already.",
  username_malformed: "The username can not be used.",
  email_malformed: "The e-mail address can not be used.",
  name_malformed: "The name can not be used.",
  password_too_short: "The password is too short.",
  password_too_long: "The password is too long.",
  password_malformed: "The password contains characters that can not be used.",
  password_guessable: "The password is one of those that are tried first.",
  roles_malformed: "A role is 1 to 64 visible characters, and there are at most 100.",
  claims_malformed: "The claims are not what JSON can carry, or larger than 4096 bytes.",
} as const;

/**
 * What an operator's function throws, and what a page says in its own words. The message never carries what was given.
 */
export class AccountError extends Error {
  override readonly name = "AccountError";
  readonly reason: AccountReason;

  constructor(reason: AccountReason) {
    super(REASONS[reason]);
    this.reason = reason;
  }
}
