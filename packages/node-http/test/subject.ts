/** `node:http` as the adapter contract wants it: a router and parsers by hand, as small servers have them. */
import { createServer, type IncomingMessage, type ServerOptions, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parse } from "node:querystring";
import { text } from "node:stream/consumers";
import type { AdapterApp, AdapterServer, AdapterSubject, AppAnswer, AppRoute } from "@sallyport/contracts/adapters";
import { type NodeHandler, oauth, protect } from "../src/index.ts";

interface Parsed extends IncomingMessage {
  body?: unknown;
}

const isForm = (type: string) => type.toLowerCase().startsWith("application/x-www-form-urlencoded");

/** What most parsers do: they read to the end, and leave what they made of it in `req.body`. */
async function parseBody(req: Parsed): Promise<void> {
  const type = req.headers["content-type"] ?? "";
  if (isForm(type)) req.body = parse(await text(req));
  else if (type.startsWith("application/json")) req.body = JSON.parse(await text(req));
}

async function send(res: ServerResponse, { status = 200, headers = {}, body = "" }: AppAnswer): Promise<void> {
  res.writeHead(status, headers);
  if (typeof body !== "string") for await (const piece of body) res.write(piece);
  res.end(typeof body === "string" ? body : undefined);
}

/** What the proxy in front has added itself. */
function lastForwarded({ headersDistinct, socket }: IncomingMessage): string | undefined {
  const [last] = (headersDistinct["x-forwarded-for"] ?? []).join().split(",").slice(-1);
  return last?.trim() || socket.remoteAddress;
}

function handlerOf({ auth, onError, strippedPrefix }: AdapterApp, route: AppRoute): NodeHandler {
  const run = async (
    req: Parsed,
    res: ServerResponse,
    access: Parameters<Parameters<typeof protect>[2]>[0]["auth"] | undefined,
  ) => {
    const gone = new Promise<void>((resolve) => res.once("close", () => res.writableFinished || resolve()));
    const body = async () => req.body ?? (await text(req));
    await send(res, await route.answer({ method: req.method ?? "", access, body, gone }));
  };
  if (route.requirement === undefined) return (req, res) => run(req, res, undefined);
  return protect(auth, route.requirement, (req, res) => run(req, res, req.auth), { onError, strippedPrefix });
}

/** @param serverOptions for `http.createServer` */
export function nodeHttpWith(serverOptions: ServerOptions): AdapterSubject {
  return { serve: (app) => serve(app, serverOptions) };
}

export const nodeHttp = nodeHttpWith({});

async function serve(app: AdapterApp, serverOptions: ServerOptions): Promise<AdapterServer> {
  const { auth, routes, prefix = "", strippedPrefix, parsers, trustsProxy, onError } = app;
  const endpoints = oauth(auth, { onError, strippedPrefix, clientAddress: trustsProxy ? lastForwarded : undefined });
  const handlers = new Map(routes.map((route) => [route.path, handlerOf(app, route)]));
  const server = createServer(serverOptions, async (req, res) => {
    if (parsers === "before") await parseBody(req);
    const originalUrl = req.url ?? "";
    if (!originalUrl.startsWith(prefix)) {
      res.writeHead(404).end();
      return;
    }
    Object.assign(req, { originalUrl, url: originalUrl.slice(prefix.length) });
    await endpoints(req, res, async () => {
      if (parsers === "behind") await parseBody(req);
      const handler = handlers.get((req.url ?? "").split("?", 1)[0] ?? "");
      if (handler === undefined || !["GET", "POST"].includes(req.method ?? "")) res.writeHead(404).end();
      else await handler(req, res);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
