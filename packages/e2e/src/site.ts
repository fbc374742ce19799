/** What a test needs to begin: the identity provider, and the example server that trusts it. */
import { randomBytes } from "node:crypto";
import type { IdentityProviderOptions } from "@sallyport/example-demo-idp";
import { ServedExample } from "./served-example.ts";
import { Upstream } from "./upstream.ts";

/** Both servers, up. */
export interface Site {
  readonly upstream: Upstream;
  readonly example: ServedExample;
  /** Signs access tokens; with it a test makes a token that is really expired. */
  readonly jwtSigningKey: string;
  close(): Promise<void>;
}

/** Starts both; the lifetimes are the identity provider's, in seconds. */
export async function startSite(
  lifetimes: Pick<IdentityProviderOptions, "accessTokenTtl" | "refreshTokenTtl"> = {},
): Promise<Site> {
  const upstream = await Upstream.start(lifetimes);
  const { issuer, endpoints } = upstream.provider;
  const jwtSigningKey = randomBytes(32).toString("base64url");
  const example = await ServedExample.start({
    UPSTREAM_ISSUER: issuer,
    UPSTREAM_AUTHORIZATION_ENDPOINT: endpoints.authorization,
    UPSTREAM_TOKEN_ENDPOINT: endpoints.token,
    UPSTREAM_USERINFO_ENDPOINT: endpoints.userinfo,
    UPSTREAM_CLIENT_ID: upstream.clientId,
    UPSTREAM_CLIENT_SECRET: upstream.clientSecret,
    UPSTREAM_SCOPES: "openid profile email offline_access",
    JWT_SIGNING_KEY: jwtSigningKey,
  });
  await upstream.admit(example.baseUrl);
  return {
    upstream,
    example,
    jwtSigningKey,
    close: async () => {
      await example.stop();
      await upstream.close();
    },
  };
}
