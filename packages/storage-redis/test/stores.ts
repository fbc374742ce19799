/** Where the stores of a trial come from. */

import { randomUUID } from "node:crypto";
import type { Stores } from "@sallyport/test-servers/storage-proofs";
import { RedisStore } from "../src/index.ts";
import type { OpenClient } from "./clients.ts";

const CLIENTS = 3;
/** Short, because the clauses about failure wait for it again and again. */
const IMPATIENT_MS = 400;
/** Long, because this machine may have more to do. */
const PATIENT_MS = 15_000;

/** Stores that wait long. They take turns with a few clients, each of which is what another process would have. */
export function patient(open: () => Promise<OpenClient>): Stores {
  return storesOn(open, PATIENT_MS);
}

/** Stores that don't. */
export function impatient(open: () => Promise<OpenClient>): Stores {
  return storesOn(open, IMPATIENT_MS);
}

function storesOn(open: () => Promise<OpenClient>, timeoutMs: number): Stores {
  const clients: OpenClient[] = [];
  // A server of somebody else's may have other records, and other trials at the same time.
  const prefix = `trial:${randomUUID()}:`;
  let turn = 0;
  const healthy = () => Promise.all(clients.map((client) => client.healthy()));
  return {
    begin: async () => {
      while (clients.length < CLIENTS) clients.push(await open());
      await healthy();
    },
    open: () => {
      const opened = clients[turn++ % clients.length];
      if (opened === undefined) throw new Error("The clients are not connected yet.");
      return new RedisStore({ client: opened.client, prefix, timeoutMs });
    },
    healthy,
    end: async () => {
      for (const client of clients) client.close();
    },
  };
}
