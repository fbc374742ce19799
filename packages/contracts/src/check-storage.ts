/** Runs the whole storage contract without a test runner. */

import { type Clause, ContractViolation } from "./clause.ts";
import { storageContract } from "./storage-contract.ts";
import type { StorageSubject } from "./storage-subject.ts";
import { underWaivers, type Waivers } from "./waivers.ts";

/** How one clause went. */
export type ClauseResult =
  | { readonly clause: Clause; readonly outcome: "kept" }
  | { readonly clause: Clause; readonly outcome: "broken"; readonly violation: ContractViolation }
  /** `reason`: what the subject lacks, or why whoever waived the clause did. */
  | { readonly clause: Clause; readonly outcome: "not applicable" | "waived"; readonly reason: string };

/** What is left out, and why. */
export interface CheckOptions {
  /** Clauses by their id that are not held against the storage, each with the reason. */
  readonly waive?: Waivers | undefined;
}

/**
 * Runs every clause of {@link storageContract}, one after the other, and tells how each went. A broken clause stops nothing.
 *
 * @throws {TypeError} (as a rejection), before anything is run, for a waiver without a reason, of a clause that does not exist, or of one
 *   that can't be waived: what decides races has no exceptions.
 */
export async function checkStorage(
  subject: StorageSubject,
  options: CheckOptions = {},
): Promise<readonly ClauseResult[]> {
  const clauses = underWaivers(storageContract, options.waive ?? {});
  const lacking = await lackingParts(subject);
  const results: ClauseResult[] = [];
  for (const { clause, waived } of clauses) {
    if (waived !== undefined) results.push({ clause, outcome: "waived", reason: waived });
    else if (clause.needs !== undefined && lacking.has(clause.needs)) {
      results.push({ clause, outcome: "not applicable", reason: `the subject has no ${clause.needs}` });
    } else results.push(await run(clause, subject));
  }
  return results;
}

async function run(clause: Clause, subject: StorageSubject): Promise<ClauseResult> {
  try {
    await clause.check(subject);
    return { clause, outcome: "kept" };
  } catch (error) {
    if (!(error instanceof ContractViolation)) throw error;
    return { clause, outcome: "broken", violation: error };
  }
}

/** The optional parts that this subject has not got. */
async function lackingParts(subject: StorageSubject): Promise<ReadonlySet<string>> {
  const storage = await subject.open();
  try {
    const parts = { take: storage.take, list: storage.list, close: storage.close, fail: subject.fail };
    return new Set(Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [name] : [])));
  } finally {
    await storage.close?.();
  }
}
