/** The contract of user stores: every sentence that `UserStore` of `@sallyport/accounts` promises, each with the check that proves it. */

import type { Clause } from "./clause.ts";
import { create } from "./users/create.ts";
import { failure } from "./users/failure.ts";
import { list } from "./users/list.ts";
import type { UserStoreSubject } from "./users/subject.ts";
import { update } from "./users/update.ts";
import { values } from "./users/values.ts";

export { type Clause, ContractViolation } from "./clause.ts";
export type { UserStoreSubject } from "./users/subject.ts";

/**
 * What a user store has to keep so that every name is one person's. Run each clause as one test, one after the other:
 *
 * ```ts
 * for (const clause of userStoreContract) test(clause.sentence, () => clause.check(subject));
 * ```
 *
 * No clause can be waived. Those about failure pass where the subject has no `fail`.
 */
export const userStoreContract: readonly Clause<UserStoreSubject>[] = [
  ...values,
  ...create,
  ...update,
  ...list,
  ...failure,
];
