/** A client's loopback callback, as a native application opens it: a page for the person, the parameters for the client. RFC 8252 §7.3. */
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Names an icon, or else every browser would ask for one that is not there. */
const PAGE = '<!doctype html><title>Signed in</title><link rel="icon" href="data:,"><p>You can close this page.';

/** A listener that is listening. */
export class CallbackListener {
  readonly url: string;
  readonly #received: URL[] = [];
  readonly #arrivals = new EventEmitter();
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** Listens on any free port; `pages` are further pages by their path, for whoever needs another site. */
  static async start(pages: ReadonlyMap<string, string> = new Map()): Promise<CallbackListener> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const listener = new CallbackListener(`${origin}/callback`, async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    });
    server.on("request", (req, res) => {
      const url = new URL(req.url ?? "/", origin);
      res.setHeader("content-type", "text/html; charset=utf-8");
      if (url.pathname === "/callback") {
        res.end(PAGE);
        listener.#received.push(url);
        listener.#arrivals.emit("arrival");
      } else res.writeHead(pages.has(url.pathname) ? 200 : 404).end(pages.get(url.pathname));
    });
    return listener;
  }

  /** The callbacks so far. */
  get received(): readonly URL[] {
    return this.#received;
  }

  /** Waits until so many callbacks have come, and gives the last of them. */
  async nth(count: number): Promise<URL> {
    for (;;) {
      const url = this.#received[count - 1];
      if (url !== undefined) return url;
      await once(this.#arrivals, "arrival");
    }
  }

  async close(): Promise<void> {
    await this.#close();
  }
}
