/** A server as a process of its own, which can be killed, paused, and started again, and which does not outlive the tests. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** What to run, and how to see that it runs. */
export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  /** The folder that it works in. */
  readonly directory: string;
  /** A line that the server writes when it accepts connections. */
  readonly ready: RegExp;
  /** The user that it runs as. Default: this process's. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

/** Lines of a server's log that an error repeats. */
const LAST_LINES = 15;

/**
 * What ends a server when this process ends, however it ends: a shell that reads from a pipe which nobody else holds, and reads its end
 * then. It is not enough to kill in an `exit` handler, because whoever is killed runs none. Each line of the pipe names the processes that
 * are stopped: those don't notice that their parent is gone.
 */
const WATCH = 'while read -r line; do stopped=$line; done; kill -9 "$1" $stopped';

/** One server, which may run several times over the same folder. */
export class ServerProcess {
  readonly #command: ServerCommand;
  #child: ChildProcess | undefined;
  #watch: ChildProcess | undefined;
  /** The processes that are stopped, so that the right ones go on. */
  #paused: readonly number[] = [];

  constructor(command: ServerCommand) {
    this.#command = command;
  }

  /**
   * Starts the server, and waits until it accepts connections.
   *
   * @throws {Error} with the end of its log, where it ends instead
   */
  async start(): Promise<void> {
    const { program, args, directory, ready, user } = this.#command;
    const child = spawn(program, args, { cwd: directory, stdio: ["ignore", "pipe", "pipe"], ...user });
    this.#child = child;
    // In a session of its own, because a signal may be sent to the whole group of processes that the tests run in.
    const watch = spawn("sh", ["-c", WATCH, "watch", String(child.pid)], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#watch = watch;
    child.once("exit", () => watch.kill("SIGKILL"));
    const lines: string[] = [];
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on("line", (line) => {
          lines.push(line);
          if (lines.length > LAST_LINES) lines.shift();
          if (ready.test(line)) resolve();
        });
      }
      child.once("error", reject);
      child.once("close", () => reject(new Error(`${program} ended instead of starting:\n${lines.join("\n")}`)));
    });
  }

  /** Ends it without giving it a chance to save anything, as `kill -9` does, its children included, and waits for the end. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, "close");
    for (const pid of this.#family()) trySignal(pid, "SIGKILL");
    this.#paused = [];
    await closed;
  }

  /** Stops it in the middle of whatever it does: connections stay open and nobody answers. */
  pause(): void {
    this.#paused = this.#family();
    this.#tellWatch();
    // A child may have ended since: a backend does when its client goes.
    for (const pid of this.#paused) trySignal(pid, "SIGSTOP");
  }

  /** Lets it go on. */
  resume(): void {
    if (this.#paused.length === 0) return;
    for (const pid of this.#paused) trySignal(pid, "SIGCONT");
    this.#paused = [];
    this.#tellWatch();
  }

  /** Who is stopped now. A watch whose server has ended has nobody to end. */
  #tellWatch(): void {
    if (this.#family().length > 0) this.#watch?.stdin?.write(`${this.#paused.join(" ")}\n`);
  }

  /** The server's process and its children; nobody else's. */
  #family(): readonly number[] {
    const pid = this.#child?.pid;
    if (pid === undefined || this.#child?.exitCode !== null || this.#child.signalCode !== null) return [];
    return [pid, ...childrenOf(pid)];
  }
}

/** The processes that a process has started. Linux tells it in files; a small system has no `ps`. */
function childrenOf(pid: number): readonly number[] {
  if (existsSync("/proc/self/stat")) {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
      .map(Number);
  }
  const rows = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  return rows.flatMap((row) => {
    const [child, parent] = row.trim().split(/\s+/).map(Number);
    return child !== undefined && parent === pid ? [child] : [];
  });
}

/** `pid (name) state ppid …`, where the name may have spaces and parentheses of its own; `undefined` for a process that has ended. */
function parentOf(pid: string): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(
      status
        .slice(status.lastIndexOf(")") + 1)
        .trim()
        .split(" ")[1],
    );
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return undefined;
    throw error;
  }
}

/** Sends a signal to a process that may have ended by itself meanwhile. */
function trySignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
