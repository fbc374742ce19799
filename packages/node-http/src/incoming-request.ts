/** A `node:http` request as a `Request`, lazily: what nobody asks for is never built. Fetch standard. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { NodeRequest } from "srvx/node";
import { consumedBy, type Exchange, targetOf } from "./exchange.ts";
import { type RequestBody, requestBody } from "./request-body.ts";
import { requestUrl } from "./request-url.ts";

/** What is replaced below: TypeScript lets no accessor stand in for a property that it sees in the base class. */
type Replaced = "url" | "body" | "bodyUsed" | "text" | "json" | "clone";

const LightRequest: new (node: { req: IncomingMessage; res: ServerResponse }) => Omit<Request, Replaced> = NodeRequest;

/**
 * srvx's light request, but for three things: the URL carries the path as it was sent, where srvx normalises it; giving up the body leaves
 * the connection alone; and a clone is as light, with the same URL.
 */
export class IncomingRequest extends LightRequest {
  readonly #exchange: Exchange;
  readonly #strippedPrefix: string;
  #url: string | undefined;
  #body: RequestBody | null | undefined;

  /** @param strippedPrefix what a reverse proxy cut off the path; see {@link requestUrl} */
  constructor(exchange: Exchange, strippedPrefix = "") {
    super(exchange);
    this.#exchange = exchange;
    this.#strippedPrefix = strippedPrefix;
  }

  get url(): string {
    const { req } = this.#exchange;
    this.#url ??= requestUrl(
      "encrypted" in req.socket ? "https" : "http",
      req.headers.host,
      targetOf(this.#exchange),
      this.#strippedPrefix,
    );
    return this.#url;
  }

  get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    if (this.#body === undefined) {
      const bodiless = this.method === "GET" || this.method === "HEAD";
      this.#body = bodiless ? null : requestBody(this.#exchange.req, consumedBy(this.#exchange));
    }
    return this.#body === null ? null : this.#body.stream;
  }

  get bodyUsed(): boolean {
    return this.#body?.used() ?? false;
  }

  /** A second reading of the same request. What one of the two has read, the other still has before it. */
  clone(): IncomingRequest {
    const copy = new IncomingRequest(this.#exchange, this.#strippedPrefix);
    const { body } = this;
    if (body === null) return copy;
    if (this.bodyUsed) throw new TypeError("The request body was read before.");
    const [mine, theirs] = body.tee();
    this.#body = { stream: mine, used: () => mine.locked };
    copy.#body = { stream: theirs, used: () => theirs.locked };
    return copy;
  }

  async text(): Promise<string> {
    return new Response(this.body).text();
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }
}
