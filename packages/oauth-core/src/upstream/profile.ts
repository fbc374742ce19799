/** A person in words that are the same for every provider, from the claims of OpenID Connect. OpenID Connect Core §5.1. */
import type { Claims, Profile } from "../domain/identity-provider.ts";

/** Characters of one text, and entries of one list; what is longer is nobody's name or role. */
const LONGEST_TEXT = 2048;
const LONGEST_LIST = 1000;

/**
 * Reads `email`, `email_verified`, `name`, `picture`, `groups` and `roles`, each from the first source that has it.
 *
 * The address and whether it is verified always come from one source: one provider document may know an address that another has not verified.
 *
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims OpenID Connect Core §5.1}
 */
export function profileOf(...sources: readonly (Claims | undefined)[]): Profile {
  const known = sources.filter((source) => source !== undefined);
  const first = <T>(read: (claims: Claims) => T | undefined): T | undefined => {
    for (const claims of known) {
      const value = read(claims);
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const address = known.find((claims) => textOf(claims.email) !== undefined);
  return {
    email: textOf(address?.email),
    emailVerified: truthOf(address?.email_verified),
    name: first(({ name }) => textOf(name)),
    picture: first(({ picture }) => textOf(picture)),
    groups: first(({ groups }) => listOf(groups)),
    roles: first(({ roles }) => listOf(roles)),
  };
}

/** A stable name of a person: `sub` by OpenID Connect, `id` with GitHub and its like. */
export function subjectOf(claims: Claims | undefined): string | undefined {
  const subject = claims?.sub ?? claims?.id;
  if (typeof subject === "string" && subject.length > 0 && subject.length <= 255) return subject;
  return Number.isSafeInteger(subject) ? String(subject) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= LONGEST_TEXT ? value : undefined;
}

/** Cognito writes it as text. Nothing but these two is a yes. */
function truthOf(value: unknown): boolean | undefined {
  if (value === true || value === "true") return true;
  return value === undefined || value === null ? undefined : false;
}

function listOf(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] | undefined =
    typeof value === "string" ? [value] : Array.isArray(value) ? value : undefined;
  return list?.slice(0, LONGEST_LIST).filter((each): each is string => textOf(each) !== undefined);
}
