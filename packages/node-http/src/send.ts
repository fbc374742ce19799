/** Sends answers to a client of `node:http`. RFC 9110 §6. */
import type { ServerResponse } from "node:http";
import type { Reply } from "@sallyport/oauth-core";
import { type FastResponse, sendNodeResponse } from "srvx/node";

/** The headers of answers that stand from the start, as Node wants them. */
const HEADERS = new WeakMap<Reply, readonly string[]>();

type Light = InstanceType<typeof FastResponse>;

/**
 * Sends an answer to its end. One that was built light and is a text, or nothing, goes out in one piece with its head: srvx writes them one
 * after the other, which costs as much as everything else together.
 */
export async function send(res: ServerResponse, response: Response): Promise<void> {
  // Who has gone away is sent nothing, and that is no error. srvx would wait for the end of what never begins.
  if (res.destroyed) return;
  if (!isLight(response)) return sendNodeResponse(res, response);
  const prepared = response._toNodeResponse();
  const { status, statusText, headers, body = null } = prepared;
  if (statusText !== "" || !(body === null || typeof body === "string")) {
    return sendNodeResponse(res, Object.assign(response, { _toNodeResponse: () => prepared }));
  }
  res.writeHead(status, headers).end(body ?? undefined);
}

/** Sends an answer that stands from the start, just as {@link send} sends the same answer when it was built for one request. */
export function sendReply(res: ServerResponse, reply: Reply): void {
  if (res.destroyed) return;
  // A copy: what wraps `writeHead` in some middleware may add to it.
  res.writeHead(reply.status, [...headersOf(reply)]).end(reply.body);
}

function headersOf(reply: Reply): readonly string[] {
  const known = HEADERS.get(reply);
  if (known !== undefined) return known;
  const headers = [...reply.headers.flat(), "content-length", `${Buffer.byteLength(reply.body ?? "")}`];
  HEADERS.set(reply, headers);
  return headers;
}

/** srvx's `Response` passes for any other by `instanceof`; this is how srvx itself tells them apart. */
function isLight(response: Response): response is Light {
  return "_toNodeResponse" in response;
}
