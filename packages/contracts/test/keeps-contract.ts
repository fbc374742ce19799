/** The adapter contract as tests, on everything that an adapter is tried with. */
import { describe, expect, test } from "vitest";
import { adapterContract, ContractViolation, underWaivers } from "../src/adapters.ts";
import { nameOf, type Tried } from "./tried.ts";

/** One test for each clause. A clause is waived only where it is broken: a waiver that nobody needs any more is a failure. */
export function testContract(tried: readonly Tried[]): void {
  for (const one of tried) {
    describe(nameOf(one), () => {
      for (const { clause, waived } of underWaivers(adapterContract, one.waivers ?? {})) {
        if (waived === undefined) test(clause.sentence, () => clause.check(one.subject));
        else
          test(`not so, as the waiver says: ${clause.sentence}`, () =>
            expect(clause.check(one.subject)).rejects.toBeInstanceOf(ContractViolation));
      }
    });
  }
}
