/** From a function over `Request` and `Response` to a listener of `node:http`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type AdapterOptions, answer, contain, type Handle } from "./answer.ts";

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
  return async (req, res, next) => {
    const exchange = { req, res };
    const answered = answer(handle, exchange, options);
    // Known at once, it is passed on at once: even a promise costs more than all the rest.
    if (typeof answered === "boolean" ? answered : await answered) return;
    try {
      if (next === undefined) res.writeHead(404, { "content-length": 0 }).end();
      else await next();
    } catch (error) {
      await contain(error, exchange, options);
    }
  };
}
