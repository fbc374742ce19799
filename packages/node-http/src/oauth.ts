/** Mounts the endpoints and well-known documents of an authorization server on `node:http`. */
import type { Reply } from "@sallyport/oauth-core";
import type { AdapterOptions, Handle, NodeHandleOptions } from "./answer.ts";
import { type NodeHandler, toNodeHandler } from "./node-handler.ts";

/** The part of an authorization server that answers requests: an `OAuthProxy`, or whatever has its `handle`. */
export interface Endpoints {
  /** Answers a request to one of its endpoints; `undefined` where it is none of them. */
  handle(request: Request, options?: NodeHandleOptions): Promise<Response | undefined>;
  /** Whether `handle` may answer this target and method; `false` is final. Without it, `handle` is asked every time. */
  owns?(target: string, method: string): boolean;
  /** What `handle` answers every such request with, as a fixed document. Without it, `handle` is asked every time. */
  documentAt?(target: string, method: string): Reply | undefined;
}

/**
 * A listener for every endpoint and well-known document of `auth`.
 *
 * Requests for anything else go to `next` unread, or are answered with 404 if there is no `next`. Mount it at the root, because
 * the well-known documents live there. In front of body parsers is best; a body that one has consumed is recovered.
 *
 * @example
 * ```ts
 * const endpoints = oauth(auth);
 * createServer((req, res) => endpoints(req, res, () => app(req, res))).listen(3000);
 * ```
 * @see {@link https://www.rfc-editor.org/rfc/rfc8414#section-3 RFC 8414 §3}
 */
export function oauth(auth: Endpoints, options: AdapterOptions = {}): NodeHandler {
  return toNodeHandler(endpointsOf(auth), options);
}

/** The endpoints of `auth` for {@link answer}. */
export function endpointsOf(auth: Endpoints): Handle {
  return Object.assign((request: Request, options: NodeHandleOptions) => auth.handle(request, options), {
    owns: auth.owns?.bind(auth),
    documentAt: auth.documentAt?.bind(auth),
  });
}
