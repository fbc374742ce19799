/** Who may sign in: the option `allow`. */
import type { Claims, Profile } from "./identity-provider.ts";

/** Somebody who has proven who they are, and is about to be let in. */
export interface SignedInIdentity extends Profile {
  /** The id of the provider; `upstream` for the one of the `upstream…` options. */
  readonly provider: string;
  /** As tokens will name them, unless `linkSubject` has another name. */
  readonly subject: string;
  /** All that the provider said of them, unfiltered: not all of it is vouched for. */
  readonly claims: Claims;
}

/**
 * Who may sign in. Of each kind that is named one entry has to match, and of several kinds **all**; `emails` and `emailDomains` are one kind. What a provider does not
 * say matches nothing.
 */
export interface AllowRules {
  /** The ids of the providers that these rules are for. Default: all. Needed with several providers where a rule names something that each of them has its own names for. */
  providers?: readonly string[];
  /** Addresses, in whatever case. Only addresses that the provider vouches for (`email_verified`) count: anybody can write anybody's into an account of their own. */
  emails?: readonly string[];
  /** What stands behind the `@`, whole and in whatever case: `example.com` does not let in `mail.example.com`. Verified addresses only. */
  emailDomains?: readonly string[];
  /** As the provider writes them: GitHub organisations, Auth0 organisations, Google Workspace domains. */
  organizations?: readonly string[];
  /** As the provider writes them: ids of Entra tenants. */
  tenants?: readonly string[];
  /** As the provider writes them. */
  groups?: readonly string[];
}

/** The operator's own decision. Only `true` lets somebody in; a function that throws lets nobody in. */
export type AllowFunction = (identity: SignedInIdentity) => boolean | Promise<boolean>;

/** Which subject an identity is. `undefined`: its own. Where it throws, the sign-in fails: nobody becomes somebody else by a failure. */
export type LinkSubject = (identity: SignedInIdentity) => string | undefined | Promise<string | undefined>;

/** What became of the question. `failed`: it could not be answered, which lets nobody in. */
export type Verdict = { readonly admitted: boolean } | { readonly admitted: false; readonly failed: unknown };

/** The door. */
export class Admission {
  readonly #allow: readonly AllowRules[] | AllowFunction | undefined;

  constructor(allow: AllowRules | readonly AllowRules[] | AllowFunction | undefined) {
    this.#allow = typeof allow === "function" || allow === undefined || isList(allow) ? allow : [allow];
  }

  /** Never throws. */
  async of(identity: SignedInIdentity): Promise<Verdict> {
    if (this.#allow === undefined) return { admitted: true };
    if (typeof this.#allow !== "function") return { admitted: this.#allow.some((rules) => matches(rules, identity)) };
    try {
      // A function that forgot its answer, or that answers with a record it found, has not said yes.
      return { admitted: (await this.#allow(identity)) === true };
    } catch (failed) {
      return { admitted: false, failed };
    }
  }
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function matches(rules: AllowRules, identity: SignedInIdentity): boolean {
  const { providers, emails, emailDomains, organizations, tenants, groups } = rules;
  const { provider, tenant } = identity;
  return (
    (providers === undefined || providers.includes(provider)) &&
    ((emails === undefined && emailDomains === undefined) || hasAddress(identity, emails, emailDomains)) &&
    (organizations === undefined || meets(organizations, identity.organizations)) &&
    (tenants === undefined || (tenant !== undefined && tenants.includes(tenant))) &&
    (groups === undefined || meets(groups, identity.groups))
  );
}

function meets(wanted: readonly string[], held: readonly string[] = []): boolean {
  return held.some((each) => wanted.includes(each));
}

function hasAddress(
  { email, emailVerified }: Profile,
  emails: readonly string[] = [],
  emailDomains: readonly string[] = [],
): boolean {
  // OpenID Connect Core §5.7; "nOAuth": an address that nobody verified is what its account's owner wished it to be.
  if (emailVerified !== true || email === undefined) return false;
  const parts = email.split("@");
  const [local, domain] = parts;
  // A quoted local part may hold an @ of its own, and readers differ on which one counts.
  if (parts.length !== 2 || !local || !domain) return false;
  return (
    emails.some((each) => lowerCase(each) === lowerCase(email)) ||
    emailDomains.some((each) => lowerCase(each) === lowerCase(domain))
  );
}

/** ASCII only: Unicode's lower case turns the Kelvin sign into a `k`, and with it a stranger's domain into the operator's. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
