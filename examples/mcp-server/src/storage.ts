/** Which storage keeps the sign-ins, chosen by the variable STORAGE. */
import { MemoryTokenStorage } from "@sallyport/oauth-core";
import { EnvironmentError } from "./configuration.ts";
import type { OpenStorage } from "./open-storage.ts";

/** How to open each kind, by what stands before the colon. Only the one that was chosen is loaded: the others cost no start their time. */
const STORAGES: ReadonlyMap<string, (setting: string) => Promise<OpenStorage>> = new Map([
  ["memory", openMemory],
  ["disk", async (setting) => (await import("./disk.ts")).openDisk(setting)],
  ["redis", openRedis],
  ["rediss", openRedis],
  ["postgres", openPostgres],
  ["postgresql", openPostgres],
]);

/**
 * Opens the storage that a setting such as `memory`, `disk:/var/lib/mcp` or `redis://127.0.0.1:6379` names. One that does not answer is
 * not opened.
 *
 * @throws {EnvironmentError} (as a rejection) for a kind that this server does not know, or a place where nothing can be kept; a password in
 *   the setting is not repeated
 */
export async function openStorage(setting: string): Promise<OpenStorage> {
  const [kind = ""] = setting.split(":", 1);
  const open = STORAGES.get(kind);
  if (open === undefined) throw new EnvironmentError([`STORAGE: has to be one of ${[...STORAGES.keys()].join(", ")}`]);
  return open(setting);
}

async function openMemory(): Promise<OpenStorage> {
  return { storage: new MemoryTokenStorage(), close: async () => undefined };
}

async function openRedis(url: string): Promise<OpenStorage> {
  return (await import("./redis.ts")).openRedis(url);
}

async function openPostgres(url: string): Promise<OpenStorage> {
  return (await import("./postgres.ts")).openPostgres(url);
}
