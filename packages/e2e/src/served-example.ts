/** An example server as a process of its own: the MCP server, started as the script `serve` of this repository starts it, or another one. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The example with accounts of its own. */
export const ACCOUNTS_PROGRAM = "examples/oauth-server/src/main.ts";

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The program of the root script `serve`, without the build in front of it: the tests run after a build. */
function serveProgram(): string {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: { serve: string } };
  const [, program] = /&& node (\S+)$/.exec(scripts.serve) ?? [];
  if (program === undefined) throw new Error("The script `serve` no longer ends in `&& node PROGRAM`.");
  return program;
}

/** A server that said that it is ready. */
export class ServedExample {
  readonly baseUrl: string;
  readonly mcpUrl: URL;
  /** Fulfilled when the process is gone, whoever ended it. */
  readonly exited: Promise<Exit>;
  /** All that it wrote to stderr; fulfilled when it is gone. */
  readonly complaints: Promise<string>;
  /** What it has said so far, line by line. */
  readonly said: readonly string[];
  readonly #child: ChildProcess;

  private constructor(
    child: ChildProcess,
    baseUrl: string,
    said: readonly string[],
    exited: Promise<Exit>,
    complaints: Promise<string>,
  ) {
    this.#child = child;
    this.baseUrl = baseUrl;
    this.said = said;
    this.mcpUrl = new URL(`${baseUrl}/mcp`);
    this.exited = exited;
    this.complaints = complaints;
  }

  /**
   * Starts it and waits until it prints `ready BASE_URL`.
   *
   * @param environment all of its configuration; nothing of this process's environment reaches it
   * @param program default: that of the script `serve`
   */
  static async start(environment: Readonly<Record<string, string>>, program = serveProgram()): Promise<ServedExample> {
    const child = spawn(process.execPath, [program], {
      cwd: root,
      env: { PORT: "0", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const killIt = () => child.kill("SIGKILL");
    process.once("exit", killIt);
    const complaints = text(child.stderr);
    const exited = once(child, "exit").then(([code, signal]): Exit => {
      process.off("exit", killIt);
      return { code, signal };
    });
    const said: string[] = [];
    const ready = new Promise<string>((resolve) => {
      createInterface(child.stdout).on("line", (line) => {
        said.push(line);
        if (line.startsWith("ready ")) resolve(line.slice("ready ".length));
      });
    });
    const early = exited.then(async ({ code }): Promise<string> => {
      throw new Error(`The server ended with exit code ${code} before it was ready:\n${await complaints}`);
    });
    return new ServedExample(child, await Promise.race([ready, early]), said, exited, complaints);
  }

  /** Whether the process is still there. */
  get isUp(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Asks it to end, and waits for nothing. */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /** Asks it to end, and waits until it is gone. */
  async stop(): Promise<Exit> {
    this.terminate();
    return this.exited;
  }

  /** `kill -9`: it can finish nothing and say nothing. Waits until it is gone. */
  async kill(): Promise<Exit> {
    this.#child.kill("SIGKILL");
    return this.exited;
  }
}
