/** Why there are no keys to verify with. */

const PROBLEMS = {
  timeout: "The key set did not arrive in time.",
  unreachable: "The key set could not be fetched.",
  redirect: "The key set's address answered with a redirect, which is not followed.",
  status: "The key set's address did not answer with 200.",
  too_large: "The key set is larger than any key set.",
  malformed: "What was fetched is not a JSON Web Key Set.",
  no_usable_key: "The key set has no public key that can verify a signature, or far too many.",
} as const;

/** The kinds of {@link KeySetError}. */
export type KeySetProblem = keyof typeof PROBLEMS;

/** A key set could not be had. The message is fixed and says nothing of what the other side sent. */
export class KeySetError extends Error {
  override readonly name = "KeySetError";
  readonly reason: KeySetProblem;

  constructor(reason: KeySetProblem, options?: { readonly cause?: unknown }) {
    super(PROBLEMS[reason], options);
    this.reason = reason;
  }
}
