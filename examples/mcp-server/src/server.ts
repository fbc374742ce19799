/** Puts the parts together: authorization server, tools, page and HTTP server. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createMcpHandler, type McpHttpHandler } from "@modelcontextprotocol/server";
import { OAuthProxy, type TokenStorage } from "@sallyport/oauth-core";
import { adapterOf } from "./adapters.ts";
import { type Configuration, EnvironmentError, inWordsOfTheEnvironment } from "./configuration.ts";
import { HOME_PAGE_HEADERS, homePage } from "./home-page.ts";
import { page, TOOLS_SCOPE } from "./site.ts";
import { openStorage } from "./storage.ts";
import { createTools } from "./tools.ts";

/** A server that is listening. */
export interface RunningServer {
  /** Where its URLs begin. */
  readonly baseUrl: string;
  /** Where it listens. */
  readonly port: number;
  /** Takes no more requests, finishes those that it has, and lets everything go. */
  close(): Promise<void>;
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

/** Why a server can't listen, in words of the environment. */
const LISTEN_PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: "PORT: is in use already",
  EACCES: "PORT: must not be used by this user",
  EADDRNOTAVAIL: "HOST: is not an address of this computer",
  ENOTFOUND: "HOST: is not known",
};

async function listening(server: Server, { port, host }: Configuration): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    const problem = error instanceof Error && "code" in error ? LISTEN_PROBLEMS[String(error.code)] : undefined;
    throw problem === undefined ? error : new EnvironmentError([problem], error);
  }
  return (server.address() as AddressInfo).port;
}

/** Knows which answers are still to be finished; a subscription's is not one of them, for it never is. */
function watchAnswers(server: Server): { readonly finished: () => Promise<void> } {
  const open = new Set<ServerResponse>();
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    if (req.headers["mcp-method"] === "subscriptions/listen") return;
    open.add(res);
    res.once("close", () => open.delete(res));
  });
  return {
    finished: async () => {
      await Promise.all([...open].map((res) => once(res, "close")));
    },
  };
}

/**
 * Starts the server and answers once it listens.
 *
 * @throws {EnvironmentError} where a variable can't be used
 */
export async function startServer(configuration: Configuration): Promise<RunningServer> {
  const adapter = await adapterOf(configuration.adapter);
  const { storage, close: closeStorage } = await openStorage(configuration.storage);
  const server = createServer();

  try {
    const port = await listening(server, configuration);
    const { host } = configuration;
    const baseUrl = configuration.baseUrl ?? `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
    const auth = createAuth(configuration, baseUrl, storage);
    const mcp = createMcp(auth, configuration.userinfoEndpoint);
    const path = new URL(auth.issuer).pathname.replace(/\/$/, "");
    const mcpUrl = new URL(`${auth.issuer}/mcp`);
    const answers = watchAnswers(server);
    const listener = await adapter({
      auth,
      mcp,
      mcpUrl,
      homePaths: path === "" ? ["/"] : [path, `${path}/`],
      home: page(200, HOME_PAGE_HEADERS, homePage({ name: NAME, mcpUrl: mcpUrl.href })),
    });
    server.on("request", listener);

    return {
      baseUrl: auth.issuer,
      port,
      async close() {
        const closed = once(server, "close");
        server.close();
        await answers.finished();
        await mcp.close();
        server.closeAllConnections();
        await closed;
        auth.destroy();
        await closeStorage();
      },
    };
  } catch (error) {
    server.close();
    await closeStorage();
    throw error;
  }
}
