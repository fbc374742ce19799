/** A connection to a server, as cheap as one can be: what the client does takes no time from what is measured. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** One connection, over which one request goes at a time. What is answered is short, and comes in one piece. */
export class Connection {
  readonly #socket: Socket;
  #isAsked = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  /** Milliseconds until the answer, which has to have that status. */
  async ask(request: string, status: number): Promise<number> {
    if (this.#isAsked) throw new Error("requests are answered more slowly than they come");
    this.#isAsked = true;
    const began = performance.now();
    this.#socket.write(request);
    const [answer] = await once(this.#socket, "data");
    const took = performance.now() - began;
    const given = String(answer).slice(0, 12);
    if (given !== `HTTP/1.1 ${status}`) throw new Error(`answered with ${given}, and not with ${status}`);
    this.#isAsked = false;
    return took;
  }

  /** The same again and again, and how often. */
  async askWhile(again: () => boolean, request: string, status: number): Promise<number> {
    let count = 0;
    do {
      await this.ask(request, status);
      count += 1;
    } while (again());
    return count;
  }

  close(): void {
    this.#socket.destroy();
  }
}
