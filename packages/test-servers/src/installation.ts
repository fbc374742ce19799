/** Where the servers' programs are on this machine; where they can be installed without asking anybody, they are. */

import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** A program, where it may be, and what brings it. */
export interface Installable {
  /** The name of the program. */
  readonly program: string;
  /** Patterns of folders that it may be in beside those of PATH. */
  readonly folders?: readonly string[] | undefined;
  /** Debian's package. */
  readonly debianPackage: string;
  /** The variable that names a running server instead. */
  readonly variable: string;
}

/** What of the surroundings decides; replaced in tests. */
export interface Surroundings {
  readonly environment: NodeJS.ProcessEnv;
  /** Whether this process may install packages with Debian's package manager. */
  readonly mayInstall: boolean;
  install(debianPackage: string, program: string): Promise<void>;
  /** Tells people what is missing. */
  tell(line: string): void;
}

const here: Surroundings = {
  environment: process.env,
  mayInstall: process.getuid?.() === 0 && existsSync("/etc/debian_version") && programOnPath("apt-get") !== undefined,
  install: installDebianPackage,
  tell: (line) => console.warn(line),
};

/**
 * The folder of a program, `undefined` where there is none and cannot be one: then the tests that need it are to be skipped, and one
 * line has told what to install.
 *
 * @throws {Error} with that line instead where the variable CI is `true`, because a skipped suite proves nothing.
 */
export async function installed(wanted: Installable, surroundings: Surroundings = here): Promise<string | undefined> {
  const { environment, mayInstall } = surroundings;
  const present = folderOf(wanted, environment["PATH"]);
  if (present !== undefined) return present;
  if (mayInstall) {
    await surroundings.install(wanted.debianPackage, wanted.program);
    const brought = folderOf(wanted, environment["PATH"]);
    if (brought !== undefined) return brought;
  }
  const line = `There is no ${wanted.program}: install it (Debian: apt-get install ${wanted.debianPackage}), or name a running server in ${wanted.variable}.`;
  if (environment["CI"] === "true" && environment[wanted.variable] === undefined) throw new Error(line);
  surroundings.tell(`skipped: ${line}`);
  return undefined;
}

/** The folder of `redis-server`. */
export function installedRedis(): Promise<string | undefined> {
  return installed({ program: "redis-server", debianPackage: "redis-server", variable: "REDIS_URL" });
}

/** The folder of PostgreSQL's programs. */
export function installedPostgres(): Promise<string | undefined> {
  const folders = ["/usr/lib/postgresql/*/bin", "/usr/local/pgsql/bin", "/opt/homebrew/opt/postgresql*/bin"];
  return installed({ program: "initdb", folders, debianPackage: "postgresql", variable: "DATABASE_URL" });
}

/** The folder of `valkey-server`, where it is on PATH. It is never installed and never missed: Redis stands for it. */
export function installedValkey(): string | undefined {
  return programOnPath("valkey-server");
}

function folderOf({ program, folders = [] }: Installable, path: string | undefined): string | undefined {
  const newestFirst = globSync([...folders]).sort((left, right) => right.localeCompare(left, "en", { numeric: true }));
  return programOnPath(program, path) ?? newestFirst.find((folder) => existsSync(join(folder, program)));
}

function programOnPath(program: string, path = process.env["PATH"]): string | undefined {
  return (path ?? "").split(delimiter).find((folder) => folder !== "" && existsSync(join(folder, program)));
}

/** One at a time over all processes: whoever comes second finds it installed. */
async function installDebianPackage(debianPackage: string, program: string): Promise<void> {
  const script = `command -v ${program} || { apt-get update -q && apt-get install -q -y --no-install-recommends ${debianPackage}; }`;
  await promisify(execFile)("flock", [join(tmpdir(), "sallyport-test-servers.lock"), "sh", "-c", script], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}
