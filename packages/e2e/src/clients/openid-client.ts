/** A client on `openid-client`, as an application that speaks OpenID Connect elsewhere would use it. */
import * as openid from "openid-client";
import { REDIRECT_URI } from "../person.ts";
import { readToolAnswer, type ToolAnswer, toolRequest, useTool } from "../tool-call.ts";
import { Wire } from "../wire.ts";
import { metadataUrlOf } from "./oauth4webapi.ts";
import { NO_TOKENS, type RealClient, type Tokens, tokensOf } from "./real-client.ts";

/** One installation of it. */
export class OpenidClient implements RealClient {
  readonly wire = new Wire();
  tokens = NO_TOKENS;
  readonly #mcpUrl: URL;
  readonly #state = openid.randomState();
  readonly #verifier = openid.randomPKCECodeVerifier();
  #configuration: openid.Configuration | undefined;

  constructor(mcpUrl: URL) {
    this.#mcpUrl = mcpUrl;
  }

  async knock(): Promise<URL> {
    const refusal = await useTool(this.#mcpUrl, "", "whoami", this.wire.fetch);
    const metadata = await this.wire.fetch(metadataUrlOf(refusal));
    const { authorization_servers } = (await metadata.json()) as { authorization_servers: readonly string[] };
    this.#configuration = await openid.dynamicClientRegistration(
      new URL(authorization_servers[0] ?? ""),
      { client_name: "openid-client", redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: "none" },
      openid.None(),
      { algorithm: "oauth2", execute: [openid.allowInsecureRequests], [openid.customFetch]: this.wire.fetch },
    );
    return openid.buildAuthorizationUrl(this.#known, {
      redirect_uri: REDIRECT_URI,
      state: this.#state,
      code_challenge: await openid.calculatePKCECodeChallenge(this.#verifier),
      code_challenge_method: "S256",
      resource: this.#mcpUrl.href,
    });
  }

  async finish(callback: URL): Promise<void> {
    const checks = { expectedState: this.#state, pkceCodeVerifier: this.#verifier };
    const resource = { resource: this.#mcpUrl.href };
    this.tokens = tokensOf(await openid.authorizationCodeGrant(this.#known, callback, checks, resource));
  }

  async call(tool: string): Promise<ToolAnswer> {
    const { headers, body } = toolRequest(tool);
    const { access_token } = this.tokens;
    return readToolAnswer(
      await openid.fetchProtectedResource(this.#known, access_token, this.#mcpUrl, "POST", body, headers),
    );
  }

  async refresh(): Promise<Tokens> {
    return tokensOf(await openid.refreshTokenGrant(this.#known, this.tokens.refresh_token));
  }

  async revoke(): Promise<void> {
    await openid.tokenRevocation(this.#known, this.tokens.refresh_token);
  }

  async close(): Promise<void> {
    this.tokens = NO_TOKENS;
  }

  get #known(): openid.Configuration {
    if (this.#configuration === undefined) throw new Error("The client is not registered.");
    return this.#configuration;
  }
}
