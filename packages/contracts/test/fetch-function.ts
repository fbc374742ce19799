/** A server without any adapter: a function from `Request` to `Response`, as fetch runtimes serve one; here Node.js does. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeHandler } from "../../node-http/src/index.ts";
import type { AdapterApp, AdapterSubject } from "../src/adapters.ts";
import type { Tried } from "./tried.ts";

function fetchOf({ auth, routes }: AdapterApp): (request: Request) => Promise<Response> {
  return async (request) => {
    const answer = await auth.handle(request);
    if (answer !== undefined) return answer;
    const { pathname } = new URL(request.url);
    const route = routes.find(({ path }) => pathname.endsWith(path));
    if (route === undefined) return new Response(null, { status: 404 });
    const access = await auth.protect(request, route.requirement);
    if (access instanceof Response) return access;
    const { signal, method } = request;
    const gone = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    const {
      status = 200,
      headers = {},
      body,
    } = await route.answer({ method, access, body: () => request.text(), gone });
    return new Response(typeof body === "string" ? body : null, { status, headers });
  };
}

const subject: AdapterSubject = {
  async serve(app) {
    const handle = toNodeHandler(fetchOf(app), { strippedPrefix: app.strippedPrefix, onError: app.onError });
    const server = createServer((req, res) => void handle(req, res));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return {
      port: (server.address() as AddressInfo).port,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  },
};

export const tried: readonly Tried[] = [{ framework: "a fetch function on Node.js", subject }];
