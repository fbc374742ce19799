/** Where the browser brings the answer: a listener at a loopback address, as a native application has one. RFC 8252 §7.3. */
import { EventEmitter, once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

const page = (text: string) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>Demo client</title><link rel="icon" href="data:,"><body><p>${text}</p></body></html>\n`;
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  // The address has the code in it.
  "referrer-policy": "no-referrer",
};

/** A listener that is listening, at any free port. */
export class CallbackListener {
  readonly url: string;
  readonly #server: Server;
  readonly #arrivals = new EventEmitter();
  #awaited: string | undefined;

  private constructor(server: Server) {
    this.#server = server;
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.url = `${origin}/callback`;
    server.on("request", (req, res) => {
      const url = new URL(req.url ?? "/", origin);
      if (req.method !== "GET" || url.pathname !== "/callback") {
        res.writeHead(404, HEADERS).end(page("There is nothing here."));
      } else if (this.#awaited === undefined || url.searchParams.get("state") !== this.#awaited) {
        // RFC 6749 §10.12: any page can send a browser here, and would sign its visitor in as somebody else. What nobody has asked for ends nothing, either.
        res.writeHead(400, HEADERS).end(page("This answers nothing that this client has asked."));
      } else {
        this.#awaited = undefined;
        res.writeHead(200, HEADERS).end(page("The client has its answer. You can close this page."));
        this.#arrivals.emit("arrival", url);
      }
    });
  }

  static async start(): Promise<CallbackListener> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new CallbackListener(server);
  }

  /** The answer to what was asked with this `state`, once it comes; from the call on, and for one answer. */
  async answerTo(state: string, signal: AbortSignal): Promise<URL> {
    this.#awaited = state;
    const [url] = await once(this.#arrivals, "arrival", { signal });
    return url as URL;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
