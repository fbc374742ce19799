/** Programs of this folder as processes of their own, which say what they did line by line. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** What makes a program find the other packages as tests do. */
const FROM_SOURCE = new URL("../../../tools/from-source.ts", import.meta.url).href;

/** How a process ended, and everything that it said. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly complaints: string;
}

/** A process that was started for a test and does not outlive it. */
export class Program {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting: (() => void)[] = [];

  /** @param name a file of this folder, without `.ts` */
  constructor(name: string, ...args: readonly string[]) {
    const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
    // Without the warnings about what is experimental in Node.js, whatever a program says on stderr is a complaint.
    const flags = ["--no-warnings", "--import", FROM_SOURCE];
    const child = spawn(process.execPath, [...flags, file, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    const complaints = text(child.stderr);
    createInterface(child.stdout).on("line", (line) => {
      this.#lines.push(line);
      for (const look of this.#waiting.splice(0)) look();
    });
    this.ended = once(child, "close").then(async ([code, signal]) => {
      for (const look of this.#waiting.splice(0)) look();
      return { code, signal, lines: this.#lines, complaints: await complaints };
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
  }

  /** When it has said so many lines, or has ended before. */
  async said(lines: number): Promise<void> {
    while (this.#lines.length < lines && this.#child.exitCode === null && this.#child.signalCode === null) {
      await new Promise<void>((look) => this.#waiting.push(look));
    }
  }

  /** Lets it go on: every program says a line when it is ready, and waits for one where that matters. */
  go(): void {
    this.#child.stdin?.end("go\n");
  }

  /** Ends it as a power cut would, as far as a process can notice. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
