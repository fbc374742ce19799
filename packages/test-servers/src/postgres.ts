/** A PostgreSQL server for a test. */

import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";
import { installedPostgres } from "./installation.ts";
import { ServerProcess } from "./server-process.ts";

const ATTEMPTS = 5;
const ROLE = "sallyport";

/** One PostgreSQL server with one empty database. What it has confirmed survives the server, though not the machine. */
export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  /** Stops answering, with its connections open. */
  pause(): void;
  resume(): void;
  /** `kill -9`, to all of its processes. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and with the same data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Starts a server. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = (await installedPostgres()) ?? "";
  const user = unprivileged();
  const directory = mkdtempSync(join(tmpdir(), "sallyport-postgres-"));
  const data = join(directory, "data");
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  execFileSync(
    join(programs, "initdb"),
    [...["-D", data, "-U", ROLE, "-A", "trust", "-E", "UTF8"], ...["--locale=C", "--no-sync"]],
    { cwd: directory, stdio: "pipe", ...user },
  );
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = new ServerProcess({
      program: join(programs, "postgres"),
      args: ["-D", data, "-p", String(port), ...settings(directory)],
      directory,
      ready: /database system is ready to accept connections/,
      user,
    });
    try {
      await server.start();
    } catch (error) {
      // Somebody else may have taken the port.
      if (attempt < ATTEMPTS) continue;
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
    return {
      url: `postgres://${ROLE}@127.0.0.1:${port}/postgres`,
      port,
      pause: () => server.pause(),
      resume: () => server.resume(),
      kill: () => server.kill(),
      start: () => server.start(),
      stop: async () => {
        server.resume();
        await server.kill();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  }
}

function settings(directory: string): readonly string[] {
  const chosen = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: directory,
    // A process that is killed loses nothing that the operating system has taken over; only a machine would.
    fsync: "off",
    max_connections: "100",
  };
  return Object.entries(chosen).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

/** PostgreSQL refuses to run as root: then it runs as Debian's `postgres`, or as `nobody`. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const number = (which: string): number => Number(execFileSync("id", [which, name], { stdio: "pipe" }));
      return { uid: number("-u"), gid: number("-g") };
    } catch (error) {
      if (name === "nobody") throw error;
    }
  }
  return undefined;
}
