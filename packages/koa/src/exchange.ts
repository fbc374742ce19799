/** One request and its answer, as Koa hands them over. */
import type { Exchange } from "@sallyport/node-http";
import type { ExtendableContext, Request } from "koa";

/** Koa's own request, with what body parsers put on it. */
type ParsedRequest = Request & { readonly body?: unknown; readonly rawBody?: unknown };

/** Node's two objects, with the whole path, with what a body parser has left, and with Koa's request for the client's address. */
export function exchangeOf({ req, res, request, originalUrl }: ExtendableContext): Exchange {
  const { body, rawBody }: ParsedRequest = request;
  // Where the whole app is mounted in another framework, that one knows better what was cut off before.
  return { req, res, body, rawBody, peer: request, originalUrl: "originalUrl" in req ? undefined : originalUrl };
}
