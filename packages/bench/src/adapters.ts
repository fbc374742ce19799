/** What it costs to mount an adapter: the same requests to the bare framework and to the framework with the adapter in front. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { frameworks, PATHS } from "./frameworks.ts";
import type { Result } from "./report.ts";
import { type Contender, ratios, takeTurns } from "./rounds.ts";

/** Requests of one turn, and over how many connections they go; each connection has one at a time, as real ones do. */
const REQUESTS = 10_000;
const CONNECTIONS = 50;

/** How often both servers are started anew: two processes of one program are not equally fast, each for as long as it lives. */
const STARTS = 3;

/** What an adapter may cost. */
const TARGET = 1.1;

const QUESTIONS = [
  ["falls through", PATHS.login],
  ["is for the metadata", PATHS.metadata],
] as const;

/** Measures every framework in {@link frameworks}, by the time of the processor that its server uses: whatever else runs counts for nobody. */
export async function benchAdapters(rounds: number): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const name of Object.keys(frameworks)) {
    const values = QUESTIONS.map((): number[] => []);
    for (let start = 0; start < STARTS; start += 1) {
      const [bare, mounted] = [await FrameworkServer.start(name, "bare"), await FrameworkServer.start(name, "mounted")];
      for (const [index, [, path]] of QUESTIONS.entries()) {
        const contenders = [await bare.contender(path), await mounted.contender(path)];
        const [withoutAdapter, withAdapter] = await takeTurns(contenders, Math.ceil(rounds / STARTS));
        if (withoutAdapter === undefined || withAdapter === undefined) throw new Error("somebody did not run");
        values[index]?.push(...ratios(withAdapter, withoutAdapter));
      }
      await Promise.all([bare.stop(), mounted.stop()]);
    }
    for (const [index, [what]] of QUESTIONS.entries()) {
      const told = `a request that ${what}: ${name}, over it bare`;
      results.push({ what: told, values: values[index] ?? [], unit: "×", target: TARGET });
    }
  }
  return results;
}

/** A server in a process of its own, and connections to it. */
class FrameworkServer {
  readonly #program: ChildProcess;
  readonly #connections: readonly Socket[];

  private constructor(program: ChildProcess, connections: readonly Socket[]) {
    this.#program = program;
    this.#connections = connections;
  }

  static async start(name: string, how: "bare" | "mounted"): Promise<FrameworkServer> {
    const program = fork(fileURLToPath(new URL("framework-server.ts", import.meta.url)), [name, how]);
    const [port] = await once(program, "message");
    const connections = Array.from({ length: CONNECTIONS }, () => connect(Number(port), "127.0.0.1"));
    await Promise.all(connections.map((connection) => once(connection, "connect")));
    return new FrameworkServer(program, connections);
  }

  async contender(path: string): Promise<Contender> {
    const request = `GET ${path} HTTP/1.1\r\nhost: mcp.example.com\r\n\r\n`;
    const [first] = this.#connections;
    if (first === undefined) throw new Error("there is no connection");
    const length = await lengthOfAnswer(first, request);
    return {
      name: path,
      run: async () => {
        const each = REQUESTS / CONNECTIONS;
        await Promise.all(this.#connections.map((connection) => ask(connection, request, length, each)));
      },
      clock: async () => {
        const answer = once(this.#program, "message");
        this.#program.send("used");
        const [milliseconds] = await answer;
        return Number(milliseconds);
      },
    };
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    this.#program.kill();
    await once(this.#program, "exit");
  }
}

/** Asks the same over and over, each time when the answer before has arrived. */
function ask(connection: Socket, request: string, length: number, times: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let [received, answered] = [0, 0];
    const settle = (finish: () => void) => {
      connection.off("data", onData).off("close", onClose);
      finish();
    };
    const onData = (bytes: Buffer) => {
      received += bytes.byteLength;
      if (received < length) return;
      if (received > length) return settle(() => reject(new Error("the answers differ in length")));
      [received, answered] = [0, answered + 1];
      if (answered === times) return settle(resolve);
      connection.write(request);
    };
    const onClose = () => settle(() => reject(new Error("the connection was closed")));
    connection.on("data", onData).on("close", onClose);
    connection.write(request);
  });
}

/** How many bytes the answer to a request has; every further one has as many. */
async function lengthOfAnswer(connection: Socket, request: string): Promise<number> {
  const [requestLine = ""] = request.split("\r\n", 1);
  let received = "";
  connection.write(request);
  for (;;) {
    const [bytes] = await once(connection, "data");
    received += String(bytes);
    const [head = "", body] = received.split("\r\n\r\n");
    if (body === undefined) continue;
    if (!head.startsWith("HTTP/1.1 200")) throw new Error(`${requestLine} was not answered with 200`);
    const [, length] = /content-length: (\d+)/i.exec(head) ?? [];
    if (length === undefined) throw new Error(`the answer to ${requestLine} has no length`);
    if (body.length >= Number(length)) return received.length;
  }
}
