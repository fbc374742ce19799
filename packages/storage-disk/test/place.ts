/** A directory for one test, gone after it. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { DiskStore, type DiskStoreOptions } from "../src/index.ts";

/** A new directory, which only this user can enter. */
export function place(): string {
  const directory = mkdtempSync(join(tmpdir(), "sallyport-disk-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A store for one test, closed after it; in a directory of its own where none is named. */
export function opened(options: Partial<DiskStoreOptions> = {}): DiskStore {
  const store = new DiskStore({ directory: place(), ...options });
  onTestFinished(() => store.close());
  return store;
}

/** Where a store keeps its database. */
export function databaseIn(directory: string): string {
  return join(directory, "sallyport.sqlite");
}
