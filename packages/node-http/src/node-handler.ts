/** From a function over `Request` and `Response` to a listener of `node:http`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AdapterOptions, answer, contain, type Handle } from "./answer.ts";
import type { Exchange } from "./exchange.ts";

/**
 * A listener for `http.createServer`, and a middleware for whatever passes on with `next`.
 *
 * The promise is fulfilled when the request has been answered or passed on. It is never rejected.
 */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse, next?: () => unknown) => Promise<void>;

/**
 * Makes a listener of a function that answers requests, with all that {@link answer} promises.
 *
 * Where the answer is `undefined`, `next` is called, or 404 is answered if there is none; the request is then still unread.
 */
export function toNodeHandler(handle: Handle, options: AdapterOptions = {}): NodeHandler {
  return (req, res, next) => {
    const exchange = { req, res };
    const settle = (isAnswered: boolean) => (isAnswered ? DONE : passOn(exchange, next, options));
    const answered = answer(handle, exchange, options);
    return typeof answered === "boolean" ? settle(answered) : answered.then(settle);
  };
}

/** What is known at once is also done at once: to wait for nothing costs a bare request a tenth. */
const DONE = Promise.resolve();

function passOn(exchange: Exchange, next: (() => unknown) | undefined, options: AdapterOptions): Promise<void> {
  try {
    if (next === undefined) exchange.res.writeHead(404, { "content-length": 0 }).end();
    const passed = next?.();
    return isThenable(passed) ? finish(passed, exchange, options) : DONE;
  } catch (error) {
    return contain(error, exchange, options);
  }
}

async function finish(passed: PromiseLike<unknown>, exchange: Exchange, options: AdapterOptions): Promise<void> {
  try {
    await passed;
  } catch (error) {
    await contain(error, exchange, options);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value;
}
