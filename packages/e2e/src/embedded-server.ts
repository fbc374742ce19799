/** A server inside the test, for what the example's environment can't set: its clock, its patience, and what the upstream answered. */
import { OAuthProxy, type OAuthProxyConfig } from "@sallyport/oauth-core";
import type { Upstream } from "./upstream.ts";
import { startWhoamiServer, type WhoamiServer } from "./whoami-server.ts";

/** A token answer of the upstream, as far as the tests read it. */
export interface UpstreamAnswer {
  readonly access_token?: string;
  readonly refresh_token?: string;
}

/** A server that listens. */
export interface EmbeddedServer extends WhoamiServer<OAuthProxy> {
  /** What the upstream's token endpoint has answered so far. */
  readonly upstreamAnswers: readonly UpstreamAnswer[];
}

/** Starts a server on plain `node:http`; its one tool tells who is asking. */
export async function startEmbeddedServer(
  upstream: Upstream,
  config: Partial<OAuthProxyConfig> = {},
): Promise<EmbeddedServer> {
  const { issuer, endpoints } = upstream.provider;
  const upstreamAnswers: UpstreamAnswer[] = [];
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
  const server = await startWhoamiServer(async (baseUrl, now) => {
    await upstream.admit(
      baseUrl,
      config.providers?.map(({ id }) => `/oauth/callback/${id}`),
    );
    return new OAuthProxy({
      baseUrl,
      ...(config.providers === undefined ? theUpstream : {}),
      resourceScopes: ["mcp:tools"],
      onEvent: () => undefined,
      ...config,
      runtime: {
        now,
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          if (url === endpoints.token && response.ok)
            upstreamAnswers.push((await response.clone().json()) as UpstreamAnswer);
          return response;
        },
      },
    });
  });
  return { ...server, upstreamAnswers };
}
