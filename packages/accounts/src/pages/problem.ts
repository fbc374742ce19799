/** What can be wrong with what somebody typed or pressed: words of ours, and the fields that they are about. WCAG 2.2 §3.3.1, §3.3.3. */
import { type Html, html } from "@sallyport/oauth-core/accounts";

/** The inputs that a person types into, by their names in the form. */
export type FieldName = "login" | "password" | "new_password" | "repeat_password" | "name" | "email";

/** One thing that is wrong. */
export interface Problem {
  /** What is wrong and what to do about it; never a stranger's text. */
  readonly text: string;
  readonly fields: readonly FieldName[];
}

/** Each thing that can be wrong. Nothing here tells whether there is an account. */
export const PROBLEMS = {
  credentials_wrong: {
    text: "The name or the password is not right. Check both and try again.",
    fields: ["login", "password"],
  },
  password_wrong: { text: "This is not your current password. Try again.", fields: ["password"] },
  password_too_short: { text: "This password is too short. Use at least 8 characters.", fields: ["new_password"] },
  password_too_long: { text: "This password is too long. Use at most 256 characters.", fields: ["new_password"] },
  password_malformed: {
    text: "This password has a character in it that can not be used. Choose another.",
    fields: ["new_password"],
  },
  password_guessable: {
    text: "This password is easy to guess: it is a common one, or close to a name that others know. Choose another.",
    fields: ["new_password"],
  },
  passwords_differ: {
    text: "The two new passwords are not the same. Type both again.",
    fields: ["new_password", "repeat_password"],
  },
  email_malformed: { text: "This is not a complete e-mail address. Check how it is written.", fields: ["email"] },
  name_malformed: { text: "This name can not be used. Use 1 to 100 letters and signs.", fields: ["name"] },
  page_outdated: {
    text: "This page was out of date, so nothing was done. Try again; cookies have to be allowed for this site.",
    fields: [],
  },
  login_missing: { text: "Type the name or the e-mail address of your account.", fields: ["login"] },
  link_failed: { text: "The sign-in could not be linked. Try again.", fields: [] },
  link_taken: { text: "That sign-in already belongs to another account. Unlink it there first.", fields: [] },
  too_many_links: { text: "No more sign-ins fit. Unlink one first.", fields: [] },
  last_way_in: {
    text: "This is your only way to sign in, so it was not unlinked. Set a password or link another first.",
    fields: [],
  },
} as const satisfies Readonly<Record<string, Problem>>;

/** The name of something that can be wrong. */
export type ProblemName = keyof typeof PROBLEMS;

/** What the fields of a form that are about it name in `aria-describedby`. */
export const PROBLEM_ID = "problem";

/** The fields that a problem is about. */
export function fieldsOf(problem: ProblemName | undefined): readonly FieldName[] {
  return problem === undefined ? [] : PROBLEMS[problem].fields;
}

/** The summary above the fields; nothing where nothing is wrong. */
export function problemSummary(problem: ProblemName | undefined): Html | undefined {
  if (problem === undefined) return undefined;
  return html`<p class="error" role="alert" id="${PROBLEM_ID}">${PROBLEMS[problem].text}</p>`;
}

/** The title of a document. A screen reader says it first, so that a form that comes back is not taken for a new one. */
export function titleWith(problem: ProblemName | undefined, title: string): string {
  return problem === undefined ? title : `Error: ${title}`;
}
