/** Which HTTP framework serves, chosen by the variable ADAPTER: each puts the same parts into one listener. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { McpHttpHandler } from "@modelcontextprotocol/server";
import { oauth, protect, toNodeHandler } from "@sallyport/node-http";
import { type OAuthProxy, toAuthInfo } from "@sallyport/oauth-core";
import { EnvironmentError } from "./configuration.ts";
import { HOME_PAGE_HEADERS } from "./home-page.ts";

/** What a framework has to serve. */
export interface Site {
  readonly auth: OAuthProxy;
  readonly mcp: McpHttpHandler;
  /** Where the tools are. */
  readonly mcpUrl: URL;
  /** The paths of the page for people. */
  readonly homePaths: readonly string[];
  readonly homePage: string;
}

/** Serves a request from beginning to end. */
export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** The scope without which no tool can be used. */
export const TOOLS_SCOPE = "mcp:tools";

const ADAPTERS: ReadonlyMap<string, (site: Site) => Listener> = new Map([["node-http", onNodeHttp]]);

/**
 * The framework that a setting such as `node-http` names.
 *
 * @throws {EnvironmentError} for one that this server does not know
 */
export function adapterOf(setting: string): (site: Site) => Listener {
  const adapter = ADAPTERS.get(setting);
  if (adapter === undefined)
    throw new EnvironmentError([`ADAPTER: has to be one of ${[...ADAPTERS.keys()].join(", ")}`]);
  return adapter;
}

/** Plain node:http: the mount that the README of the repository shows, with a page beside it. */
function onNodeHttp({ auth, mcp, mcpUrl, homePaths, homePage }: Site): Listener {
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
      if (homePaths.includes(path)) return sendHomePage(req, res, homePage);
      return res.writeHead(404, { "content-type": "text/plain" }).end("Not found\n");
    });
}

function sendHomePage(req: IncomingMessage, res: ServerResponse, page: string): void {
  if (req.method !== "GET" && req.method !== "HEAD") {
    res.writeHead(405, { allow: "GET, HEAD" }).end();
    return;
  }
  res.writeHead(200, { ...HOME_PAGE_HEADERS, "content-length": Buffer.byteLength(page) });
  res.end(page);
}
