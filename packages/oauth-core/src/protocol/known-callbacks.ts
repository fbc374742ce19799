/** The callbacks of widely used clients, as their makers document them: whose they are, and so what a registration may name. RFC 7591 §5. */

/** A client and every redirect URI that it is known to register. */
export interface KnownClient {
  /** The name that the consent page shows as verified. */
  readonly name: string;
  /** Exact URIs; `<id>` stands for one path segment of letters, digits, `_` and `-`, and `<port>` for any port. */
  readonly callbacks: readonly string[];
}

/**
 * The list. Loopback callbacks stand here so that a client's habits are found in one place; they prove nobody, because every
 * program on a machine may listen there.
 */
export const KNOWN_CLIENTS: readonly KnownClient[] = [
  {
    name: "Claude",
    callbacks: ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"],
  },
  { name: "Claude Code", callbacks: ["http://localhost:<port>/callback"] },
  {
    name: "ChatGPT",
    callbacks: ["https://chatgpt.com/connector/oauth/<id>", "https://chatgpt.com/connector_platform_oauth_redirect"],
  },
  {
    name: "Cursor",
    callbacks: [
      "cursor://anysphere.cursor-mcp/oauth/callback",
      "https://www.cursor.com/agents/mcp/oauth/callback",
      "http://localhost:8787/callback",
    ],
  },
  {
    name: "Visual Studio Code",
    callbacks: [
      "http://127.0.0.1/",
      "http://127.0.0.1:33418/",
      "http://localhost/",
      "http://localhost:33418/",
      "https://vscode.dev/redirect",
      "https://insiders.vscode.dev/redirect",
    ],
  },
  { name: "Copilot Studio", callbacks: ["https://global.consent.azure-apim.net/redirect/<id>"] },
  {
    name: "mcp-remote",
    callbacks: ["http://127.0.0.1:<port>/oauth/callback", "http://localhost:<port>/oauth/callback"],
  },
  { name: "MCP Inspector", callbacks: ["http://localhost:6274/oauth/callback"] },
];

/** One class under one quantifier: linear. A dot or a percent sign would let an id be a path of its own. */
const ID = /^[A-Za-z0-9_-]+$/;

const exact = new Map<string, string>();
const prefixes: { readonly prefix: string; readonly name: string }[] = [];

for (const { name, callbacks } of KNOWN_CLIENTS) {
  for (const callback of callbacks) {
    // RFC 8252 §8.6: whoever listens on a loopback port is not thereby the client that usually does.
    if (callback.startsWith("http://")) continue;
    if (callback.endsWith("/<id>")) prefixes.push({ prefix: callback.slice(0, -"<id>".length), name });
    else exact.set(callback, name);
  }
}

/** Where those of them that are web pages live. */
export function knownClientOrigins(): readonly string[] {
  const urls = KNOWN_CLIENTS.flatMap(({ callbacks }) => callbacks.filter((uri) => uri.startsWith("https://")));
  return [...new Set(urls.map((url) => new URL(url).origin))];
}

/**
 * The verified name of the client that a hosted or private-scheme callback belongs to; `undefined` for every other URI, and for
 * every loopback one.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7591#section-5 RFC 7591 §5} a name that a client gives itself proves nothing
 */
export function knownClientOf(redirectUri: string): string | undefined {
  return (
    exact.get(redirectUri) ??
    prefixes.find(({ prefix }) => redirectUri.startsWith(prefix) && ID.test(redirectUri.slice(prefix.length)))?.name
  );
}
