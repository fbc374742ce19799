/** Which storage keeps the sign-ins, chosen by the variable STORAGE. */
import { MemoryTokenStorage, type TokenStorage } from "@sallyport/oauth-core";
import { EnvironmentError } from "./configuration.ts";

/** How to open each kind of storage, by what stands before the colon; it is given what stands behind it. */
const STORAGES: ReadonlyMap<string, (location: string) => TokenStorage> = new Map([
  ["memory", () => new MemoryTokenStorage()],
]);

/**
 * Opens the storage that a setting such as `memory` names.
 *
 * @throws {EnvironmentError} for a kind that this server does not know
 */
export function openStorage(setting: string): TokenStorage {
  const [kind = "", ...location] = setting.split(":");
  const open = STORAGES.get(kind);
  if (open === undefined) throw new EnvironmentError([`STORAGE: has to be one of ${[...STORAGES.keys()].join(", ")}`]);
  return open(location.join(":"));
}
