import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import type { requireBearerAuth as RequireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import type { OAuthServerProvider } from "@modelcontextprotocol/sdk/server/auth/provider.js";
import type { ProxyOptions } from "@modelcontextprotocol/sdk/server/auth/providers/proxyProvider.js";
import * as routerOfSdk from "@modelcontextprotocol/sdk/server/auth/router.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { ConfigurationError, type OAuthEvent } from "@sallyport/oauth-core";
import express from "express";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Keychain } from "../test/keychain.ts";
import { listening, Person, UPSTREAM, World } from "../test/world.ts";
import { getAuthSession, upstreamTokens } from "./index.ts";
import * as ours from "./v1-auth.ts";

const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  vi.stubEnv("UPSTREAM_CLIENT_ID", "our-app");
  vi.stubEnv("UPSTREAM_CLIENT_SECRET", "upstream-client-secret-0123456789abcdef");
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What a program of the old kind imports, with the SDK's own types: whatever is handed in has to fit where the SDK's did. */
interface Imports {
  readonly ProxyOAuthServerProvider: new (options: ProxyOptions) => OAuthServerProvider;
  readonly mcpAuthRouter: typeof routerOfSdk.mcpAuthRouter;
  readonly requireBearerAuth: typeof RequireBearerAuth;
}

/**
 * The program of the SDK's documentation, "Proxy Authorization Requests Upstream", with its tools behind `requireBearerAuth`. The addresses and the
 * `fetch` are parameters; nothing else was changed.
 */
function documentedProgram(
  { ProxyOAuthServerProvider, mcpAuthRouter, requireBearerAuth }: Imports,
  { upstream, baseUrl, fetch }: { upstream: string; baseUrl: string; fetch: NonNullable<ProxyOptions["fetch"]> },
) {
  const app = express();
  app.use(express.json());

  const proxyProvider = new ProxyOAuthServerProvider({
    endpoints: {
      authorizationUrl: `${upstream}/authorize`,
      tokenUrl: `${upstream}/token`,
      revocationUrl: `${upstream}/revoke`,
    },
    verifyAccessToken: async (token) => {
      return {
        token,
        clientId: "123",
        scopes: ["openid", "email", "profile"],
      };
    },
    getClient: async (client_id) => {
      return {
        client_id,
        redirect_uris: ["http://localhost:3000/callback"],
      };
    },
    fetch,
  });

  app.use(
    mcpAuthRouter({
      provider: proxyProvider,
      issuerUrl: new URL(baseUrl),
      baseUrl: new URL(baseUrl),
      serviceDocumentationUrl: new URL("https://docs.example.com/"),
      scopesSupported: ["openid"],
    }),
  );

  app.use("/mcp", requireBearerAuth({ verifier: proxyProvider, requiredScopes: ["openid"] }));
  app.post("/mcp", async (req, res) => {
    const server = new McpServer({ name: "example", version: "1.0.0" });
    server.registerTool("whoami", {}, async (extra) => {
      const upstreamsToken = (await upstreamTokens(extra))?.accessToken;
      const { subject } = getAuthSession(extra);
      return { content: [{ type: "text", text: JSON.stringify({ subject, upstreamsToken }) }] };
    });
    const transport = new StreamableHTTPServerTransport({});
    res.on("close", () => void server.close());
    await server.connect(transport as Parameters<McpServer["connect"]>[0]);
    await transport.handleRequest(req, res, req.body);
  });
  return app;
}

const upstreamFetch: NonNullable<ProxyOptions["fetch"]> = (_, init) =>
  World.upstream(new URLSearchParams(String(init?.body ?? "")));

async function running() {
  const warnings = vi.spyOn(console, "warn").mockReturnValue(undefined);
  const server = await listening();
  closing.push(() => server.close());
  const { baseUrl } = server;
  server.serve(documentedProgram(ours, { upstream: UPSTREAM, baseUrl, fetch: upstreamFetch }));
  return { baseUrl, mcpUrl: new URL(`${baseUrl}/mcp`), warnings };
}

