/** The adapter on trial, in an app of Fastify. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import formbody from "@fastify/formbody";
import type { AdapterApp, AdapterServer, AdapterSubject, AppRoute } from "@sallyport/contracts/adapters";
import type { FastifyInstance, FastifyReply, FastifyRequest, fastify } from "fastify";
import { oauth, protect } from "../src/index.ts";

/** Serves with this version of Fastify. Its parsers run before a route and never before a hook: there is one place for them. */
export function fastifySubject(create: typeof fastify): AdapterSubject {
  return {
    async serve({ prefix, trustsProxy, ...app }) {
      const outer = create({ forceCloseConnections: true, trustProxy: trustsProxy ? "127.0.0.1" : false });
      await outer.register(async (inner) => mounted(inner, app), { prefix: prefix ?? "" });
      return listen(outer);
    },
  };
}

async function mounted(
  app: FastifyInstance,
  { auth, routes, strippedPrefix, parsers, onError }: Omit<AdapterApp, "prefix">,
): Promise<void> {
  const options = { strippedPrefix, onError };
  if (parsers === "before") await app.register(formbody);
  await app.register(oauth(auth, options));
  if (parsers === "behind") await app.register(formbody);
  if (parsers === undefined) {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  }
  for (const route of routes) {
    app.route({
      method: ["GET", "POST"],
      url: route.path,
      onRequest: route.requirement === undefined ? [] : protect(auth, route.requirement, options),
      handler: handler(route, parsers === undefined),
    });
  }
}

function handler({ answer }: AppRoute, unparsed: boolean) {
  return async (request: FastifyRequest, reply: FastifyReply) => {
    const gone = once(reply.raw, "close").then(() =>
      reply.raw.writableFinished ? new Promise<void>(() => undefined) : undefined,
    );
    const body = async () => (unparsed ? text(request.raw) : request.body);
    const answered = await answer({ method: request.method, access: request.auth, body, gone });
    reply.code(answered.status ?? 200).headers(answered.headers ?? {});
    return reply.send(typeof answered.body === "object" ? Readable.from(answered.body) : answered.body);
  };
}

/** Serves an app on a port that is free. */
export async function listen(app: FastifyInstance): Promise<AdapterServer> {
  await app.listen({ port: 0, host: "127.0.0.1" });
  return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
}
