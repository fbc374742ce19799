/** Connections that are cut and servers that are killed in the middle of work: calls reject, and no answer is a lie. */

import { installedPostgres, startPostgres } from "@sallyport/test-servers";
import { noAnswerIsALie } from "@sallyport/test-servers/storage-proofs";
import { describe, test } from "vitest";
import { CLIENTS, CUT } from "../test/clients.ts";
import { PostgresStore } from "./postgres-store.ts";

const TIMEOUT = { timeout: 120_000 };
const CUTS = 6;
const KILLS = 2;

describe.skipIf((await installedPostgres()) === undefined).concurrent.each(Object.entries(CLIENTS))(
  "no answer through %s is a lie",
  (_name, open) => {
    test(
      "while connections are cut, and while the server is killed and started again",
      TIMEOUT,
      async ({ onTestFinished }) => {
        const server = await startPostgres();
        onTestFinished(() => server.stop());
        const [worker, operator] = [open(server), open({ ...server, connections: 1 })];
        onTestFinished(async () => void (await Promise.all([worker.close(), operator.close()])));
        const store = new PostgresStore({ client: worker.client });
        await store.migrate();
        const cut = () => operator.query(CUT);
        const kill = async () => {
          await server.kill();
          await server.start();
        };
        await noAnswerIsALie(store, [...Array(CUTS).fill(cut), ...Array(KILLS).fill(kill)]);
      },
    );
  },
);
