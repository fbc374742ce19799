/** The site as a fetch function, without any adapter, as Bun, Deno and Workers serve one; here it is Node.js that does. */
import { toNodeHandler } from "@sallyport/node-http";
import { toAuthInfo } from "@sallyport/oauth-core";
import { type Listener, NOT_ALLOWED, NOT_FOUND, type Page, type Site, TOOLS_SCOPE } from "../site.ts";

export function onFetch({ auth, mcp, mcpUrl, homePaths, home }: Site): Listener {
  return toNodeHandler(async (request) => {
    const answer = await auth.handle(request);
    if (answer !== undefined) return answer;
    const { pathname } = new URL(request.url);
    if (pathname === mcpUrl.pathname) {
      const access = await auth.protect(request, { scopes: [TOOLS_SCOPE] });
      if (access instanceof Response) return access;
      const told = await mcp.fetch(request, { authInfo: toAuthInfo(access) });
      for (const [name, value] of Object.entries(auth.corsHeaders(request))) told.headers.append(name, value);
      return told;
    }
    if (!homePaths.includes(pathname)) return respond(NOT_FOUND);
    return respond(request.method === "GET" || request.method === "HEAD" ? home : NOT_ALLOWED);
  });
}

function respond({ status, headers, body }: Page): Response {
  return new Response(body, { status, headers });
}
