/** One request and its answer, as a framework hands them over. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Consumed } from "./consumed-body.ts";

/** Node's own two objects, and what a framework knows better than they do. */
export interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  /** The target as it was sent. Frameworks that mount by prefix cut `req.url`. Default: `req.originalUrl`, or else `req.url`. */
  readonly originalUrl?: string | undefined;
  /** What a body parser made of a body that it has consumed. Default: `req.body`. */
  readonly body?: unknown;
  /** The text or the bytes of a body that was consumed, where a parser keeps them. Default: `req.rawBody`. */
  readonly rawBody?: unknown;
  /** The framework's own request, whose `ip` is the client's address by the framework's rules of trust. Default: there is none, and the socket's counts. */
  readonly peer?: { readonly ip?: string | undefined } | undefined;
}

/** What the client asked for, from its first to its last character. */
export function targetOf(exchange: Exchange): string {
  const target = exchange.originalUrl ?? member(exchange.req, "originalUrl");
  return typeof target === "string" ? target : (exchange.req.url ?? "/");
}

/** What is left of a body that somebody has read before. */
export function consumedBy({ req, body, rawBody }: Exchange): Consumed {
  return { body: body ?? member(req, "body"), rawBody: rawBody ?? member(req, "rawBody") };
}

/**
 * The address that the connection came from; `undefined` where nobody knows, as over a Unix socket.
 *
 * No header is read here: whoever connects could write one, and be somebody else with every guess.
 */
export function addressOf({ req, peer }: Exchange): string | undefined {
  return peer?.ip || req.socket.remoteAddress;
}

/** What a framework or a middleware has put on a request. */
function member(req: IncomingMessage, name: "originalUrl" | "body" | "rawBody"): unknown {
  return name in req ? (req as Partial<Record<typeof name, unknown>>)[name] : undefined;
}
