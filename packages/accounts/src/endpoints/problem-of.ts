/** What an account can't be made of, in the words of the pages. */
import type { AccountError, AccountReason } from "../account-error.ts";
import type { ProblemName } from "../pages/problem.ts";

const PROBLEMS: Readonly<Partial<Record<AccountReason, ProblemName>>> = {
  email_malformed: "email_malformed",
  name_malformed: "name_malformed",
  password_too_short: "password_too_short",
  password_too_long: "password_too_long",
  password_malformed: "password_malformed",
  password_guessable: "password_guessable",
};

/** @throws the error itself, where it is nothing that a person could correct */
export function problemOf(error: AccountError): ProblemName {
  const problem = PROBLEMS[error.reason];
  if (problem === undefined) throw error;
  return problem;
}
