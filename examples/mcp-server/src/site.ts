/** What every HTTP framework is given to serve. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { McpHttpHandler } from "@modelcontextprotocol/server";
import type { OAuthProxy } from "@sallyport/oauth-core";

/** What a framework has to serve. Whatever is none of it is {@link NOT_FOUND}. */
export interface Site {
  readonly auth: OAuthProxy;
  readonly mcp: McpHttpHandler;
  /** Where the tools are. */
  readonly mcpUrl: URL;
  /** The paths of the page for people; asked with another method than GET and HEAD they are {@link NOT_ALLOWED}. */
  readonly homePaths: readonly string[];
  readonly home: Page;
}

/** An answer that is always the same. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Serves a request from beginning to end. */
export type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** Puts a site into one framework. */
export type Adapter = (site: Site) => Promise<Listener> | Listener;

/** The scope without which no tool can be used. */
export const TOOLS_SCOPE = "mcp:tools";

/** A page with its length, which some frameworks would not send for HEAD. */
export function page(status: number, headers: Page["headers"], body: string): Page {
  return { status, headers: { ...headers, "content-length": `${Buffer.byteLength(body)}` }, body };
}

const TEXT = { "content-type": "text/plain; charset=utf-8" };

export const NOT_FOUND = page(404, TEXT, "Not found\n");

export const NOT_ALLOWED = page(405, { ...TEXT, allow: "GET, HEAD" }, "Method not allowed\n");
