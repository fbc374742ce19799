/** A request as it was sent: with the path that a proxy has cut, and with the body that Hono has read before. */
import type { HonoRequest } from "hono";
import { recoverBody } from "./consumed-body.ts";

/** RFC 8615 §3. */
const WELL_KNOWN = "/.well-known/";

/**
 * The request behind Hono's, untouched where nothing has happened to it.
 *
 * @param strippedPrefix what a reverse proxy cut off every path but those of well-known documents, which stand in front of an issuer's path
 * and not behind it
 */
export function sentRequest(req: HonoRequest, strippedPrefix = ""): Request {
  const { raw } = req;
  if (strippedPrefix === "" && !raw.bodyUsed) return raw;
  const request = raw.bodyUsed ? recovered(req) : raw;
  const url = raw.url.slice(0, endOfAuthority(raw.url)) + sentTarget(req, strippedPrefix);
  return request.url === url ? request : withUrl(request, url);
}

/** Its path and query alone. */
export function sentTarget({ raw: { url } }: HonoRequest, strippedPrefix = ""): string {
  const target = url.slice(endOfAuthority(url));
  return target.startsWith(WELL_KNOWN) ? target : strippedPrefix + target;
}

function endOfAuthority(url: string): number {
  return url.indexOf("/", url.indexOf("://") + "://".length);
}

/** The same request, with a body that is written anew when somebody reads it. */
function recovered(req: HonoRequest): Request {
  const { method, headers, signal, url } = req.raw;
  const source = {
    async pull(controller: ReadableStreamDefaultController<Uint8Array>) {
      const bytes = await recoverBody(req);
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
    },
  };
  const body = new ReadableStream(source, { highWaterMark: 0 });
  return new Request(url, { method, headers, signal, body, duplex: "half" });
}

/** The same request under another URL, which is not normalised: a path that only resembled an endpoint's would become it. */
function withUrl(request: Request, url: string): Request {
  return new Proxy(request, {
    get(target, name) {
      if (name === "url") return url;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
