/** The site on Express. */
import { oauth, protect } from "@sallyport/express";
import { toNodeHandler } from "@sallyport/node-http";
import express, { type RequestHandler } from "express";
import { type Listener, NOT_ALLOWED, NOT_FOUND, type Page, type Site, TOOLS_SCOPE } from "../site.ts";

export function onExpress({ auth, mcp, mcpUrl, homePaths, home }: Site): Listener {
  const app = express();
  // A path that only resembles another is another; and nothing is told that nobody asked for.
  app.enable("case sensitive routing").enable("strict routing").disable("x-powered-by").disable("etag");

  app.use(oauth(auth));
  app.all(
    mcpUrl.pathname,
    protect(auth, { scopes: [TOOLS_SCOPE] }, (req, res) =>
      toNodeHandler((request) => mcp.fetch(request, { authInfo: req.auth }))(req, res),
    ),
  );
  app
    .route([...homePaths])
    .get(sending(home))
    .all(sending(NOT_ALLOWED));
  app.use(sending(NOT_FOUND));
  return app;
}

function sending({ status, headers, body }: Page): RequestHandler {
  return (_req, res) => void res.status(status).set(headers).send(body);
}
