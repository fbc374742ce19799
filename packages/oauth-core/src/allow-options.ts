/** The option `allow`: what it may be, and what would let in other people than it seems. */
import type { AllowFunction, AllowRules } from "./domain/admission.ts";
import { ConfigurationError } from "./protocol/errors.ts";

/** Rules, several sets of them, or a function. */
export type Allow = AllowRules | readonly AllowRules[] | AllowFunction;

/** Kinds of rules of which each provider has names of its own. */
const NAMED_BY_PROVIDER = ["organizations", "tenants", "groups"] as const;
const RULES: readonly string[] = ["providers", "emails", "emailDomains", ...NAMED_BY_PROVIDER];

/** Refuses rules that let in nobody, or other people than it seems. @throws {ConfigurationError} */
export function checkAllow(allow: Allow | undefined, ids: readonly string[]): void {
  if (allow === undefined || typeof allow === "function") return;
  const isList = Array.isArray(allow);
  const sets: readonly AllowRules[] = isList ? allow : [allow as AllowRules];
  if (sets.length === 0) throw new ConfigurationError("allow", "is an empty list; nobody could sign in");
  for (const [index, rules] of sets.entries()) checkRules(isList ? `allow[${index}]` : "allow", rules, ids);
}

function checkRules(option: string, rules: AllowRules, ids: readonly string[]): void {
  const named = typeof rules === "object" && rules !== null ? Object.entries(rules) : [];
  const kinds = named.filter(([, entries]) => entries !== undefined);
  // A rule that is misspelt, or whose value was not there, must not let everybody in.
  if (kinds.length < 1 || kinds.length < named.length)
    throw new ConfigurationError(option, "names no rule, or one without a value");
  for (const [kind, entries] of kinds) {
    if (!RULES.includes(kind))
      throw new ConfigurationError(`${option}.${kind}`, `is no rule; there are ${RULES.join(", ")}`);
    if (
      !Array.isArray(entries) ||
      entries.length === 0 ||
      !entries.every((each) => typeof each === "string" && each !== "")
    )
      throw new ConfigurationError(`${option}.${kind}`, "must be a list of at least one text");
  }
  const stranger = rules.providers?.find((id) => !ids.includes(id));
  if (stranger !== undefined) throw new ConfigurationError(`${option}.providers`, "names a provider that there is not");
  if (rules.emails?.some((each) => !/^[^@\s]+@[^@\s]+$/.test(each)) === true)
    throw new ConfigurationError(`${option}.emails`, "must be addresses such as alice@example.com");
  if (rules.emailDomains?.some((each) => /[@\s*]|^\.|\.$/.test(each)) === true)
    throw new ConfigurationError(`${option}.emailDomains`, "must be domains such as example.com");
  // Whoever may found a group called "admins" at one provider must not get in by the rule that meant another's.
  const ambiguous =
    ids.length > 1 && rules.providers === undefined && NAMED_BY_PROVIDER.find((kind) => rules[kind] !== undefined);
  if (ambiguous)
    throw new ConfigurationError(
      `${option}.providers`,
      `needed beside ${ambiguous}, because each provider has names of its own`,
    );
}
