/** What `@sallyport/storage-disk` costs, beside the least that a durable save can cost. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DiskStore } from "@sallyport/storage-disk";
import { AppendOnlyLog } from "./append-only-log.ts";
import type { Result } from "./report.ts";
import { ratios, takeTurns } from "./rounds.ts";

const IN_FLIGHT = 64;
const SAVES = 2048;
const ENTRIES = 100_000;
const SESSIONS = 1_000_000;
/** About as long as a sealed grant. */
const VALUE = "v".repeat(1024);
const DAY = 86_400;

/** Measures in a directory of its own, which is gone afterwards. */
export async function benchStorageDisk(rounds: number): Promise<readonly Result[]> {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-bench-"));
  try {
    return [
      await durableSave(directory, rounds),
      ...(await withEntries(join(directory, "entries"), rounds)),
      await opening(join(directory, "sessions"), rounds),
    ];
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function durableSave(directory: string, rounds: number): Promise<Result> {
  const store = new DiskStore({ directory: join(directory, "saves") });
  const log = await AppendOnlyLog.open(join(directory, "log"));
  let key = 0;
  const [disk, least] = await takeTurns(
    [
      { name: "DiskStore", run: () => inFlight(() => store.save(`key:${key++}`, VALUE, DAY)) },
      { name: "append-only log", run: () => inFlight(() => log.append(VALUE)) },
    ],
    rounds,
  );
  await store.close();
  await log.close();
  if (disk === undefined || least === undefined) throw new Error("nothing was measured");
  return {
    what: "durable save, 64 in flight, over an append-only log",
    values: ratios(disk, least),
    unit: "×",
    target: 1.5,
  };
}

async function inFlight(work: () => Promise<void>): Promise<void> {
  let left = SAVES;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await work();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function withEntries(directory: string, rounds: number): Promise<readonly Result[]> {
  const store = new DiskStore({ directory });
  await fill(store, ENTRIES);
  const reads = 2000;
  const [get, cleanup] = await takeTurns(
    [
      {
        name: "get",
        run: async () => {
          for (let index = 0; index < reads; index += 1) await store.get(`key:${(index * 7919) % ENTRIES}`);
        },
      },
      { name: "cleanup", run: () => store.cleanup() },
    ],
    rounds,
  );
  await store.close();
  const microseconds = (get?.times ?? []).map((time) => (time / reads) * 1000);
  return [
    { what: "get at 100,000 entries", values: microseconds, unit: "µs", target: 10 },
    { what: "cleanup of 100,000 entries, none expired", values: cleanup?.times ?? [], unit: "ms", target: 1 },
  ];
}

async function opening(directory: string, rounds: number): Promise<Result> {
  const filled = new DiskStore({ directory });
  await fill(filled, SESSIONS);
  await filled.close();
  const [open] = await takeTurns(
    [
      {
        name: "open",
        run: async () => {
          const store = new DiskStore({ directory });
          await store.get("key:1");
          await store.close();
        },
      },
    ],
    rounds,
  );
  return { what: "open a million sessions, and read one", values: open?.times ?? [], unit: "ms", target: 1000 };
}

async function fill(store: DiskStore, count: number): Promise<void> {
  const atOnce = 10_000;
  for (let from = 0; from < count; from += atOnce) {
    const keys = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => `key:${from + index}`);
    await Promise.all(keys.map((key) => store.save(key, VALUE, DAY)));
  }
}
