import { expect, test } from "vitest";
import { World } from "../test/harness.ts";
import { OAuthProvider } from "./oauth-provider.ts";
import { OAuthProxy } from "./oauth-proxy.ts";
import { PKCEUtils } from "./pkce-utils.ts";
import { ConfigurationError } from "./protocol/errors.ts";

const CONFIG = {
  baseUrl: "https://mcp.example.com",
  authorizationEndpoint: "https://id.example.com/authorize",
  tokenEndpoint: "https://id.example.com/token",
  clientId: "our-app",
  clientSecret: "upstream-client-secret-0123456789abcdef",
  scopes: ["read"],
  onEvent: () => undefined,
};

test("it is an OAuthProxy with short names for the upstream", async () => {
  const auth = new OAuthProvider({ ...CONFIG, consentRequired: false });
  expect(auth).toBeInstanceOf(OAuthProxy);
  const { client_id } = await auth.registerClient({ redirect_uris: ["http://127.0.0.1/cb"] });
  const { challenge } = PKCEUtils.generatePair();
  const answer = await auth.authorize({
    client_id,
    response_type: "code",
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  const location = new URL(answer.headers.get("location") ?? "");
  expect(location.origin + location.pathname).toBe(CONFIG.authorizationEndpoint);
  expect(location.searchParams.get("client_id")).toBe("our-app");
});

test("it makes the same keys as an OAuthProxy with the same credentials", async () => {
  const world = new World();
  const { tokens } = await world.server({ secret: undefined }).signIn();
  const auth = new OAuthProvider({ ...CONFIG, tokenStorage: world.storage, runtime: { now: () => world.now } });
  expect(await auth.loadUpstreamTokens(tokens.access_token)).toMatchObject({ accessToken: "upstream-access-1" });
});

test("tokenEndpointAuthMethod says how we authenticate at the upstream", () => {
  // A public client has no secret to derive keys from.
  const make = (more: object) =>
    new OAuthProvider({ ...CONFIG, clientSecret: "", tokenEndpointAuthMethod: "none", ...more });
  expect(() => make({ secret: "a-secret-of-at-least-32-bytes-0123" })).not.toThrow();
  expect(() => make({})).toThrow(ConfigurationError);
});
