/** A clause: one sentence of a promise, and the check that fails where it is broken. */

import type { StorageSubject } from "./storage-subject.ts";

/** One sentence that a port promises, with the check that proves it on an implementation. */
export interface Clause<Subject = StorageSubject> {
  /** A stable name in kebab-case, for waivers and reports. */
  readonly id: string;
  /** The promise in plain words: the title of the test that runs the clause. */
  readonly sentence: string;
  /** Whether an implementation may go without it, with a reason. What decides races is never waivable. */
  readonly waivable: boolean;
  /** An optional part of the subject, by name, without which the clause says nothing and its check passes. */
  readonly needs?: string | undefined;
  /**
   * Proves the clause on `subject`, with keys of its own, so that one subject serves every clause. Clauses of one subject run one after
   * the other: they share its clock.
   *
   * @throws {ContractViolation} (as a rejection) where the clause is broken.
   */
  check(subject: Subject): Promise<void>;
}

/** A clause is broken: which one, and what was seen instead. */
export class ContractViolation extends Error {
  override readonly name = "ContractViolation";
  /** The `id` of the clause. */
  readonly clause: string;
  /** What the implementation did, in words. */
  readonly seen: string;

  /** @param options `cause`: what the implementation threw, where it did */
  constructor(clause: Pick<Clause<never>, "id" | "sentence">, seen: string, options?: ErrorOptions) {
    super(`${clause.id}: ${clause.sentence}\n  seen: ${seen}`, options);
    this.clause = clause.id;
    this.seen = seen;
  }
}
