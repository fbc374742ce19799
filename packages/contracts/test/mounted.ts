/** What is mounted: a real authorization server, and a guard that knows a single token. */
import { type Access, type HandleOptions, OAuthProxy } from "@sallyport/oauth-core";

/** An authorization server that nobody has signed in to. */
export function server(baseUrl = "https://mcp.example.com"): OAuthProxy {
  return new OAuthProxy({
    baseUrl,
    upstreamAuthorizationEndpoint: "https://id.example.com/authorize",
    upstreamTokenEndpoint: "https://id.example.com/token",
    upstreamClientId: "example",
    upstreamClientSecret: "a secret that the test has made up for itself",
    onEvent: () => undefined,
  });
}

/** A server with one endpoint, `/where`, which answers with the address that it was told. */
export const tellsAddress = {
  owns: (target: string): boolean => target === "/where",
  handle: async (_: Request, { clientAddress = "unknown" }: Pick<HandleOptions, "clientAddress"> = {}) =>
    new Response(clientAddress),
};

export const access: Access = {
  token: "t",
  clientId: "client",
  scopes: ["mcp:tools"],
  expiresAt: 2_000_000_000,
  resource: "https://mcp.example.com/mcp",
  subject: "alice",
  claims: {},
};

/** Lets `Bearer t` in, and nothing else. */
export const guard = {
  async protect(request: Request): Promise<Access | Response> {
    return request.headers.get("authorization") === "Bearer t" ? access : new Response(null, { status: 401 });
  },
  corsHeaders: (): Record<string, string> => ({}),
};

export const authorization = "Bearer t";
