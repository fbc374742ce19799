/** The site on Hono. */
import { getRequestListener } from "@hono/node-server";
import { oauth, protect } from "@sallyport/hono";
import { toAuthInfo } from "@sallyport/oauth-core";
import { Hono } from "hono";
import { type Listener, NOT_ALLOWED, NOT_FOUND, type Page, type Site, TOOLS_SCOPE } from "../site.ts";

export function onHono({ auth, mcp, mcpUrl, homePaths, home }: Site): Listener {
  const app = new Hono();
  app.use(oauth(auth));
  app.all(mcpUrl.pathname, protect(auth, { scopes: [TOOLS_SCOPE] }), (c) =>
    mcp.fetch(c.req.raw, { authInfo: toAuthInfo(c.get("auth")) }),
  );
  for (const path of homePaths) app.get(path, sending(home)).all(path, sending(NOT_ALLOWED));
  app.notFound(sending(NOT_FOUND));
  // The global Request and Response stay what they are, whatever else the process does.
  return getRequestListener(app.fetch, { overrideGlobalObjects: false });
}

function sending({ status, headers, body }: Page) {
  return () => new Response(body, { status, headers });
}
