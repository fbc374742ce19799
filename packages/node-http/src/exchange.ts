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

/** What a framework or a middleware has put on a request. */
function member(req: IncomingMessage, name: "originalUrl" | "body" | "rawBody"): unknown {
  return name in req ? (req as Partial<Record<typeof name, unknown>>)[name] : undefined;
}
