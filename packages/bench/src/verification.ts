/** What it costs to know a token again that was seen before: signed with a shared key, with a key of our own that is published, and by another issuer. */

import { JWKSVerifier, SigningKeys } from "@sallyport/jwks";
import { OAuthProxy, type OAuthProxyConfig, PKCEUtils, ResourceServer } from "@sallyport/oauth-core";
import type { Result } from "./report.ts";
import { type Contender, ratios, takeTurns } from "./rounds.ts";

const BASE_URL = "https://mcp.example.com";
const RESOURCE = `${BASE_URL}/mcp`;
const REDIRECT_URI = "http://127.0.0.1:49152/callback";
const REQUESTS = 20_000;

/** The guard of a server, as far as it is measured. */
type Guard = Pick<OAuthProxy, "protect">;

/** Measures whole guards, with one token each, from the second request on. */
export async function benchVerification(rounds: number): Promise<readonly Result[]> {
  const [shared, published] = [serverWith({}), serverWith({ signing: new SigningKeys() })];
  const other = new ResourceServer({
    resource: RESOURCE,
    authorizationServers: [BASE_URL],
    tokenVerifier: new JWKSVerifier({
      jwksUri: `${BASE_URL}/oauth/jwks`,
      issuer: BASE_URL,
      audience: RESOURCE,
      runtime: { fetch: (url) => published.fetch(new Request(url)) },
    }),
  });
  const token = await signIn(published);
  const measured = await takeTurns(
    [
      guarding("HS256", shared, await signIn(shared)),
      guarding("ES256", published, token),
      guarding("JWKSVerifier", other, token),
    ],
    rounds,
  );
  const [hs256, es256, verifier] = measured;
  if (hs256 === undefined || es256 === undefined || verifier === undefined) throw new Error("nothing was measured");
  return [
    {
      what: "guard, token of HS256 from the cache",
      values: hs256.times.map((time) => (time / REQUESTS) * 1000),
      unit: "µs",
    },
    {
      what: "guard, token of ES256 over HS256, both from the cache",
      values: ratios(es256, hs256),
      unit: "×",
      target: 1.3,
    },
    {
      what: "guard with JWKSVerifier over HS256, both from the cache",
      values: ratios(verifier, hs256),
      unit: "×",
      target: 1.3,
    },
  ];
}

function guarding(name: string, guard: Guard, token: string): Contender {
  const request = new Request(RESOURCE, { method: "POST", headers: { authorization: `Bearer ${token}` } });
  return {
    name,
    run: async () => {
      for (let index = 0; index < REQUESTS; index += 1) {
        const access = await guard.protect(request);
        if (access instanceof Response) throw new Error(`refused: ${access.status}`);
      }
    },
  };
}

function serverWith(config: Partial<OAuthProxyConfig>): OAuthProxy {
  return new OAuthProxy({
    baseUrl: BASE_URL,
    upstreamAuthorizationEndpoint: "https://id.example.com/authorize",
    upstreamTokenEndpoint: "https://id.example.com/token",
    upstreamClientId: "bench",
    upstreamClientSecret: "the upstream's client secret of the bench",
    consentRequired: false,
    accessTokenTtl: 86_400,
    onEvent: () => undefined,
    ...config,
    runtime: {
      fetch: async () => Response.json({ access_token: "upstream", token_type: "Bearer", expires_in: 86_400 }),
    },
  });
}

/** One person at one client. */
async function signIn(server: OAuthProxy): Promise<string> {
  const { client_id: clientId } = await server.registerClient({ redirect_uris: [REDIRECT_URI] });
  const { verifier, challenge } = PKCEUtils.generatePair();
  const begun = await server.authorize({
    client_id: clientId,
    response_type: "code",
    redirect_uri: REDIRECT_URI,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  const state = new URL(begun.headers.get("location") ?? "").searchParams.get("state") ?? "";
  const cookie = begun.headers
    .getSetCookie()
    .map((line) => line.split(";", 1)[0])
    .join("; ");
  const query = new URLSearchParams({ code: "upstream-code", state });
  const returned = await server.handleCallback(
    new Request(`${BASE_URL}/oauth/callback?${query}`, { headers: { cookie } }),
  );
  const code = new URL(returned.headers.get("location") ?? "").searchParams.get("code") ?? "";
  const tokens = await server.exchangeAuthorizationCode({
    client_id: clientId,
    code,
    code_verifier: verifier,
    redirect_uri: REDIRECT_URI,
  });
  return tokens.access_token;
}
