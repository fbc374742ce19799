/** The page at the root: what this is, and how to connect a client to it. */

/** What the page tells. */
export interface HomePageView {
  readonly name: string;
  /** Where the tools are. */
  readonly mcpUrl: string;
}

/** Goes out with the page: no script, nothing from elsewhere, no frames. */
export const HOME_PAGE_HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "public, max-age=300",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
} as const;

const STYLE = `
  :root { color-scheme: light dark; --ink: #1c2430; --soft: #566172; --line: #d5dbe3; --paper: #fff; --ground: #f3f5f8; --accent: #2457c5; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #e7ebf1; --soft: #a3adbb; --line: #37404d; --paper: #1b212a; --ground: #12161c; --accent: #8db0ff; }
  }
  * { box-sizing: border-box; }
  body { margin: 0; padding: 3rem 1.25rem; background: var(--ground); color: var(--ink);
    font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
  main { max-width: 44rem; margin: 0 auto; }
  h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.25; }
  h2 { margin: 2.25rem 0 .75rem; font-size: 1.1rem; }
  p, dd { color: var(--soft); }
  p { margin: 0 0 1rem; }
  .url { padding: .9rem 1.1rem; background: var(--paper); border: 1px solid var(--accent); border-radius: 10px; color: var(--ink); }
  code, pre { font: .9rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }
  dl { margin: 0; }
  dt { font-weight: 600; margin-top: 1rem; }
  dd { margin: .25rem 0 0; }
  pre { margin: .35rem 0 0; padding: .7rem .9rem; background: var(--paper); border: 1px solid var(--line); border-radius: 8px; color: var(--ink); }
`;

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Builds the page, once. */
export function homePage({ name, mcpUrl }: HomePageView): string {
  const url = escaped(mcpUrl);
  const vscode = escaped(JSON.stringify({ name: "sallyport-example", type: "http", url: mcpUrl }));
  const cursor = escaped(JSON.stringify({ mcpServers: { "sallyport-example": { url: mcpUrl } } }, null, 2));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(name)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(name)}</h1>
<p>An MCP server with sign-in. This page is for people; clients connect here:</p>
<p class="url"><code>${url}</code></p>
<p>A client that connects registers itself, and sends you to a page on which you allow or refuse it, and then to the identity provider, where you sign in.</p>

<h2>Connect a client</h2>
<dl>
<dt>Claude, ChatGPT</dt><dd>Add a custom connector with the URL above, where it can be reached from the internet.</dd>
<dt>Claude Code</dt><dd><pre>claude mcp add --transport http sallyport-example ${url}</pre></dd>
<dt>VS Code</dt><dd><pre>code --add-mcp '${vscode}'</pre></dd>
<dt>Cursor</dt><dd>In <code>.cursor/mcp.json</code>:<pre>${cursor}</pre></dd>
<dt>MCP Inspector</dt><dd><pre>npx @modelcontextprotocol/inspector</pre>Add a server of the type “Streamable HTTP” with the URL above.</dd>
<dt>Clients that know only local servers</dt><dd><pre>npx mcp-remote ${url}</pre></dd>
</dl>

<h2>What it offers</h2>
<dl>
<dt><code>whoami</code></dt><dd>Who you are here: subject, client, scopes and claims.</dd>
<dt><code>upstream_profile</code></dt><dd>Who you are at the identity provider, asked with your own token, which the client never sees.</dd>
<dt><code>admin_only</code></dt><dd>For people with the role <code>admin</code>; everybody else is refused.</dd>
</dl>
</main>
</body>
</html>
`;
}
