/** The adapter on trial, in an app of Hono on its own Node.js server. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import type { AdapterApp, AdapterServer, AdapterSubject, AppRoute } from "@sallyport/contracts/adapters";
import { toNodeHandler } from "@sallyport/node-http";
import type { Context, Hono, MiddlewareHandler } from "hono";
import { oauth, type ProtectedEnv, protect } from "../src/index.ts";

/** Serves with `@hono/node-server`. */
export function honoSubject(App: typeof Hono): AdapterSubject {
  // Where nobody but the socket is believed, the adapter finds the address by itself.
  const proxied = (c: Context) => lastForwarded(c) ?? getConnInfo(c).remote.address;
  return { serve: (app) => listen(appOf(App, app, app.trustsProxy ? proxied : undefined).fetch) };
}

/** Serves its fetch function as it is, with URLs that nobody has normalised. */
export function fetchSubject(App: typeof Hono): AdapterSubject {
  return {
    async serve(app) {
      const connected = (c: Context<{ Bindings: { clientAddress: string } }>) => c.env.clientAddress;
      const proxied = (c: Context) => lastForwarded(c) ?? connected(c);
      const { fetch } = appOf(App, app, app.trustsProxy ? proxied : connected);
      const handle = toNodeHandler((request, { clientAddress }) => fetch(request, { clientAddress }));
      return running(createServer((req, res) => void handle(req, res)).listen(0, "127.0.0.1"));
    },
  };
}

/** What the proxy in front has added itself. */
function lastForwarded(c: Context): string | undefined {
  return c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim();
}

/** The app of a contract's clause. */
function appOf(
  App: typeof Hono,
  { auth, routes, prefix, strippedPrefix, parsers, onError }: AdapterApp,
  clientAddress: ((c: Context) => string | undefined) | undefined,
): Hono {
  const options = { strippedPrefix, onError, clientAddress };
  const inner = new App();
  if (parsers === "before") inner.use(parse);
  inner.use(oauth(auth, options));
  if (parsers === "behind") inner.use(parse);
  for (const route of routes) {
    if (route.requirement === undefined) inner.on(["GET", "POST"], route.path, handler(route, parsers !== undefined));
    else {
      const guard = protect(auth, route.requirement, options);
      inner.on(["GET", "POST"], route.path, guard, handler(route, parsers !== undefined));
    }
  }
  return prefix === undefined ? inner : new App().route(prefix, inner);
}

/** Hono has no parsers to install: an app reads bodies as it likes, and this one reads all of them. */
const parse: MiddlewareHandler = async (c, next) => {
  if (c.req.header("content-type")?.toLowerCase().startsWith("application/json")) await c.req.json();
  else await c.req.parseBody();
  await next();
};

function handler({ answer }: AppRoute, parsed: boolean) {
  return async (c: Context<{ Variables: Partial<ProtectedEnv["Variables"]> }>) => {
    const gone = new Promise<void>((resolve) => c.req.raw.signal.addEventListener("abort", () => resolve()));
    const isJson = c.req.header("content-type")?.startsWith("application/json");
    const body = async () => (!parsed ? c.req.text() : isJson ? c.req.json() : c.req.parseBody());
    const answered = await answer({ method: c.req.method, access: c.get("auth"), body, gone });
    const sent = typeof answered.body === "object" ? streamOf(answered.body) : (answered.body ?? null);
    return new Response(sent, { status: answered.status ?? 200, headers: answered.headers ?? {} });
  };
}

function streamOf(pieces: AsyncIterable<string>): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces).pipeThrough(new TextEncoderStream());
}

/** Serves a fetch function on a port that is free. */
async function listen(fetch: (request: Request) => Response | Promise<Response>): Promise<AdapterServer> {
  return running(serve({ fetch, port: 0, hostname: "127.0.0.1" }) as Server);
}

async function running(server: Server): Promise<AdapterServer> {
  if (!server.listening) await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
