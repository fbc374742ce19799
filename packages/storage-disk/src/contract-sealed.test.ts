/** What the core seals, over this storage. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SealedStorageSubject, sealedStorageContract } from "@sallyport/contracts";
import { EncryptedTokenStorage } from "@sallyport/oauth-core";
import { afterAll, test } from "vitest";
import { DiskStore } from "./disk-store.ts";

const directory = mkdtempSync(join(tmpdir(), "sallyport-disk-"));
let now = 1_800_000_000.5;

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

const subject: SealedStorageSubject = {
  EncryptedTokenStorage,
  open: async () => new DiskStore({ directory, now: () => now }),
  advance: async (seconds) => {
    now += seconds;
  },
};

test.each(sealedStorageContract.map((clause) => [clause.id, clause.sentence, clause] as const))(
  "%s: %s",
  async (_id, _sentence, clause) => {
    await clause.check(subject);
  },
);
