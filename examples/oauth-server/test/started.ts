/** The programs, started as the README says. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const folder = fileURLToPath(new URL("../", import.meta.url));
const root = fileURLToPath(new URL("../../../", import.meta.url));

interface Command {
  readonly cwd: string;
  readonly program: readonly string[];
}

function scriptOf(place: string, name: string): string {
  const { scripts } = JSON.parse(readFileSync(`${place}package.json`, "utf8")) as { scripts: Record<string, string> };
  return scripts[name] ?? "";
}

/** What the README's commands lead to, without the build in front of it: the tests run after a build. */
function readCommands(): { readonly server: Command; readonly clients: readonly Command[] } {
  const readme = readFileSync(`${folder}README.md`, "utf8");
  const commands = [
    ...readme.matchAll(/^npx -y pnpm@12 (?:--filter @sallyport\/example-oauth-server )?(\S+) ?(.*)$/gm),
  ];
  const [server, ...clients] = commands.map(([whole, name = "", rest = ""]): Command => {
    const cwd = whole.includes("--filter") ? folder : root;
    const [, program = ""] = /(?:^|&& )node (\S+)$/.exec(scriptOf(cwd, name)) ?? [];
    return { cwd, program: [`${cwd}${program}`, ...rest.split(" ").filter((word) => word !== "")] };
  });
  if (server === undefined) throw new Error("The README has no command.");
  return { server, clients };
}

export const COMMANDS = readCommands();

/** A program that was started; it ends with the test. */
export class Started {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #reader: Interface;
  readonly #exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
  readonly #errors: Promise<string>;
  #isOver = false;

  constructor({ cwd, program }: Command, environment: Readonly<Record<string, string>> = {}, ...more: string[]) {
    const child = spawn(process.execPath, [...program, ...more], {
      cwd,
      env: { PATH: dirname(process.execPath), NO_COLOR: "1", ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    this.#errors = text(child.stderr);
    this.#reader = createInterface(child.stdout).on("line", (line) => this.lines.push(line));
    this.#exited = once(child, "close").then(([code, signal]) => {
      this.#isOver = true;
      return [code, signal] as const;
    });
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await this.#exited;
    });
  }

  /** Everything that it has said so far. */
  get said(): string {
    return this.lines.join("\n");
  }

  /** Waits until a line is said, and gives what the pattern found in it, or all of it. @throws where the program ends before */
  async line(pattern: RegExp, after = 0): Promise<string> {
    for (;;) {
      for (const line of this.lines.slice(after)) {
        const found = pattern.exec(line);
        if (found !== null) return found[1] ?? line;
      }
      if (this.#isOver) throw new Error(`The program has ended: ${await this.#errors}\n${this.said}`);
      await Promise.race([once(this.#reader, "line"), this.#exited]);
    }
  }

  /** How it ended, and what it complained about. */
  async ended(): Promise<{ readonly code: number | null; readonly errors: string }> {
    const [code] = await this.#exited;
    return { code, errors: await this.#errors };
  }

  /** Asks it to end as an operator does. */
  async stop(): Promise<{ readonly code: number | null; readonly errors: string }> {
    this.#child.kill("SIGTERM");
    return this.ended();
  }
}

/** The server on a free port, ready. */
export async function startedServer(environment: Readonly<Record<string, string>> = {}) {
  const server = new Started(COMMANDS.server, { PORT: "0", ...environment });
  return { server, url: await server.line(/^ready (http\S+)$/) };
}
