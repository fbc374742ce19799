/** Which storage keeps the sign-ins, chosen by the variable STORAGE. */
import { MemoryTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import { DiskStore, DiskStoreError } from "@sallyport/storage-disk";
import { EnvironmentError } from "./configuration.ts";

/** How to open each kind of storage, by what stands before the colon; it is given what stands behind it. */
const STORAGES: ReadonlyMap<string, (location: string) => TokenStorage> = new Map<
  string,
  (location: string) => TokenStorage
>([
  ["memory", () => new MemoryTokenStorage()],
  ["disk", (directory) => new DiskStore({ directory })],
]);

/**
 * Opens the storage that a setting such as `memory` or `disk:/var/lib/mcp` names.
 *
 * @throws {EnvironmentError} for a kind that this server does not know, or a place where nothing can be kept
 */
export function openStorage(setting: string): TokenStorage {
  const [kind = "", ...location] = setting.split(":");
  const open = STORAGES.get(kind);
  if (open === undefined) throw new EnvironmentError([`STORAGE: has to be one of ${[...STORAGES.keys()].join(", ")}`]);
  if (kind === "disk" && location.join(":") === "")
    throw new EnvironmentError(["STORAGE: disk needs a directory, as in disk:/var/lib/mcp"]);
  try {
    return open(location.join(":"));
  } catch (error) {
    if (error instanceof DiskStoreError) throw new EnvironmentError([`STORAGE: ${error.message}`], error);
    throw error;
  }
}
