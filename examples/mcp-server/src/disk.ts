/** A directory as the storage. */
import { DiskStore, DiskStoreError } from "@sallyport/storage-disk";
import { EnvironmentError } from "./configuration.ts";
import type { OpenStorage } from "./open-storage.ts";

/** @throws {EnvironmentError} (as a rejection) for a directory in which nothing can be kept */
export async function openDisk(setting: string): Promise<OpenStorage> {
  const directory = setting.slice("disk:".length);
  if (directory === "") throw new EnvironmentError(["STORAGE: disk needs a directory, as in disk:/var/lib/mcp"]);
  try {
    const storage = new DiskStore({ directory });
    return { storage, close: () => storage.close() };
  } catch (error) {
    if (error instanceof DiskStoreError) throw new EnvironmentError([`STORAGE: ${error.message}`], error);
    throw error;
  }
}
