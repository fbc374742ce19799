/** A real server on a loopback port, and a client that sends exactly the bytes that it is told. */
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Serves until the test is finished, and gives the port. */
export async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return (server.address() as AddressInfo).port;
}

/** A connection over which a test talks HTTP by hand. */
export class Connection {
  readonly socket: Socket;
  #received = "";
  readonly #ended: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.#received += text;
    });
    // A reset is an end as well; what had arrived by then is what the test looks at.
    this.socket.on("error", () => this.socket.destroy());
    this.#ended = new Promise((resolve) => this.socket.once("close", () => resolve()));
    onTestFinished(() => void this.socket.destroy());
  }

  /** Sends lines, each ended as HTTP ends them. */
  send(...lines: readonly string[]): this {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(""), "latin1");
    return this;
  }

  /** Everything that was received, as soon as it contains `text`. Fails where the connection ends first. */
  async until(text: string): Promise<string> {
    while (!this.#received.includes(text)) {
      if (this.socket.destroyed) throw new Error(`The connection ended without ${JSON.stringify(text)}.`);
      await new Promise<void>((resolve) => {
        const settle = () => {
          this.socket.off("data", settle).off("close", settle);
          resolve();
        };
        this.socket.on("data", settle).on("close", settle);
      });
    }
    return this.#received;
  }

  /** Everything that was received until the server ended the connection. */
  async all(): Promise<string> {
    await this.#ended;
    return this.#received;
  }
}

/** Sends one request by hand, and gives the whole answer. */
export async function exchange(port: number, ...lines: readonly string[]): Promise<string> {
  const [requestLine = "", ...rest] = lines;
  return new Connection(port).send(requestLine, "connection: close", ...rest).all();
}
