/** Puts the parts together: authorization server, tools, page and HTTP server. */
import { createMcpHandler, type McpHttpHandler } from "@modelcontextprotocol/server";
import { OAuthProxy, type TokenStorage } from "@sallyport/oauth-core";
import { adapterOf } from "./adapters.ts";
import { type Configuration, inWordsOfTheEnvironment } from "./configuration.ts";
import { HOME_PAGE_HEADERS, homePage } from "./home-page.ts";
import { HttpServer } from "./http-server.ts";
import type { Running } from "./program.ts";
import { page, TOOLS_SCOPE } from "./site.ts";
import { openStorage } from "./storage.ts";
import { createTools } from "./tools.ts";

/** A server that is listening. */
export interface RunningServer extends Running {
  /** Where it listens. */
  readonly port: number;
}

const NAME = "Sallyport example";

const SCOPES_IN_WORDS = {
  [TOOLS_SCOPE]: "Use the tools of this server",
  openid: "Know who you are",
  profile: "Read your name",
  email: "Read your e-mail address",
  offline_access: "Stay signed in while you are away",
};

function createAuth(configuration: Configuration, baseUrl: string, tokenStorage: TokenStorage): OAuthProxy {
  try {
    return new OAuthProxy({
      ...configuration.auth,
      baseUrl,
      tokenStorage,
      serverName: NAME,
      resourceScopes: [TOOLS_SCOPE],
      scopeDescriptions: SCOPES_IN_WORDS,
    });
  } catch (error) {
    throw inWordsOfTheEnvironment(error);
  }
}

/** A server and a transport for each request, in both eras of the protocol: there are no sessions, so none can fall into other hands. */
function createMcp(auth: OAuthProxy, userinfoEndpoint: string | undefined): McpHttpHandler {
  return createMcpHandler(
    ({ authInfo }) => {
      if (authInfo === undefined) throw new Error("A request reached the tools without passing the guard.");
      return createTools({ auth, userinfoEndpoint }, authInfo);
    },
    { onerror: (error) => console.error("mcp:", error.message) },
  );
}

/**
 * Starts the server and answers once it listens.
 *
 * @throws {EnvironmentError} where a variable can't be used
 */
export async function startServer(configuration: Configuration): Promise<RunningServer> {
  const adapter = await adapterOf(configuration.adapter);
  const { storage, close: closeStorage } = await openStorage(configuration.storage);
  let server: HttpServer | undefined;

  try {
    server = await HttpServer.listen(configuration);
    const auth = createAuth(configuration, server.baseUrl, storage);
    const mcp = createMcp(auth, configuration.userinfoEndpoint);
    const path = new URL(auth.issuer).pathname.replace(/\/$/, "");
    const mcpUrl = new URL(`${auth.issuer}/mcp`);
    const listener = await adapter({
      auth,
      mcp,
      mcpUrl,
      homePaths: path === "" ? ["/"] : [path, `${path}/`],
      home: page(200, HOME_PAGE_HEADERS, homePage({ name: NAME, mcpUrl: mcpUrl.href })),
    });
    server.serve(listener);
    const { port } = server;
    const close = server.close.bind(server);

    return {
      baseUrl: auth.issuer,
      port,
      async close() {
        await close(() => mcp.close());
        auth.destroy();
        await closeStorage();
      },
    };
  } catch (error) {
    await server?.close();
    await closeStorage();
    throw error;
  }
}
