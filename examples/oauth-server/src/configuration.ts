/** The server's configuration: environment variables and nothing else. */
import { EnvironmentError, type Place, readPlace } from "@sallyport/example-mcp-server/configuration";

/** The variables, each with what it means; the table of the README is this one. */
export const VARIABLES = {
  PORT: "Where to listen. 0 takes any free port. Default: 3000.",
  HOST: "The address to listen on. Default: 127.0.0.1.",
  BASE_URL:
    "The public URL, from which every URL is made that leaves the server. Default: HOST and PORT, where HOST is a loopback address.",
  STORAGE:
    "Where users and sign-ins are kept: memory, disk:DIRECTORY, or a redis://, rediss://, postgres:// or postgresql:// URL. All but memory outlive a restart. Default: memory.",
  SECRET:
    "The secret from which all keys are derived, at least 32 bytes. Default: with memory, one that is made up at each start; with disk, one that is made up once and kept in DIRECTORY/secret.",
  DEMO_PASSWORD:
    "The password with which demo_user is made. Default: demo_password, where BASE_URL is a loopback address.",
  DEMO_CLIENT_SECRET: "The secret of demo_client. Default: demo_secret, where BASE_URL is a loopback address.",
  REFRESH_GRACE_PERIOD:
    "Seconds after its first use for which a refresh token may be used again. Default: 10, so that the client can show its end.",
} as const;

/** What the variables said. */
export interface Configuration extends Place {
  readonly storage: string;
  /** Undefined: made up. */
  readonly secret: string | undefined;
  readonly demoPassword: Chosen;
  readonly demoClientSecret: Chosen;
  /** Seconds. */
  readonly refreshGracePeriod: number;
}

/** A secret of the demonstration: one that stands in the README, or one that somebody has chosen and that nobody else should see. */
export interface Chosen {
  readonly value: string;
  readonly isPublished: boolean;
}

const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

/**
 * Reads the configuration. A variable that is set to nothing counts as not set.
 *
 * @throws {EnvironmentError} with everything that is missing or can't be understood
 */
export function readConfiguration(environment: Readonly<Record<string, string | undefined>>): Configuration {
  const problems: string[] = [];
  const place = readPlace(environment, problems);
  // What stands in a README opens a server to everybody who can reach it.
  const isPublic = place.baseUrl !== undefined && !LOOPBACK.includes(URL.parse(place.baseUrl)?.hostname ?? "");
  const choose = (name: "DEMO_PASSWORD" | "DEMO_CLIENT_SECRET", published: string): Chosen => {
    const value = environment[name] || undefined;
    if (value === undefined && isPublic)
      problems.push(`${name}: has to be set where BASE_URL is not a loopback address`);
    return { value: value ?? published, isPublished: value === undefined };
  };

  const grace = environment["REFRESH_GRACE_PERIOD"] || "10";
  if (!/^\d{1,4}$/.test(grace)) problems.push("REFRESH_GRACE_PERIOD: has to be a whole number from 0 to 9999");

  const storage = environment["STORAGE"] || "memory";
  const secret = environment["SECRET"] || undefined;
  if (secret === undefined && !/^(memory$|disk:)/.test(storage))
    problems.push("SECRET: has to be set where STORAGE is shared with other processes");
  if (secret !== undefined && Buffer.byteLength(secret) < 32) problems.push("SECRET: has to have at least 32 bytes");

  const configuration: Configuration = {
    ...place,
    storage,
    secret,
    demoPassword: choose("DEMO_PASSWORD", "demo_password"),
    demoClientSecret: choose("DEMO_CLIENT_SECRET", "demo_secret"),
    refreshGracePeriod: Number(grace),
  };
  if (problems.length > 0) throw new EnvironmentError(problems);
  return configuration;
}
