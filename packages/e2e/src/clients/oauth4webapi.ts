/** A client on `oauth4webapi`, which holds every answer against its RFC and takes nothing on trust. */
import * as oauth from "oauth4webapi";
import { REDIRECT_URI } from "../person.ts";
import { readToolAnswer, type ToolAnswer, toolRequest, useTool } from "../tool-call.ts";
import { Wire } from "../wire.ts";
import { NO_TOKENS, type RealClient, type Tokens, tokensOf } from "./real-client.ts";

/** How the client proves who it is. */
export type AuthMethod = "none" | "client_secret_basic" | "client_secret_post";

interface Registered {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly authentication: oauth.ClientAuth;
}

/** The resource metadata that a 401 points to. RFC 9728 §5.1. */
export function metadataUrlOf(refusal: Response): string {
  const [, url] = /\bresource_metadata="([^"]+)"/.exec(refusal.headers.get("www-authenticate") ?? "") ?? [];
  if (refusal.status !== 401 || url === undefined) throw new Error("The refusal does not say where to learn more.");
  return url;
}

function authenticationOf(method: AuthMethod, secret: string): oauth.ClientAuth {
  if (method === "none") return oauth.None();
  return method === "client_secret_basic" ? oauth.ClientSecretBasic(secret) : oauth.ClientSecretPost(secret);
}

/** One installation of it. */
export class StrictClient implements RealClient {
  readonly wire = new Wire();
  tokens = NO_TOKENS;
  readonly #mcpUrl: URL;
  readonly #method: AuthMethod;
  readonly #redirectUri: string;
  readonly #options = { [oauth.allowInsecureRequests]: true, [oauth.customFetch]: this.wire.fetch } as const;
  readonly #state = oauth.generateRandomState();
  readonly #verifier = oauth.generateRandomCodeVerifier();
  #registered: Registered | undefined;

  constructor(mcpUrl: URL, method: AuthMethod, redirectUri = REDIRECT_URI) {
    this.#mcpUrl = mcpUrl;
    this.#method = method;
    this.#redirectUri = redirectUri;
  }

  async knock(): Promise<URL> {
    const metadataUrl = metadataUrlOf(await useTool(this.#mcpUrl, "", "whoami", this.wire.fetch));
    const server = await this.#discover(metadataUrl);
    this.#registered = await this.#register(server);
    const url = new URL(server.authorization_endpoint ?? "");
    url.search = new URLSearchParams({
      client_id: this.#registered.client.client_id,
      redirect_uri: this.#redirectUri,
      response_type: "code",
      state: this.#state,
      code_challenge: await oauth.calculatePKCECodeChallenge(this.#verifier),
      code_challenge_method: "S256",
      resource: this.#mcpUrl.href,
    }).toString();
    return url;
  }

  async finish(callback: URL): Promise<void> {
    const { server, client, authentication } = this.#known;
    // RFC 9207: `iss` is demanded, because the metadata promise it.
    const parameters = oauth.validateAuthResponse(server, client, callback, this.#state);
    const answer = await oauth.authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      parameters,
      this.#redirectUri,
      this.#verifier,
      { ...this.#options, additionalParameters: { resource: this.#mcpUrl.href } },
    );
    this.tokens = tokensOf(await oauth.processAuthorizationCodeResponse(server, client, answer));
  }

  async call(tool: string): Promise<ToolAnswer> {
    const { headers, body } = toolRequest(tool);
    const { access_token } = this.tokens;
    return readToolAnswer(
      await oauth.protectedResourceRequest(access_token, "POST", this.#mcpUrl, headers, body, this.#options),
    );
  }

  async refresh(): Promise<Tokens> {
    const { server, client, authentication } = this.#known;
    const { refresh_token } = this.tokens;
    return tokensOf(
      await oauth.processRefreshTokenResponse(
        server,
        client,
        await oauth.refreshTokenGrantRequest(server, client, authentication, refresh_token, this.#options),
      ),
    );
  }

  async revoke(): Promise<void> {
    const { server, client, authentication } = this.#known;
    const { refresh_token } = this.tokens;
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(server, client, authentication, refresh_token, this.#options),
    );
  }

  async close(): Promise<void> {
    this.tokens = NO_TOKENS;
  }

  get #known(): Registered {
    if (this.#registered === undefined) throw new Error("The client is not registered.");
    return this.#registered;
  }

  async #discover(metadataUrl: string): Promise<oauth.AuthorizationServer> {
    const answer = await oauth.resourceDiscoveryRequest(this.#mcpUrl, this.#options);
    if (answer.url !== metadataUrl) throw new Error("The challenge points elsewhere than RFC 9728 §3.1.");
    const { authorization_servers } = await oauth.processResourceDiscoveryResponse(this.#mcpUrl, answer);
    const issuer = new URL(authorization_servers?.[0] ?? "");
    return oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { ...this.#options, algorithm: "oauth2" }),
    );
  }

  async #register(server: oauth.AuthorizationServer): Promise<Registered> {
    const client = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(
        server,
        {
          client_name: "oauth4webapi",
          redirect_uris: [this.#redirectUri],
          token_endpoint_auth_method: this.#method,
          grant_types: ["authorization_code", "refresh_token"],
          response_types: ["code"],
        },
        this.#options,
      ),
    );
    if (client.token_endpoint_auth_method !== this.#method) throw new Error("The client got another method.");
    return { server, client, authentication: authenticationOf(this.#method, String(client.client_secret)) };
  }
}
