/** A server inside the test, for what the example's environment can't set: its clock, its patience, and what the upstream answered. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { oauth, protect } from "@sallyport/node-http";
import { OAuthProxy, type OAuthProxyConfig } from "@sallyport/oauth-core";
import type { Upstream } from "./upstream.ts";

/** A token answer of the upstream, as far as the tests read it. */
export interface UpstreamAnswer {
  readonly access_token?: string;
  readonly refresh_token?: string;
}

/** A server that listens. */
export interface EmbeddedServer {
  readonly auth: OAuthProxy;
  readonly mcpUrl: URL;
  /** What the upstream's token endpoint has answered so far. */
  readonly upstreamAnswers: readonly UpstreamAnswer[];
  /** Lets the server's clock jump ahead; the upstream's stays. */
  advance(seconds: number): void;
  close(): Promise<void>;
}

/** Starts a server on plain `node:http`; its one tool tells who is asking. */
export async function startEmbeddedServer(
  upstream: Upstream,
  config: Partial<OAuthProxyConfig> = {},
): Promise<EmbeddedServer> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { issuer, endpoints } = upstream.provider;
  const upstreamAnswers: UpstreamAnswer[] = [];
  let ahead = 0;

  const theUpstream = {
    upstreamIssuer: issuer,
    upstreamAuthorizationEndpoint: endpoints.authorization,
    upstreamTokenEndpoint: endpoints.token,
    upstreamRevocationEndpoint: endpoints.revocation,
    upstreamClientId: upstream.clientId,
    upstreamClientSecret: upstream.clientSecret,
    scopes: ["openid", "offline_access"],
    extraAuthorizationParams: { prompt: "consent" },
  };

  const auth = new OAuthProxy({
    baseUrl,
    ...(config.providers === undefined ? theUpstream : {}),
    resourceScopes: ["mcp:tools"],
    onEvent: () => undefined,
    ...config,
    runtime: {
      now: () => Math.floor(Date.now() / 1000) + ahead,
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (url === endpoints.token && response.ok)
          upstreamAnswers.push((await response.clone().json()) as UpstreamAnswer);
        return response;
      },
    },
  });
  await upstream.admit(
    baseUrl,
    config.providers?.map(({ id }) => `/oauth/callback/${id}`),
  );

  const endpointsOf = oauth(auth);
  const whoami = protect(auth, {}, ({ auth: { subject } }, res) => {
    const content = [{ type: "text", text: JSON.stringify({ subject }) }];
    res.setHeader("content-type", "application/json").end(JSON.stringify({ result: { content } }));
  });
  server.on("request", (req, res) => void endpointsOf(req, res, () => whoami(req, res)));

  return {
    auth,
    mcpUrl: new URL(`${baseUrl}/mcp`),
    upstreamAnswers,
    advance: (seconds) => {
      ahead += seconds;
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      auth.destroy();
    },
  };
}
