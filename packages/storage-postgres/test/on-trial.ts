/** The storage contract over a real server, clause by clause. */

import { setTimeout as pause } from "node:timers/promises";
import { type Clause, type StorageSubject, storageContract } from "@sallyport/contracts";
import { afterAll, beforeAll, describe, test } from "vitest";
import { PostgresStore } from "../src/index.ts";
import type { OpenClient } from "./clients.ts";

const TIMEOUT_MS = 60_000;
/** Short, because the clauses about failure wait for it again and again. */
const IMPATIENT_MS = 600;
/** Long, because this machine may have more to do. */
const PATIENT_MS = 15_000;

/** What is on trial. */
export interface Trial {
  /** Opens another client of the backend. */
  open(): OpenClient;
  readonly table: string;
}

/** A way to make a backend unreachable, and the way back. */
export interface Fault {
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
}

/** Declares the tests of every clause but those about failure, or only of those whose name begins with one of `names`. Their waits overlap. */
export function everyClause(trial: Trial, names: readonly string[] = [""]): void {
  const { subject, close } = subjectOf(trial, PATIENT_MS);
  const clauses = storageContract.filter(
    ({ id, needs }) => needs !== "fail" && names.some((name) => id.startsWith(name)),
  );
  const verdicts = new Map<Clause, Promise<unknown>>();
  beforeAll(() => migrated(trial));
  beforeAll(() => {
    for (const clause of clauses) verdicts.set(clause, clause.check(subject).then(nothing, itself));
  });
  afterAll(close);
  for (const clause of clauses) {
    test(`${clause.id}: ${clause.sentence}`, { timeout: TIMEOUT_MS }, async () => {
      const violation = await verdicts.get(clause);
      if (violation !== undefined) throw violation;
    });
  }
}

/** Declares the tests of the clauses about failure, for each fault. */
export function clausesAboutFailure(trial: Trial, faults: Readonly<Record<string, Fault>>): void {
  beforeAll(() => migrated(trial));
  describe.each(Object.entries(faults))("with a server that was %s", { concurrent: false }, (_name, fault) => {
    const { subject, close, healthy } = subjectOf(trial, IMPATIENT_MS);
    afterAll(close);
    const failing: StorageSubject = {
      ...subject,
      fail: async () => {
        await fault.begin();
        return async () => {
          await fault.end();
          await healthy();
        };
      },
    };
    for (const clause of storageContract.filter(({ needs }) => needs === "fail")) {
      test(`${clause.id}: ${clause.sentence}`, { timeout: TIMEOUT_MS }, () => clause.check(failing));
    }
  });
}

async function migrated({ open, table }: Trial): Promise<void> {
  const { client, close } = open();
  await new PostgresStore({ client, table, timeoutMs: PATIENT_MS }).migrate();
  await close();
}

/** Instances take turns with two clients, so that two of them never share their connections. */
function subjectOf({ open, table }: Trial, timeoutMs: number) {
  const clients: OpenClient[] = [];
  let instances = 0;
  const subject: StorageSubject = {
    open: async () => {
      const turn = instances % 2;
      instances += 1;
      clients[turn] ??= open();
      const { client } = clients[turn];
      return new PostgresStore({ client, table, timeoutMs });
    },
    advance: (seconds) => pause(seconds * 1000),
  };
  return {
    subject,
    healthy: () => Promise.all(clients.map((client) => client.healthy())),
    close: async () => {
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}

const nothing = (): undefined => undefined;
const itself = (violation: unknown): unknown => violation;
