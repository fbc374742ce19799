/** Learns which MCP session a `node:http` server begins for whom, where a framework shows the request and keeps the response to itself. */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { replaceMethod } from "./guarded-server.ts";

/** The response to each request that a server of this process has begun to answer. */
const responses = new WeakMap<object, ServerResponse>();
let watching = false;

/** Begins to watch this process's HTTP servers; the cost is one entry of a weak map for each request. */
export function watchResponses(): void {
  if (watching) return;
  watching = true;
  subscribe("http.server.request.start", (message) => {
    const { request, response } = message as { readonly request: IncomingMessage; readonly response: ServerResponse };
    responses.set(request, response);
  });
}

/**
 * Calls back with the id of the session that the answer to this request begins: before the client can have read it. Never, where the answer begins none.
 */
export function onSessionIssued(request: IncomingMessage, issued: (id: string) => void): void {
  const response = responses.get(request);
  if (response === undefined) return;
  replaceMethod(response, "writeHead", (writeHead) => (...args) => {
    const given = args.find((arg) => typeof arg === "object" && arg !== null) as
      | OutgoingHttpHeaders
      | unknown[]
      | undefined;
    const id = sessionIdIn(given) ?? response.getHeader("mcp-session-id");
    if (typeof id === "string") issued(id);
    return writeHead(...args);
  });
}

/** `writeHead` takes an object, or a list in which names and values alternate. */
function sessionIdIn(headers: OutgoingHttpHeaders | unknown[] | undefined): unknown {
  const entries = Array.isArray(headers)
    ? headers.map((name, at) => [name, headers[at + 1]] as const).filter((_, at) => at % 2 === 0)
    : Object.entries(headers ?? {});
  return entries.find(([name]) => String(name).toLowerCase() === "mcp-session-id")?.[1];
}
