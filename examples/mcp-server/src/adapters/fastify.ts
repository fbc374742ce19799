/** The site on Fastify. */
import { oauth, protect } from "@sallyport/fastify";
import { toNodeHandler } from "@sallyport/node-http";
import { toAuthInfo } from "@sallyport/oauth-core";
import { type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { type Listener, NOT_ALLOWED, NOT_FOUND, type Page, type Site, TOOLS_SCOPE } from "../site.ts";

export async function onFastify({ auth, mcp, mcpUrl, homePaths, home }: Site): Promise<Listener> {
  const app = fastify();
  // The tools read their bodies themselves, and say in their own words what is wrong with one.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));

  app.register(oauth(auth));
  app.all(mcpUrl.pathname, { onRequest: protect(auth, { scopes: [TOOLS_SCOPE] }) }, async (request, reply) => {
    reply.hijack();
    const authInfo = toAuthInfo(request.auth);
    await toNodeHandler((asked) => mcp.fetch(asked, { authInfo }))(request.raw, reply.raw);
  });
  for (const path of homePaths) {
    app.all(path, (request, reply) =>
      sending(request.method === "GET" || request.method === "HEAD" ? home : NOT_ALLOWED)(request, reply),
    );
  }
  app.setNotFoundHandler(sending(NOT_FOUND));
  await app.ready();
  return app.routing;
}

function sending({ status, headers, body }: Page) {
  return (_request: FastifyRequest, reply: FastifyReply) => reply.code(status).headers(headers).send(body);
}
