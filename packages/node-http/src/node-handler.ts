/** From a function over `Request` and `Response` to a listener of `node:http`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { sendNodeResponse } from "srvx/node";
import { IncomingRequest } from "./incoming-request.ts";

/** Answers a request, or says with `undefined` that it is none of its own. */
export type Handle = (request: Request) => Promise<Response | undefined> | Response | undefined;

/**
 * A listener for `http.createServer`, and a middleware for whatever passes on with `next`.
 *
 * The promise is fulfilled when the request has been answered or passed on. It is never rejected.
 */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse, next?: () => unknown) => Promise<void>;

/** What every listener of this package takes. */
export interface NodeHandlerOptions {
  /**
   * Is told what was thrown, and may be asynchronous; the client only ever sees a bare 500.
   *
   * A client that goes away is no error. Default: writes the error's name and stack frames to stderr, and not its message, which may
   * carry what a stranger sent.
   */
  readonly onError?: ((error: unknown) => unknown) | undefined;
}

/**
 * Makes a listener of a function that answers requests.
 *
 * - The request's URL carries the path exactly as it was sent. Its authority is what the client claims.
 * - `request.signal` is aborted when the client goes away.
 * - Where the answer is `undefined`, `next` is called, or 404 is answered if there is none; the request is then still unread.
 * - Whatever is thrown becomes a bare 500, or cuts the connection where the answer has begun. The server goes on.
 */
export function toNodeHandler(handle: Handle, options: NodeHandlerOptions = {}): NodeHandler {
  return listener(async (req, res, next) => {
    const response = await handle(new IncomingRequest(req, res));
    if (response !== undefined) await sendNodeResponse(res, response);
    else if (next !== undefined) await next();
    else res.writeHead(404, { "content-length": 0 }).end();
  }, options);
}

/** Runs what may throw, and sees to it that neither the process nor the client is told more than it should be. */
export function listener(
  run: (req: IncomingMessage, res: ServerResponse, next: (() => unknown) | undefined) => Promise<void>,
  { onError = printWithoutMessage }: NodeHandlerOptions,
): NodeHandler {
  return async (req, res, next) => {
    try {
      await run(req, res, next);
    } catch (error) {
      fail(res);
      if (!(isDisconnect(error) && isGone(req, res))) await tell(onError, error);
    }
  };
}

function fail(res: ServerResponse): void {
  if (res.writableEnded) return;
  // Half an answer must not pass for a whole one.
  if (res.headersSent) {
    res.destroy();
    return;
  }
  // What was prepared for the answer that failed, such as a cookie, is not part of this one.
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.writeHead(500, { "content-length": 0 }).end();
}

function isGone(req: IncomingMessage, res: ServerResponse): boolean {
  return res.destroyed || (req.destroyed && !req.complete);
}

function isDisconnect(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === "AbortError" || ("code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE")))
  );
}

async function tell(onError: (error: unknown) => unknown, error: unknown): Promise<void> {
  try {
    await onError(error);
  } catch (failure) {
    printWithoutMessage(error);
    printWithoutMessage(failure);
  }
}

function printWithoutMessage(error: unknown): void {
  const frames = error instanceof Error ? (error.stack ?? "").match(/^ {4}at .*$/gm) : null;
  const name = error instanceof Error ? error.name : `a thrown ${typeof error}`;
  console.error([`@sallyport/node-http: a request failed with ${name}`, ...(frames ?? [])].join("\n"));
}
