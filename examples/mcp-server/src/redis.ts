/** Redis as the storage, through ioredis: one server, or the whole cluster where the URL names one of its servers. */
import { RedisStore } from "@sallyport/storage-redis";
import { Cluster, Redis } from "ioredis";
import { EnvironmentError } from "./configuration.ts";
import type { OpenStorage } from "./open-storage.ts";
import { tellOutages } from "./outages.ts";

/** Milliseconds that the server has for its first answers. */
const PATIENCE = 3000;

/** What a URL says of a server. */
interface Address {
  readonly href: string;
  readonly isEncrypted: boolean;
  readonly username: string;
  readonly password: string;
}

/** @throws {EnvironmentError} (as a rejection) for a URL that is none, and for a server that can't be used */
export async function openRedis(setting: string): Promise<OpenStorage> {
  const address = parseAddress(setting);
  // What is wrong with the URL may well be the password in it.
  if (address === undefined)
    throw new EnvironmentError([
      "STORAGE: has to be a URL such as redis://127.0.0.1:6379, with whatever is special in a password percent-encoded",
    ]);
  // A command whose answer was lost with the connection is not repeated: the store has given it up, and has told its caller so.
  const client = (await isCluster(setting))
    ? clusterAt(address)
    : new Redis(setting, { autoResendUnfulfilledCommands: false });
  tellOutages(client, "ready");
  const storage = new RedisStore({ client });
  return {
    storage,
    close: async () => {
      await storage.close();
      client.disconnect();
    },
  };
}

function parseAddress(setting: string): Address | undefined {
  if (!URL.canParse(setting)) return undefined;
  const { href, protocol, hostname, username, password } = new URL(setting);
  if (hostname === "" || !isPercentEncoded(username) || !isPercentEncoded(password)) return undefined;
  return {
    href,
    isEncrypted: protocol === "rediss:",
    username: decodeURIComponent(username),
    password: decodeURIComponent(password),
  };
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch (error) {
    if (error instanceof URIError) return false;
    throw error;
  }
}

/** Asks the server what it is, once and without patience: whatever is wrong with it is said at the start, and not by the first sign-in. */
async function isCluster(setting: string): Promise<boolean> {
  const problems: Error[] = [];
  const probe = new Redis(setting, {
    lazyConnect: true,
    enableReadyCheck: false,
    retryStrategy: () => null,
    connectTimeout: PATIENCE,
    commandTimeout: PATIENCE,
  });
  // A wrong password, or a database that is not there, is told here and nowhere else.
  probe.on("error", (error: Error) => problems.push(error));
  try {
    await probe.connect();
    const about = await probe.info("cluster");
    if (problems[0] !== undefined) throw problems[0];
    return about.includes("cluster_enabled:1");
  } catch (error) {
    const { message } = problems[0] ?? (error instanceof Error ? error : new Error(String(error)));
    throw new EnvironmentError([`STORAGE: Redis can't be used: ${message}`], error);
  } finally {
    // One that has ended already would wait for another end.
    if (probe.status !== "end") probe.disconnect();
  }
}

/** The other servers of a cluster are known by their addresses only; how to speak to them is what the URL says of the first. */
function clusterAt({ href, isEncrypted, username, password }: Address): Cluster {
  return new Cluster([href], {
    redisOptions: {
      ...(isEncrypted ? { tls: {} } : {}),
      ...(username === "" ? {} : { username }),
      ...(password === "" ? {} : { password }),
    },
  });
}
