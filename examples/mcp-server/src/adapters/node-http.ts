/** The site on plain node:http. */
import type { ServerResponse } from "node:http";
import { oauth, protect, toNodeHandler } from "@sallyport/node-http";
import { toAuthInfo } from "@sallyport/oauth-core";
import { type Listener, NOT_ALLOWED, NOT_FOUND, type Page, type Site, TOOLS_SCOPE } from "../site.ts";

export function onNodeHttp({ auth, mcp, mcpUrl, homePaths, home }: Site): Listener {
  const endpoints = oauth(auth);
  const tools = protect(auth, { scopes: [TOOLS_SCOPE] }, (req, res) => {
    const authInfo = toAuthInfo(req.auth);
    return toNodeHandler((request) => mcp.fetch(request, { authInfo }))(req, res);
  });

  return (req, res) =>
    endpoints(req, res, () => {
      // Compared as it was sent, and exactly: a path that only resembles the tools' must not lead to them.
      const path = (req.url ?? "/").split("?", 1)[0] ?? "/";
      if (path === mcpUrl.pathname) return tools(req, res);
      if (!homePaths.includes(path)) return send(res, NOT_FOUND);
      return send(res, req.method === "GET" || req.method === "HEAD" ? home : NOT_ALLOWED);
    });
}

function send(res: ServerResponse, { status, headers, body }: Page): void {
  res.writeHead(status, headers).end(body);
}
