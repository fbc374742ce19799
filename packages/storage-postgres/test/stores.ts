/** Where the stores of a trial come from. */

import type { Stores } from "@sallyport/test-servers/storage-proofs";
import { PostgresStore } from "../src/index.ts";
import type { OpenClient } from "./clients.ts";

const CLIENTS = 2;
/** Short, because the clauses about failure wait for it again and again. */
const IMPATIENT_MS = 600;
/** Long, because this machine may have more to do. */
const PATIENT_MS = 15_000;

/** Which table, and through what. */
export interface Place {
  /** Opens another client of the backend. */
  open(): OpenClient;
  readonly table: string;
}

/** Stores that wait long. They take turns with a few clients, so that two of them never share their connections. */
export function patient(place: Place): Stores {
  return storesIn(place, PATIENT_MS);
}

/** Stores that don't. */
export function impatient(place: Place): Stores {
  return storesIn(place, IMPATIENT_MS);
}

function storesIn({ open, table }: Place, timeoutMs: number): Stores {
  const clients = new Map<number, OpenClient>();
  let instances = 0;
  return {
    begin: async () => {
      const { client, close } = open();
      await new PostgresStore({ client, table, timeoutMs: PATIENT_MS }).migrate();
      await close();
    },
    open: () => {
      const turn = instances++ % CLIENTS;
      const { client } = clients.get(turn) ?? opened(turn);
      return new PostgresStore({ client, table, timeoutMs });
    },
    healthy: () => Promise.all([...clients.values()].map((client) => client.healthy())),
    end: () => Promise.all([...clients.values()].map((client) => client.close())),
  };

  function opened(turn: number): OpenClient {
    const client = open();
    clients.set(turn, client);
    return client;
  }
}
