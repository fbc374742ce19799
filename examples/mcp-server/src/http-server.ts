/** An HTTP server that is told to listen before it has anything to serve, and that ends with what is in flight finished. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EnvironmentError, type Place } from "./configuration.ts";
import type { Listener } from "./site.ts";

/** Why a server can't listen, in words of the environment. */
const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "PORT: is in use already",
  EACCES: "PORT: must not be used by this user",
  EADDRNOTAVAIL: "HOST: is not an address of this computer",
  ENOTFOUND: "HOST: is not known",
};

/** A server that is listening. */
export class HttpServer {
  readonly port: number;
  /** The public URL, or where it listens, where none is configured. */
  readonly baseUrl: string;
  readonly #server: Server;
  /** The answers that are still to be finished; a subscription's is not one of them, for it never is. */
  readonly #open = new Set<ServerResponse>();
  /** Whoever comes before there is something to serve is told to come again. RFC 9110 §15.6.4. */
  #listener: Listener = (_req, res) => res.writeHead(503, { "retry-after": "1" }).end();

  private constructor(server: Server, { host, baseUrl }: Place) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    this.baseUrl = baseUrl ?? `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
    server.on("request", (req: IncomingMessage, res: ServerResponse) => {
      if (req.headers["mcp-method"] !== "subscriptions/listen") {
        this.#open.add(res);
        res.once("close", () => this.#open.delete(res));
      }
      this.#listener(req, res);
    });
  }

  /** @throws {EnvironmentError} (as a rejection) for a place where it can't listen */
  static async listen(place: Place): Promise<HttpServer> {
    const server = createServer().listen(place.port, place.host);
    try {
      await once(server, "listening");
    } catch (error) {
      const problem = error instanceof Error && "code" in error ? LISTEN_PROBLEMS[String(error.code)] : undefined;
      throw problem === undefined ? error : new EnvironmentError([problem], error);
    }
    return new HttpServer(server, place);
  }

  serve(listener: Listener): void {
    this.#listener = listener;
  }

  /**
   * Takes no more requests, finishes those that it has, and ends every connection.
   *
   * @param beforeTheEnd called when the answers are finished, and the connections still there
   */
  async close(beforeTheEnd?: () => Promise<void> | undefined): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    await Promise.all([...this.#open].map((res) => once(res, "close")));
    await beforeTheEnd?.();
    this.#server.closeAllConnections();
    await closed;
  }
}
