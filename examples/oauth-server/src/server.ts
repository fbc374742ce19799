/** Puts the parts together: the authorization server with its accounts, the tools, and the HTTP server. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createMcpHandler, type McpHttpHandler } from "@modelcontextprotocol/server";
import { Accounts, OAuthServer } from "@sallyport/accounts";
import { HttpServer } from "@sallyport/example-mcp-server/http-server";
import type { Running } from "@sallyport/example-mcp-server/program";
import { openStorage } from "@sallyport/example-mcp-server/storage";
import { oauth, protect, toNodeHandler } from "@sallyport/node-http";
import { type TokenStorage, toAuthInfo } from "@sallyport/oauth-core";
import type { Configuration } from "./configuration.ts";
import { ensureDemoUser } from "./demo-user.ts";
import { terminalMail } from "./mail.ts";
import { Notes } from "./notes.ts";
import { keptSecret, newSecret } from "./secret.ts";
import { createTools, READ_SCOPE, WRITE_SCOPE } from "./tools.ts";

/** The client that the demonstration knows from the start. RFC 8252 §7.3: of a loopback address, any port will do. */
export const DEMO_CLIENT = { clientId: "demo_client", redirectUri: "http://127.0.0.1/callback" } as const;

/** A server that is listening. */
export interface RunningServer extends Running {
  /** Whether this start has made the demo user, or an earlier one. */
  readonly demoUser: "made" | "known";
}

function secretOf({ secret, storage }: Configuration): string {
  if (secret !== undefined) return secret;
  return storage.startsWith("disk:") ? keptSecret(storage.slice("disk:".length)) : newSecret();
}

function createAuth(configuration: Configuration, baseUrl: string, tokenStorage: TokenStorage): OAuthServer {
  return new OAuthServer({
    baseUrl,
    secret: secretOf(configuration),
    tokenStorage,
    serverName: "Sallyport accounts example",
    accounts: new Accounts({ signUp: true, sendMail: terminalMail() }),
    scopes: [READ_SCOPE, WRITE_SCOPE],
    defaultScopes: [READ_SCOPE],
    scopeDescriptions: { [READ_SCOPE]: "Read your notes", [WRITE_SCOPE]: "Add notes to yours" },
    // Not `trusted`: any program on this computer can listen at a loopback address, so that a person is asked each time.
    clients: [
      {
        clientId: DEMO_CLIENT.clientId,
        clientSecret: configuration.demoClientSecret.value,
        clientName: "Demo client",
        redirectUris: [DEMO_CLIENT.redirectUri],
      },
    ],
    refreshTokenGracePeriod: configuration.refreshGracePeriod,
  });
}

/** A server and a transport for each request: there are no sessions, so none can fall into other hands. */
function createMcp(auth: OAuthServer): McpHttpHandler {
  const notes = new Notes();
  return createMcpHandler(() => createTools(auth, notes), {
    onerror: (error) => console.error("mcp:", error.message),
  });
}

/** The endpoints and pages of the authorization server, the tools behind the guard, and a front page that is the account's. */
function createListener(
  auth: OAuthServer,
  mcp: McpHttpHandler,
): (req: IncomingMessage, res: ServerResponse) => unknown {
  const endpoints = oauth(auth);
  const tools = protect(auth, { scopes: [READ_SCOPE] }, (req, res) => {
    const authInfo = toAuthInfo(req.auth);
    return toNodeHandler((request) => mcp.fetch(request, { authInfo }))(req, res);
  });
  const { pathname } = new URL(`${auth.issuer}/`);

  return (req, res) =>
    endpoints(req, res, () => {
      const path = (req.url ?? "/").split("?", 1)[0] ?? "/";
      if (path === `${pathname}mcp`) return tools(req, res);
      if (path === pathname) return res.writeHead(303, { location: `${auth.issuer}/oauth/account` }).end();
      return res.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("Not found\n");
    });
}

/**
 * Starts the server and answers once it serves.
 *
 * @throws {EnvironmentError} (as a rejection) where a variable can't be used
 */
export async function startServer(configuration: Configuration): Promise<RunningServer> {
  const { storage, close: closeStorage } = await openStorage(configuration.storage);
  let http: HttpServer | undefined;
  let auth: OAuthServer | undefined;
  const close = async (mcp?: McpHttpHandler): Promise<void> => {
    await http?.close(() => mcp?.close());
    await auth?.accounts.settled();
    auth?.destroy();
    await closeStorage();
  };
  try {
    http = await HttpServer.listen(configuration);
    auth = createAuth(configuration, http.baseUrl, storage);
    const demoUser = await ensureDemoUser(auth.accounts, configuration.demoPassword.value);
    const mcp = createMcp(auth);
    http.serve(createListener(auth, mcp));
    return { baseUrl: auth.issuer, demoUser, close: () => close(mcp) };
  } catch (error) {
    await close();
    throw error;
  }
}
