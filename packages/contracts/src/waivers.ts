/** Waivers: clauses that are not held against an implementation, each with its reason. */

import type { Clause } from "./clause.ts";

/** Clauses by their id, each with the reason for which it is not held. */
export type Waivers = Readonly<Record<string, string>>;

/** A clause, and why it is waived, if it is. */
export interface ClauseUnderWaiver<Subject> {
  readonly clause: Clause<Subject>;
  readonly waived: string | undefined;
}

/**
 * Every clause of a contract with its waiver, for a test runner that can skip with a reason.
 *
 * @throws {TypeError} for a waiver without a reason, of a clause that does not exist, or of one that can't be waived
 */
export function underWaivers<Subject>(
  contract: readonly Clause<Subject>[],
  waivers: Waivers,
): readonly ClauseUnderWaiver<Subject>[] {
  const reasons = new Map(Object.entries(waivers));
  for (const [id, reason] of reasons) {
    const clause = contract.find((candidate) => candidate.id === id);
    if (clause === undefined) throw new TypeError(`There is no clause ${id} to waive.`);
    if (!clause.waivable) throw new TypeError(`The clause ${id} can't be waived.`);
    if (reason.trim() === "") throw new TypeError(`The waiver of ${id} needs a reason.`);
  }
  return contract.map((clause) => ({ clause, waived: reasons.get(clause.id) }));
}
