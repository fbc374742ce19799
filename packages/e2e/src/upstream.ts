/** The identity provider of the tests: a real one, whose endpoints can be put out of order. */
import { EventEmitter, once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type IdentityProvider,
  type IdentityProviderOptions,
  startIdentityProvider,
} from "@sallyport/example-demo-idp";

/** What can be wrong with an endpoint: it answers 503, it cuts the connection, or it never answers. */
export type Disorder = "unavailable" | "unreachable" | "silent";

/** Holds requests back, so that a test can be sure that they overlap. */
export interface Gate {
  /** Fulfilled when so many requests stand before the gate. */
  waiting(count: number): Promise<void>;
  /** Lets everybody through, the last first, and takes the gate away. */
  open(): void;
}

const CLIENT_ID = "sallyport-e2e";
const CLIENT_SECRET = "the upstream secret of the end-to-end tests";

/** The identity provider, and what Sallyport has to know of it. */
export class Upstream {
  readonly clientId = CLIENT_ID;
  readonly clientSecret = CLIENT_SECRET;
  #provider: IdentityProvider | undefined;
  readonly #received: string[] = [];
  readonly #disorders = new Map<string, Disorder>();
  readonly #gates = new Map<string, (() => void)[]>();
  readonly #arrivals = new EventEmitter();

  /** Starts the provider; lifetimes are in seconds. */
  static async start(
    lifetimes: Pick<IdentityProviderOptions, "accessTokenTtl" | "refreshTokenTtl"> = {},
  ): Promise<Upstream> {
    const upstream = new Upstream();
    upstream.#provider = await startIdentityProvider({
      clients: [],
      ...lifetimes,
      intercept: (req, res) => upstream.#intercept(req, res),
    });
    return upstream;
  }

  get provider(): IdentityProvider {
    if (this.#provider === undefined) throw new Error("The identity provider was not started.");
    return this.#provider;
  }

  /** Lets the server at this address send people here, and have them back at these paths. */
  async admit(baseUrl: string, callbacks: readonly string[] = ["/oauth/callback"]): Promise<void> {
    await this.provider.addClient({
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      clientName: "Sallyport",
      redirectUris: callbacks.map((path) => baseUrl + path),
    });
  }

  /** How many requests an endpoint has had. */
  requestsTo(endpoint: "token" | "userinfo"): number {
    const path = pathOf(this.provider.endpoints[endpoint]);
    return this.#received.filter((received) => received === path).length;
  }

  /** Puts an endpoint out of order until {@link repair}. */
  disturb(endpoint: "token" | "userinfo", disorder: Disorder): void {
    this.#disorders.set(pathOf(this.provider.endpoints[endpoint]), disorder);
  }

  /** Puts everything in order again. */
  repair(): void {
    this.#disorders.clear();
  }

  /** Puts a gate before an endpoint. */
  gate(endpoint: "token" | "userinfo"): Gate {
    const path = pathOf(this.provider.endpoints[endpoint]);
    const held: (() => void)[] = [];
    this.#gates.set(path, held);
    return {
      waiting: async (count) => {
        while (held.length < count) await once(this.#arrivals, "arrival");
      },
      open: () => {
        this.#gates.delete(path);
        for (const release of held.splice(0).reverse()) release();
      },
    };
  }

  async close(): Promise<void> {
    await this.#provider?.close();
  }

  async #intercept(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    const path = pathOf(new URL(req.url ?? "/", this.provider.issuer).href);
    this.#received.push(path);
    const held = this.#gates.get(path);
    if (held !== undefined) {
      await new Promise<void>((release) => {
        held.push(release);
        this.#arrivals.emit("arrival");
      });
    }
    const disorder = this.#disorders.get(path);
    if (disorder === "unavailable") res.writeHead(503, { "content-type": "text/plain" }).end("Down for maintenance");
    if (disorder === "unreachable") req.socket.destroy();
    return disorder !== undefined;
  }
}

function pathOf(url: string): string {
  return new URL(url).pathname;
}
