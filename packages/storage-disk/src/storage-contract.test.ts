/** The whole storage contract, nothing waived. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StatementSync } from "node:sqlite";
import { type StorageSubject, storageContract } from "@sallyport/contracts";
import { afterAll, beforeAll, test, vi } from "vitest";
import { DiskStore } from "./disk-store.ts";

let directory = "";
let now = 1_800_000_000.5;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sallyport-disk-"));
});

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** What SQLite says when the disk no longer answers. */
const unreachable = (): never => {
  throw Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR", errcode: 10 });
};

const subject: StorageSubject = {
  open: async () => new DiskStore({ directory, now: () => now }),
  advance: async (seconds) => {
    now += seconds;
  },
  virtualTime: true,
  fail: async () => {
    const spies = (["get", "all", "run"] as const).map((verb) =>
      vi.spyOn(StatementSync.prototype, verb).mockImplementation(unreachable),
    );
    return async () => {
      for (const spy of spies) spy.mockRestore();
    };
  },
};

test.each(storageContract.map((clause) => [clause.id, clause.sentence, clause] as const))(
  "%s: %s",
  { timeout: 60_000 },
  async (_id, _sentence, clause) => {
    await clause.check(subject);
  },
);
