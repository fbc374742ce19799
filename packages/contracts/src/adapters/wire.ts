/** HTTP by hand: the bytes that a clause names go out as they are, and come back as they are. RFC 9112. */

import { connect, type Socket } from "node:net";

/** What to send. Nothing of it is escaped, normalised or checked. */
export interface RawRequest {
  /** Default: GET. */
  readonly method?: string | undefined;
  /** The request target. */
  readonly target: string;
  /** In this order, with these repetitions. `Host` is added where it is missing, and the length of the body. */
  readonly headers?: readonly (readonly [name: string, value: string])[] | undefined;
  readonly body?: string | undefined;
  /** Which of this machine's addresses it comes from. Default: 127.0.0.1. */
  readonly from?: string | undefined;
}

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case, values as they were sent, in their order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** UTF-8, with the chunks put together. */
  readonly body: string;
  /** How many bytes followed the head. */
  readonly bodyBytes: number;
}

/** Every value of a header, by its name in lower case. */
export function headerOf({ headers }: RawAnswer, name: string): readonly string[] {
  return headers.filter(([each]) => each === name).map(([, value]) => value);
}

/** The head and the body of a request as bytes; the connection ends with the answer. */
export function formatRequest({ method = "GET", target, headers = [], body }: RawRequest): Buffer {
  const names = new Set(headers.map(([name]) => name.toLowerCase()));
  const content = Buffer.from(body ?? "", "utf8");
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(names.has("host") ? [] : ["Host: 127.0.0.1"]),
    ...(body === undefined || names.has("transfer-encoding") ? [] : [`Content-Length: ${content.byteLength}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
    "",
    "",
  ];
  return Buffer.concat([Buffer.from(lines.join("\r\n"), "latin1"), content]);
}

/** One connection. What arrives is kept until somebody asks for it. */
export class Wire {
  readonly #socket: Socket;
  readonly #waiting = new Set<() => void>();
  #received: Buffer = Buffer.alloc(0);
  #ended = false;

  /** @param from which of this machine's addresses it comes from */
  constructor(port: number, from = "127.0.0.1") {
    this.#socket = connect({ port, host: "127.0.0.1", localAddress: from });
    const wake = () => {
      for (const each of this.#waiting) each();
    };
    this.#socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      wake();
    });
    // A reset is an end as well: what had arrived by then is what counts.
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.on("close", () => {
      this.#ended = true;
      wake();
    });
  }

  send(bytes: Buffer | string): this {
    this.#socket.write(bytes);
    return this;
  }

  /** Goes away without a word. */
  cut(): void {
    this.#socket.destroy();
  }

  /** Everything so far, as soon as it contains `text` or the connection has ended. */
  async until(text: string): Promise<string> {
    await this.#when(() => this.#received.includes(text));
    return this.#received.toString("utf8");
  }

  /** The first answer, whole or as far as it came; `undefined` where the connection ended without a head. */
  async answer(): Promise<RawAnswer | undefined> {
    let parsed: RawAnswer | undefined;
    await this.#when(() => {
      parsed = parseAnswer(this.#received, false);
      return parsed !== undefined;
    });
    return parsed ?? parseAnswer(this.#received, true);
  }

  async #when(isSo: () => boolean): Promise<void> {
    while (!this.#ended && !isSo()) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }
}

const END_OF_HEAD = "\r\n\r\n";

/** An answer, where its head says that it is whole, or where the connection has `ended`. */
function parseAnswer(received: Buffer, ended: boolean): RawAnswer | undefined {
  const endOfHead = received.indexOf(END_OF_HEAD);
  if (endOfHead === -1) return undefined;
  const [statusLine = "", ...lines] = received.subarray(0, endOfHead).toString("latin1").split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  const content = received.subarray(endOfHead + END_OF_HEAD.length);
  const status = Number(statusLine.split(" ", 2)[1]);
  const length = headers.find(([name]) => name === "content-length")?.[1];
  const chunked = headers.some(([name, value]) => name === "transfer-encoding" && /\bchunked\b/i.test(value));

  const whole = chunked ? content.toString("latin1").endsWith("0\r\n\r\n") : Number(length) <= content.byteLength;
  if (!whole && !ended) return undefined;
  const body = chunked ? withoutChunks(content) : content;
  return { status, headers, body: body.toString("utf8"), bodyBytes: content.byteLength };
}

function withoutChunks(content: Buffer): Buffer {
  const chunks: Buffer[] = [];
  for (let at = 0; at < content.byteLength; ) {
    const endOfSize = content.indexOf("\r\n", at);
    const size = Number.parseInt(content.subarray(at, endOfSize).toString("latin1"), 16);
    if (endOfSize === -1 || !(size > 0)) break;
    chunks.push(content.subarray(endOfSize + 2, endOfSize + 2 + size));
    at = endOfSize + 2 + size + 2;
  }
  return Buffer.concat(chunks);
}