describe("the SDK's documented program, with another import", () => {
  test("goes the whole way with the SDK's client, and the upstream's token stays with the server", async () => {
    const { mcpUrl } = await running();
    const keychain = new Keychain();
    const connect = async () => {
      const client = new Client({ name: "test", version: "1.0.0" });
      const transport = new StreamableHTTPClientTransport(mcpUrl, { authProvider: keychain as never });
      await client.connect(transport as Parameters<Client["connect"]>[0]);
      closing.push(() => client.close());
      return client;
    };
    await expect(connect()).rejects.toThrow("Unauthorized");
    const callback = await new Person("alice").signIn(keychain.taken());
    await new StreamableHTTPClientTransport(mcpUrl, { authProvider: keychain as never }).finishAuth(
      callback.searchParams.get("code") ?? "",
    );
    const result = (await (await connect()).callTool({ name: "whoami" })) as { content: { text: string }[] };

    expect(JSON.parse(result.content[0]?.text ?? "")).toEqual({
      subject: expect.stringContaining("alice"),
      upstreamsToken: "upstream-token-of-alice",
    });
    expect(JSON.stringify(keychain.held)).not.toContain("upstream-token");
  });

  test("its endpoints are where they were, and its resource is what it was", async () => {
    const { baseUrl } = await running();
    const document = async (path: string) => (await fetch(baseUrl + path)).json();

    expect(await document("/.well-known/oauth-authorization-server")).toMatchObject({
      issuer: baseUrl,
      authorization_endpoint: `${baseUrl}/authorize`,
      token_endpoint: `${baseUrl}/token`,
      registration_endpoint: `${baseUrl}/register`,
      revocation_endpoint: `${baseUrl}/revoke`,
    });
    expect(await document("/.well-known/oauth-protected-resource")).toMatchObject({ resource: baseUrl });
  });

  test("says at start, in one line, what is over and what is not used", async () => {
    const { warnings, baseUrl } = await running();

    expect(warnings.mock.calls).toEqual([
      [
        `[sallyport] clients get tokens of ${baseUrl} and no longer the upstream's, and register here. Not used: serviceDocumentationUrl, getClient. Rate limits are for whatever stands in front.`,
      ],
    ]);
  });

  test("the challenge of requireBearerAuth is our guard's", async () => {
    const { mcpUrl, baseUrl } = await running();
    const refused = await fetch(mcpUrl, { method: "POST" });

    expect(refused.status).toBe(401);
    expect(refused.headers.get("www-authenticate")).toBe(
      `Bearer scope="openid", resource_metadata="${baseUrl}/.well-known/oauth-protected-resource"`,
    );
  });

  test("a token of the upstream opens nothing", async () => {
    const { mcpUrl } = await running();
    const headers = { authorization: "Bearer upstream-token-of-alice" };

    expect((await fetch(mcpUrl, { method: "POST", headers })).status).toBe(401);
  });
});

