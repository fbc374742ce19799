/** The storage contract: every sentence that `TokenStorage` promises, each with the check that proves it. */

import type { Clause } from "./clause.ts";
import { claim } from "./storage/claim.ts";
import { cleanup } from "./storage/cleanup.ts";
import { close } from "./storage/close.ts";
import { expiry } from "./storage/expiry.ts";
import { failure } from "./storage/failure.ts";
import { keys } from "./storage/keys.ts";
import { list } from "./storage/list.ts";
import { replace } from "./storage/replace.ts";
import { take } from "./storage/take.ts";
import { values } from "./storage/values.ts";

/**
 * What a storage has to keep so that single use holds on it. Run each clause as one test, one after the other:
 *
 * ```ts
 * for (const clause of storageContract) test(clause.sentence, () => clause.check(subject));
 * ```
 *
 * A storage that decides no races by itself goes through the core's lock first; alone it breaks the clauses about `claim` and `replace`.
 */
export const storageContract: readonly Clause[] = [
  ...values,
  ...keys,
  ...expiry,
  ...claim,
  ...replace,
  ...take,
  ...cleanup,
  ...list,
  ...failure,
  ...close,
];
