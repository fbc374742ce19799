/** TypeScript programs as processes of their own, which say what they did line by line. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** What makes a program find the other packages as tests do. */
const FROM_SOURCE = new URL("../../../tools/from-source.ts", import.meta.url).href;

/** How a program ended, and everything that it said. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly complaints: string;
}

/** A process that was started for a test. End it with the test: `onTestFinished(() => program.kill())`. */
export class Program {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: (() => void)[] = [];

  constructor(file: URL, ...args: readonly string[]) {
    // Without the warnings about what is experimental in Node.js, whatever a program says on stderr is a complaint.
    const flags = ["--no-warnings", "--import", FROM_SOURCE];
    const child = spawn(process.execPath, [...flags, fileURLToPath(file), ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child = child;
    const complaints = text(child.stderr);
    createInterface(child.stdout).on("line", (line) => {
      this.#lines.push(line);
      this.#look();
    });
    this.ended = once(child, "close").then(async ([code, signal]) => {
      this.#look();
      return { code, signal, lines: this.#lines, complaints: await complaints };
    });
  }

  /** What it has said so far. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** When it has said so many lines, or has ended before. */
  async said(lines: number): Promise<void> {
    while (this.#lines.length < lines && this.#child.exitCode === null && this.#child.signalCode === null) {
      await new Promise<void>((look) => this.#waiting.push(look));
    }
  }

  /** Lets it go on, where it waits for a line. */
  go(): void {
    this.#child.stdin?.write("go\n");
  }

  /** Ends it as a power cut would, as far as a process can notice. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  #look(): void {
    for (const look of this.#waiting.splice(0)) look();
  }
}
