/** What every adapter over `node:http` does: answers with what a function over `Request` and `Response` gives. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { HandleOptions, Reply } from "@sallyport/oauth-core";
import { FastResponse } from "srvx/node";
import { addressOf, type Exchange, targetOf } from "./exchange.ts";
import { IncomingRequest } from "./incoming-request.ts";
import { originForm } from "./request-url.ts";
import { send, sendReply } from "./send.ts";

/** What whoever answers a request gets beside it, as the `handle` of an `OAuthProxy` takes it. */
export interface NodeHandleOptions extends HandleOptions {
  /** A `Response` that costs less than the global one. */
  readonly Response?: typeof FastResponse;
}

/** Answers a request, or says with `undefined` that it is none of its own. */
export interface Handle {
  (request: Request, options: NodeHandleOptions): Promise<Response | undefined> | Response | undefined;
  /** Whether it may answer this target and method. Where it says no, no `Request` is ever built. Default: it may. */
  readonly owns?: ((target: string, method: string) => boolean) | undefined;
  /** What it answers every such request with. Where that is known, no `Request` is built either. Default: it is not known. */
  readonly documentAt?: ((target: string, method: string) => Reply | undefined) | undefined;
}

/** What every adapter over `node:http` takes. */
export interface AdapterOptions {
  /**
   * Is told what was thrown, and may be asynchronous; the client only ever sees a bare 500.
   *
   * A client that goes away is no error. Default: writes the error's name and stack frames to stderr, and not its message, which may
   * carry what a stranger sent.
   */
  readonly onError?: ((error: unknown) => unknown) | undefined;
  /**
   * What a reverse proxy in front cuts off the path, such as `/auth`, where the issuer has that path. It is put back in front of every path
   * but those of well-known documents, which the proxy passes on as they are. Default: nothing.
   */
  readonly strippedPrefix?: string | undefined;
  /**
   * The address that a client comes from, by which guessing is slowed down; `undefined` where that can't be told. For a server behind a
   * proxy that you trust: read the header that this proxy sets, and of a list the entry that it has added itself, which is the last.
   * A header that a client can write makes it somebody else with every guess.
   *
   * Default: what the framework takes for it, by its own setting of trust; over bare `node:http`, the address of the socket.
   */
  readonly clientAddress?: ((req: IncomingMessage) => string | undefined) | undefined;
}

/**
 * Answers an exchange with what `handle` gives. Never throws, and is never rejected.
 *
 * - The request's URL carries the path exactly as it was sent. Its authority is what the client claims.
 * - `request.signal` is aborted when the client goes away.
 * - A body that a parser has consumed is recovered when it is read; see `docs/decisions`.
 * - Whatever is thrown becomes a bare 500, or cuts the connection where the answer has begun. The server goes on.
 *
 * @returns whether there was an answer, at once where that is known; if not, the exchange is untouched, and its body unread
 */
export function answer(handle: Handle, exchange: Exchange, options: AdapterOptions = {}): Promise<boolean> | boolean {
  try {
    const target = originForm(targetOf(exchange), options.strippedPrefix);
    const { method = "GET" } = exchange.req;
    if (handle.owns?.(target, method) === false) return false;
    const document = handle.documentAt?.(target, method);
    if (document === undefined) return ask(handle, exchange, options);
    sendReply(exchange.res, document);
    return true;
  } catch (error) {
    return contain(error, exchange, options).then(() => true);
  }
}

async function ask(handle: Handle, exchange: Exchange, options: AdapterOptions): Promise<boolean> {
  try {
    const { clientAddress, strippedPrefix } = options;
    const address = clientAddress === undefined ? addressOf(exchange) : clientAddress(exchange.req);
    const request = new IncomingRequest(exchange, strippedPrefix);
    const response = await handle(request, { Response: FastResponse, clientAddress: address });
    if (response === undefined) return false;
    await send(exchange.res, response);
  } catch (error) {
    await contain(error, exchange, options);
  }
  return true;
}

/** Sees to it that neither the process nor the client is told more than it should be of what was thrown. Never rejected. */
export async function contain(
  error: unknown,
  exchange: Exchange,
  { onError = printWithoutMessage }: AdapterOptions,
): Promise<void> {
  fail(exchange.res);
  if (!(isDisconnect(error) && isGone(exchange))) await tell(onError, error);
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

function isGone({ req, res }: Exchange): boolean {
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
