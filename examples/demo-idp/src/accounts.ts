/** The people of the demonstration: whoever types a name is that person. OpenID Connect Core §5.1. */

/** A person as the tokens and the userinfo endpoint describe them. */
export interface Account {
  /** The subject: the name as it was typed, so that it is stable and easy to recognise. */
  readonly sub: string;
  readonly name: string;
  readonly preferred_username: string;
  readonly email: string;
  readonly email_verified: boolean;
  readonly roles: readonly string[];
  readonly groups: readonly string[];
}

const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@+-]{0,63}$/u;

/**
 * Reads what was typed into the sign-in form.
 *
 * @returns the name, or undefined where it can't be one: empty, longer than 64 characters, or with signs that names and addresses don't have
 */
export function parseUserName(typed: string | null): string | undefined {
  const name = (typed ?? "").normalize("NFC").trim();
  return NAME.test(name) ? name : undefined;
}

/** The account of a user name. The person named `admin` has the role `admin`; everybody has the role `user`. */
export function accountOf(userName: string): Account {
  const administrator = userName === "admin";
  return {
    sub: userName,
    name: userName,
    preferred_username: userName,
    email: userName.includes("@") ? userName : `${userName.replaceAll(" ", ".")}@example.com`,
    email_verified: true,
    roles: administrator ? ["admin", "user"] : ["user"],
    groups: administrator ? ["operators", "everyone"] : ["everyone"],
  };
}
