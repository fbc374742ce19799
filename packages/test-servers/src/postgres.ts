/** A PostgreSQL server for a test. */

import { execFile, execFileSync } from "node:child_process";
import { chownSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { installedPostgres } from "./installation.ts";
import { type StartedServer, startedServer } from "./started-server.ts";

const ROLE = "sallyport";

/** One PostgreSQL server with one empty database. What it has confirmed survives the server, though not the machine. */
export interface PostgresServer extends StartedServer {
  readonly url: string;
}

/** Starts a server. */
export async function startPostgres(): Promise<PostgresServer> {
  const programs = (await installedPostgres()) ?? "";
  const user = unprivileged();
  const directory = mkdtempSync(join(tmpdir(), "sallyport-postgres-"));
  const data = join(directory, "data");
  if (user !== undefined) chownSync(directory, user.uid, user.gid);
  await promisify(execFile)(
    join(programs, "initdb"),
    [...["-D", data, "-U", ROLE, "-A", "trust", "-E", "UTF8"], ...["--locale=C", "--no-sync"]],
    { cwd: directory, ...user },
  );
  const server = await startedServer(directory, (port) => ({
    program: join(programs, "postgres"),
    args: ["-D", data, "-p", String(port), ...settings(directory)],
    ready: /database system is ready to accept connections/,
    user,
  }));
  return { ...server, url: `postgres://${ROLE}@127.0.0.1:${server.port}/postgres` };
}

function settings(directory: string): readonly string[] {
  const chosen = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: directory,
    // A process that is killed loses nothing that the operating system has taken over; only a machine would.
    fsync: "off",
    max_connections: "200",
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
