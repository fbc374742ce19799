/** The storage contracts over a real backend, where time has to pass: every clause is a test. */

import { setTimeout as pause } from "node:timers/promises";
import { type Clause, type StorageSubject, sealedStorageContract, storageContract } from "@sallyport/contracts";
import { EncryptedTokenStorage } from "@sallyport/oauth-core";
import { afterAll, beforeAll, describe, test } from "vitest";
import type { WholeStorage } from "./whole-storage.ts";

/** Of one backend; several may be on trial at once. */
const ONE_BY_ONE = { concurrent: false, timeout: 60_000 };

/** Where the instances on trial come from. */
export interface Stores {
  /** Makes ready what every instance needs. */
  begin(): Promise<unknown>;
  /** Another instance over the same records, which does not share its connections with the one before it. */
  open(): WholeStorage;
  /** When every connection can reach the backend. */
  healthy(): Promise<unknown>;
  /** Lets go of every connection. */
  end(): Promise<unknown>;
}

/** A way to make a backend unreachable, and the way back. */
export interface Fault {
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
}

/** Declares the tests of every clause but those about failure, or only of those whose name begins with one of `names`. */
export function everyClause(stores: Stores, names: readonly string[] = [""]): void {
  const clauses = storageContract.filter(
    ({ id, needs }) => needs !== "fail" && names.some((name) => id.startsWith(name)),
  );
  allAtOnce(clauses, stores, subjectOf(stores));
}

/** Declares the tests of every clause about what the core seals. */
export function everySealedClause(stores: Stores): void {
  allAtOnce(sealedStorageContract, stores, { ...subjectOf(stores), EncryptedTokenStorage });
}

/** Declares the tests of the clauses about failure, for each fault. The stores should not wait for long, because these clauses wait for them. */
export function clausesAboutFailure(storesFor: () => Stores, faults: Readonly<Record<string, Fault>>): void {
  describe.each(Object.entries(faults))("with a server that was %s", ONE_BY_ONE, (_name, fault) => {
    const stores = storesFor();
    const subject: StorageSubject = {
      ...subjectOf(stores),
      fail: async () => {
        await fault.begin();
        return async () => {
          await fault.end();
          await stores.healthy();
        };
      },
    };
    beforeAll(() => stores.begin());
    afterAll(() => stores.end());
    for (const clause of storageContract.filter(({ needs }) => needs === "fail")) {
      test(titleOf(clause), ONE_BY_ONE, () => clause.check(subject));
    }
  });
}

/** Declares the tests of clauses that are all checked at the same time, because time passes for all of them. */
function allAtOnce<Subject>(clauses: readonly Clause<Subject>[], stores: Stores, subject: Subject): void {
  const verdicts = new Map<Clause<Subject>, Promise<unknown>>();
  beforeAll(async () => {
    await stores.begin();
    for (const clause of clauses) verdicts.set(clause, clause.check(subject).then(nothing, itself));
  });
  afterAll(() => stores.end());
  for (const clause of clauses) {
    test(titleOf(clause), ONE_BY_ONE, async () => {
      const violation = await verdicts.get(clause);
      if (violation !== undefined) throw violation;
    });
  }
}

function subjectOf(stores: Stores): StorageSubject {
  return { open: async () => stores.open(), advance: (seconds) => pause(seconds * 1000) };
}

function titleOf({ id, sentence }: Pick<Clause<never>, "id" | "sentence">): string {
  return `${id}: ${sentence}`;
}

const nothing = (): undefined => undefined;
const itself = (violation: unknown): unknown => violation;
