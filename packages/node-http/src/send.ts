/** Sends a `Response` to a client of `node:http`. RFC 9110 §6. */
import type { ServerResponse } from "node:http";
import { type FastResponse, sendNodeResponse } from "srvx/node";

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

/** srvx's `Response` passes for any other by `instanceof`; this is how srvx itself tells them apart. */
function isLight(response: Response): response is Light {
  return "_toNodeResponse" in response;
}
