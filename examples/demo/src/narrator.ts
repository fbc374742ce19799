/** How the demo tells its story in the terminal: steps, what went over the wire, and what was found to hold. */
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Something that had to hold did not. */
export class DidNotHold extends Error {
  override readonly name = "DidNotHold";
}

/** Parameters that open something, or lead to what does. */
const SECRET =
  /^(access_token|refresh_token|token|code|code_verifier|code_challenge|client_secret|state|client_id|authorization|id_token|transaction|csrf)$/;
const LONGEST = 180;

/** Shows that a secret is there, and which one, without giving it away: `eyJhbG…3kQ`. */
export function shortened(secret: string): string {
  return secret.length <= 12 ? "…" : `${secret.slice(0, 6)}…${secret.slice(-3)}`;
}

function clipped(value: string): string {
  return value.length <= LONGEST ? value : `${value.slice(0, LONGEST - 1)}…`;
}

/** Long words in a path are as good as secrets: whoever has them can go on with somebody's sign-in. */
function place({ origin, pathname }: URL): string {
  return origin + pathname.replace(/[^/]{32,}/g, shortened);
}

/** How a parameter is shown. */
export function shown(name: string, value: unknown): string {
  if (value instanceof URL) return place(value);
  if (typeof value === "string") return SECRET.test(name) ? shortened(value) : clipped(value);
  return clipped(JSON.stringify(value));
}

/** An exchange as it is told. */
export interface Told {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly sent?: Readonly<Record<string, unknown>> | undefined;
  readonly received?: Readonly<Record<string, unknown>> | undefined;
}

/** Writes to the terminal; colours stay away where NO_COLOR says so, and where there is no terminal. */
export class Narrator {
  readonly #write: (line: string) => void;
  #step = 0;
  #held = 0;

  constructor(write: (line: string) => void = console.log) {
    this.#write = write;
  }

  /** How many checks have held. */
  get held(): number {
    return this.#held;
  }

  title(text: string): void {
    this.#write(`\n  ${paint("bold", text)}\n`);
  }

  /** A line of its own, such as a heading's. */
  plain(text = ""): void {
    this.#write(text === "" ? "" : `  ${text}`);
  }

  /** A name and what belongs to it. */
  pair(name: string, value: string): void {
    this.#write(`  ${paint("dim", name.padEnd(20))}${value}`);
  }

  /** Begins a step. */
  step(text: string): void {
    this.#step += 1;
    this.#write(`\n${paint("cyan", String(this.#step).padStart(3))}  ${paint("bold", text)}`);
  }

  /** Explains what is going on, in a sentence or two. */
  say(text: string): void {
    for (const line of wrapped(text, 88)) this.#write(`     ${paint("dim", line)}`);
  }

  /** One request, and what of it and of its answer tells what it is about. */
  exchange({ method, url, status, sent = {}, received = {} }: Told): void {
    this.#write(`     ${method} ${place(url)}  ${paint(status < 400 ? "green" : "yellow", String(status))}`);
    this.parameters("→", sent);
    this.parameters("←", received);
  }

  /** Parameters, with an arrow for the way that they go. */
  parameters(arrow: string, parameters: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) this.#write(paint("dim", `       ${arrow} ${name.padEnd(26)} ${shown(name, value)}`));
    }
  }

  /** What stands on a page. */
  quote(text: string): void {
    for (const line of wrapped(`“${text}”`, 84)) this.#write(`       ${paint("italic", line)}`);
  }

  /** Several lines as they are, such as a tool's answer. */
  block(text: string): void {
    for (const line of text.split("\n")) this.#write(`          ${paint("dim", line)}`);
  }

  /**
   * Says that something holds.
   *
   * @throws {DidNotHold} where it does not
   */
  check(holds: boolean, sentence: string): asserts holds {
    if (!holds) {
      this.#write(`   ${paint("red", "✗")} ${sentence}`);
      throw new DidNotHold(`This did not hold: ${sentence}`);
    }
    this.#held += 1;
    this.#write(`   ${paint("green", "✓")} ${sentence}`);
  }
}

function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
