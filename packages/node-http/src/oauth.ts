/** Mounts the endpoints and well-known documents of an authorization server on `node:http`. */
import { FastResponse } from "srvx/node";
import { type NodeHandler, type NodeHandlerOptions, toNodeHandler } from "./node-handler.ts";

/** The part of an authorization server that answers requests: an `OAuthProxy`, or whatever has its `handle`. */
export interface Endpoints {
  /** Answers a request to one of its endpoints; `undefined` where it is none of them. */
  handle(request: Request, options?: { readonly Response?: typeof FastResponse }): Promise<Response | undefined>;
}

/**
 * A listener for every endpoint and well-known document of `auth`.
 *
 * Requests for anything else go to `next` unread, or are answered with 404 if there is no `next`. Mount it at the root, because
 * the well-known documents live there, and in front of body parsers.
 *
 * @example
 * ```ts
 * const endpoints = oauth(auth);
 * createServer((req, res) => endpoints(req, res, () => app(req, res))).listen(3000);
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3 RFC 8414 §3}
 */
export function oauth(auth: Endpoints, options: NodeHandlerOptions = {}): NodeHandler {
  return toNodeHandler((request) => auth.handle(request, { Response: FastResponse }), options);
}
