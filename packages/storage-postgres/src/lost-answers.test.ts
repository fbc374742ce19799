/** Connections that are cut and servers that are killed in the middle of work: calls reject, and no answer is a lie. */

import { installedPostgres, startPostgres, until } from "@sallyport/test-servers";
import { describe, expect, onTestFinished, test } from "vitest";
import { CLIENTS } from "../test/clients.ts";
import { Workload } from "../test/workload.ts";
import { PostgresStore } from "./postgres-store.ts";

const TIMEOUT = { timeout: 120_000 };
const CUTS = 6;
const KILLS = 2;

const CUT =
  "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

describe.skipIf((await installedPostgres()) === undefined).each(Object.entries(CLIENTS))(
  "no answer through %s is a lie",
  (_name, open) => {
    test("while connections are cut, and while the server is killed and started again", TIMEOUT, async () => {
      const server = await startPostgres();
      onTestFinished(() => server.stop());
      const [worker, operator] = [open(server), open({ ...server, connections: 1 })];
      onTestFinished(async () => void (await Promise.all([worker.close(), operator.close()])));
      const store = new PostgresStore({ client: worker.client });
      await store.migrate();
      const workload = new Workload(store);
      onTestFinished(async () => void (await workload.stop()));

      const goesOn = async (rounds: number): Promise<void> => {
        const before = workload.confirmed;
        await until("work goes on", () => workload.confirmed > before + rounds);
      };
      for (let cut = 1; cut <= CUTS; cut += 1) {
        await goesOn(5);
        await operator.query(CUT);
      }
      for (let kill = 1; kill <= KILLS; kill += 1) {
        await goesOn(5);
        await server.kill();
        await server.start();
      }
      await goesOn(50);

      const { lies, rejected, claimed } = await workload.stop();
      expect(lies).toEqual([]);
      expect(rejected).toBeGreaterThan(0);
      // Whatever became of the last replace and take: nothing else was ever under these keys.
      for (const key of claimed) expect(["claimed", "replaced", undefined]).toContain(await store.get(key));
    });
  },
);
