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

/** What to start. */
interface Start {
  readonly name: string;
  readonly specifier: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly stop: AbortSignal;
}

/** A program that is up. */
export class Program {
  readonly name: string;
  /** What it said it is ready at. */
  readonly url: string;
  /** Fails when the program ends on its own; it never fulfils. */
  readonly crashed: Promise<never>;
  readonly #start: Start;
  readonly #output: Output;
  readonly #crash: (failure: ProgramFailed) => void;
  #child: ChildProcess;
  #ending = false;

  private constructor(start: Start, child: ChildProcess, output: Output, url: string) {
    this.name = start.name;
    this.url = url;
    this.#start = start;
    this.#output = output;
    const { promise, reject } = Promise.withResolvers<never>();
    this.crashed = promise;
    this.#crash = reject;
    // Whoever waits for something of this program races it against this promise; while nobody does, it is no unhandled rejection.
    this.crashed.catch(() => undefined);
    this.#child = child;
    this.#watch(child);
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
    const start = { name, specifier, environment, stop };
    const output = new Output();
    const { child, ready } = launch(start, output);
    return new Program(start, child, output, await ready);
  }

  /** Ends it as `kill -9` does, so that it can neither finish nor save anything, and starts it again as it was started before. */
  async killAndStart(): Promise<void> {
    this.#ending = true;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
    this.#start.stop.throwIfAborted();
    this.#ending = false;
    const { child, ready } = launch(this.#start, this.#output);
    this.#child = child;
    this.#watch(child);
    await ready;
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

  #watch(child: ChildProcess): void {
    const { name, stop } = this.#start;
    child.once("exit", (code, signal) => {
      if (!this.#ending && !stop.aborted) this.#crash(ended(name, code, signal, this.#output));
    });
  }
}

/** Starts it; `ready` is what it says that it is ready at. */
function launch(start: Start, output: Output): { readonly child: ChildProcess; readonly ready: Promise<string> } {
  const { name, specifier, environment, stop } = start;
  const child = spawn(process.execPath, [fileURLToPath(import.meta.resolve(specifier))], {
    env: { ...inherited(), ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // Whatever happens to the demo, nothing that it started stays behind.
  process.once("exit", () => child.kill("SIGKILL"));
  stop.addEventListener("abort", () => child.kill(), { once: true });
  const mark = output.lines.length;
  output.read(child);
  const exited = once(child, "exit").then(([code, signal]) => {
    throw ended(name, code, signal, output);
  });
  const said = output.line(READY, mark).then((line) => line.slice(READY.length).trim());
  return { child, ready: Promise.race([said, exited]) };
}

/** What a program wrote, line by line. */
class Output {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly #written = new EventEmitter();

  read(child: ChildProcess): void {
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
