/** The storage contract over a real server: every clause is a test, and their waits overlap. */

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { type Clause, type StorageSubject, storageContract } from "@sallyport/contracts";
import { afterAll, beforeAll, describe, test } from "vitest";
import { RedisStore } from "../src/index.ts";
import type { OpenClient } from "./clients.ts";

const TIMEOUT_MS = 60_000;
const CLIENTS = 3;
/** Of one client; several clients may be on trial at once. */
const ONE_BY_ONE = { concurrent: false };
/** Short, because the clauses about failure wait for it again and again. */
const IMPATIENT_MS = 400;
/** Long, because this machine may have more to do. */
const PATIENT_MS = 15_000;

/** A way to make a backend unreachable, and the way back. */
export interface Fault {
  begin(): Promise<void> | void;
  end(): Promise<void> | void;
}

/** Declares the tests of every clause, and of those about failure once for each fault. `open` opens another client of the backend. */
export function onTrial(open: () => Promise<OpenClient>, faults: Readonly<Record<string, Fault>>): void {
  describe("the storage contract", ONE_BY_ONE, () => {
    const { subject, connect, close } = subjectOf(open, PATIENT_MS);
    const verdicts = new Map<Clause, Promise<unknown>>();
    // Time passes for every clause at once, so they need not wait for each other's.
    beforeAll(async () => {
      await connect();
      for (const clause of storageContract) verdicts.set(clause, clause.check(subject).then(nothing, itself));
    });
    afterAll(close);
    for (const clause of storageContract.filter(({ needs }) => needs !== "fail")) {
      test(`${clause.id}: ${clause.sentence}`, { timeout: TIMEOUT_MS }, async () => {
        const violation = await verdicts.get(clause);
        if (violation !== undefined) throw violation;
      });
    }
  });

  describe.each(Object.entries(faults))(
    "the storage contract, with a server that was %s",
    ONE_BY_ONE,
    (_name, fault) => {
      const { subject, connect, close, healthy } = subjectOf(open, IMPATIENT_MS);
      beforeAll(connect);
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
    },
  );
}

/** Instances take turns with a few clients, each of which is what another process would have. */
function subjectOf(open: () => Promise<OpenClient>, timeoutMs: number) {
  const clients: OpenClient[] = [];
  // A server of somebody else's may have other records, and other trials at the same time.
  const prefix = `trial:${randomUUID()}:`;
  let turn = 0;
  const healthy = () => Promise.all(clients.map((client) => client.healthy()));
  const subject: StorageSubject = {
    open: async () => {
      const opened = clients[turn++ % clients.length];
      if (opened === undefined) throw new Error("The clients are not connected yet.");
      return new RedisStore({ client: opened.client, prefix, timeoutMs });
    },
    advance: (seconds) => pause(seconds * 1000),
  };
  return {
    subject,
    healthy,
    connect: async () => {
      while (clients.length < CLIENTS) clients.push(await open());
      await healthy();
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

const nothing = (): undefined => undefined;
const itself = (violation: unknown): unknown => violation;
