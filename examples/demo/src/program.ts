/** A program of its own that the demo starts, watches and ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const READY = "ready ";
/** Milliseconds for a program to start, and for a line to come that has to come. */
const PATIENCE = 20_000;

/** A program ended though nobody ended it, or kept silent. */
export class ProgramFailed extends Error {
  override readonly name = "ProgramFailed";
}

/** A program that is up. */
export class Program {
  readonly name: string;
  /** What it said it is ready at. */
  readonly url: string;
  /** Fails when the program ends on its own; it never fulfils. */
  readonly crashed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #output: Output;
  #ending = false;

  private constructor(name: string, child: ChildProcess, output: Output, url: string, stop: AbortSignal) {
    this.name = name;
    this.url = url;
    this.#child = child;
    this.#output = output;
    this.crashed = new Promise((_resolve, reject) => {
      child.once("exit", (code, signal) => {
        if (!this.#ending && !stop.aborted) reject(ended(name, code, signal, output));
      });
    });
    // Whoever waits for something of this program races it against this promise; while nobody does, it is no unhandled rejection.
    this.crashed.catch(() => undefined);
  }

  /**
   * Starts a module of this repository with Node and waits until it says `ready URL`.
   *
   * @param environment what it is configured with; nothing else of this process's environment reaches it, but for the path
   * @param stop ends it, at any time, and then its end is none to be told of
   * @throws {ProgramFailed} where it ends instead, with the last of what it wrote
   */
  static async start(
    name: string,
    specifier: string,
    environment: Readonly<Record<string, string>>,
    stop: AbortSignal,
  ): Promise<Program> {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve(specifier))], {
      env: { ...inherited(), ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // Whatever happens to the demo, nothing that it started stays behind.
    process.once("exit", () => child.kill("SIGKILL"));
    stop.addEventListener("abort", () => child.kill(), { once: true });
    const output = new Output(child);
    const exited = once(child, "exit").then(([code, signal]) => {
      throw ended(name, code, signal, output);
    });
    const line = await Promise.race([output.line(READY), exited]);
    return new Program(name, child, output, line.slice(READY.length).trim(), stop);
  }

  /** How many lines it has written so far; a mark for {@link line}. */
  get mark(): number {
    return this.#output.lines.length;
  }

  /** What it has written since a mark. */
  linesSince(mark: number): readonly string[] {
    return this.#output.lines.slice(mark);
  }

  /** Waits for a line that begins like this, written after the mark. */
  line(beginning: string, mark: number): Promise<string> {
    return Promise.race([this.#output.line(beginning, mark), this.crashed]);
  }

  /** Ends it, and waits until it is gone. */
  async end(): Promise<void> {
    this.#ending = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await gone;
  }
}

/** What a program wrote, line by line. */
class Output {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly #written = new EventEmitter();

  constructor(child: ChildProcess) {
    if (child.stdout === null || child.stderr === null) throw new Error("The program's output is not readable.");
    createInterface(child.stdout).on("line", (line) => {
      this.lines.push(line);
      this.#written.emit("line");
    });
    createInterface(child.stderr).on("line", (line) => this.errors.push(line));
  }

  async line(beginning: string, mark = 0): Promise<string> {
    const patience = AbortSignal.timeout(PATIENCE);
    for (;;) {
      const found = this.lines.slice(mark).find((line) => line.startsWith(beginning));
      if (found !== undefined) return found;
      await once(this.#written, "line", { signal: patience }).catch((cause: unknown) => {
        throw new ProgramFailed(`Nothing came that begins with “${beginning.trim()}”.`, { cause });
      });
    }
  }
}

function inherited(): Record<string, string> {
  const names = ["PATH", "SystemRoot", "TZ"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
}

function ended(name: string, code: number | null, signal: NodeJS.Signals | null, output: Output): ProgramFailed {
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`;
  const last = output.errors.slice(-10).map((line) => `\n    ${line}`);
  return new ProgramFailed(`The ${name} has ended ${how}.${last.join("")}`);
}