describe("the provider", () => {
  const endpoints = { authorizationUrl: `${UPSTREAM}/authorize`, tokenUrl: `${UPSTREAM}/token` };
  const verifyAccessToken: ProxyOptions["verifyAccessToken"] = async (token) => ({ token, clientId: "x", scopes: [] });
  const getClient: ProxyOptions["getClient"] = async () => undefined;
  const issuerUrl = new URL("https://mcp.example.com");
  const withWarnings = (warned: OAuthEvent[] = []) => ({
    endpoints,
    verifyAccessToken,
    getClient,
    onEvent: (event: OAuthEvent) => void warned.push(event),
  });

  test.each(["UPSTREAM_CLIENT_ID", "UPSTREAM_CLIENT_SECRET"])("without %s says what is missing", (name) => {
    vi.stubEnv(name, undefined);

    expect(() => new ours.ProxyOAuthServerProvider({ endpoints, verifyAccessToken, getClient })).toThrow(name);
  });

  test("takes credentials as options, and a public client needs no secret but keys", () => {
    vi.unstubAllEnvs();
    const provider = new ours.ProxyOAuthServerProvider({
      ...withWarnings(),
      clientId: "app",
      upstreamTokenEndpointAuthMethod: "none",
      secret: "a-secret-of-at-least-thirty-two-bytes",
    });

    expect(ours.mcpAuthRouter({ provider, issuerUrl })).toBeTypeOf("function");
    expect(provider.oauthProxy.issuer).toBe("https://mcp.example.com");
  });

  test("takes every other option of an OAuthProxy, and the old ones that mean the same", () => {
    const provider = new ours.ProxyOAuthServerProvider({ ...withWarnings(), resourceScopes: ["mcp:tools"] });
    ours.mcpAuthRouter({
      provider,
      issuerUrl,
      baseUrl: new URL("https://auth.example.com"),
      resourceServerUrl: new URL("https://mcp.example.com/mcp"),
      scopesSupported: ["openid"],
    });

    expect(provider.oauthProxy.resources).toEqual(["https://mcp.example.com/mcp"]);
    expect(provider.oauthProxy.getAuthorizationServerMetadata()).toMatchObject({
      issuer: "https://auth.example.com",
      scopesSupported: ["openid", "mcp:tools"],
    });
  });

  test("verifyAccessToken of the old options vets the upstream's token at sign-in", async () => {
    vi.spyOn(console, "warn").mockReturnValue(undefined);
    const server = await listening();
    closing.push(() => server.close());
    const provider = new ours.ProxyOAuthServerProvider({
      endpoints,
      getClient,
      verifyAccessToken: () => Promise.reject(new Error("not for this application")),
      fetch: upstreamFetch,
    });
    const app = express();
    app.use(ours.mcpAuthRouter({ provider, issuerUrl: new URL(server.baseUrl), scopesSupported: ["openid"] }));
    server.serve(app);
    const { client_id } = await provider.oauthProxy.registerClient({
      redirect_uris: ["http://127.0.0.1:49152/callback"],
    });
    const query = new URLSearchParams({
      response_type: "code",
      client_id,
      redirect_uri: "http://127.0.0.1:49152/callback",
      code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
      code_challenge_method: "S256",
    });
    const callback = await new Person("alice").signIn(new URL(`${server.baseUrl}/authorize?${query}`));

    expect(callback.searchParams.get("error")).toBe("server_error");
    expect(callback.searchParams.has("code")).toBe(false);
  });

  test("as a verifier of the SDK's own middleware, it throws the SDK's errors", async () => {
    const provider = new ours.ProxyOAuthServerProvider(withWarnings());
    await expect(provider.verifyAccessToken("x")).rejects.toThrow("mcpAuthRouter first");
    ours.mcpAuthRouter({ provider, issuerUrl });

    await expect(provider.verifyAccessToken("x")).rejects.toThrow(InvalidTokenError);
  });

  test("belongs to one router", () => {
    const provider = new ours.ProxyOAuthServerProvider(withWarnings());
    ours.mcpAuthRouter({ provider, issuerUrl });

    expect(() => ours.mcpAuthRouter({ provider, issuerUrl })).toThrow(ConfigurationError);
  });

  test("in the SDK's router, says where it belongs", () => {
    const provider = new ours.ProxyOAuthServerProvider(withWarnings());

    expect(() => routerOfSdk.mcpAuthRouter({ provider, issuerUrl })).toThrow("mcpAuthRouter of @sallyport/mcp");
  });

  test("of somebody else, or a subclass whose overrides nobody would call, is refused", () => {
    class Stricter extends ours.ProxyOAuthServerProvider {
      override async verifyAccessToken(): Promise<never> {
        throw new InvalidTokenError("never");
      }
    }
    const foreign: OAuthServerProvider = Object.create(ours.ProxyOAuthServerProvider.prototype);
    const stricter = new Stricter(withWarnings());

    expect(() => ours.mcpAuthRouter({ provider: stricter, issuerUrl })).toThrow("no subclass");
    expect(() => ours.mcpAuthRouter({ provider: { ...foreign } as OAuthServerProvider, issuerUrl })).toThrow("must be");
  });

  test("warnings go where the other events go", () => {
    const warned: OAuthEvent[] = [];
    ours.mcpAuthRouter({ provider: new ours.ProxyOAuthServerProvider(withWarnings(warned)), issuerUrl });

    expect(warned).toContainEqual(
      expect.objectContaining({ type: "warning", message: expect.stringContaining("no longer the upstream's") }),
    );
  });
});

test("requireBearerAuth with a verifier of one's own is the SDK's", async () => {
  const server = await listening();
  closing.push(() => server.close());
  const app = express();
  const verifyAccessToken = () => Promise.reject(new InvalidTokenError("not mine"));
  app.use(ours.requireBearerAuth({ verifier: { verifyAccessToken } }));
  server.serve(app);
  const refused = await fetch(server.baseUrl, { headers: { authorization: "Bearer x" } });

  expect(refused.status).toBe(401);
  expect(await refused.json()).toEqual({ error: "invalid_token", error_description: "not mine" });
});
