/** The client: what the flow is made of, by `oauth4webapi`, which holds every answer against its RFC and takes nothing on trust. */
import { Wire } from "@sallyport/example-demo/wire";
import * as oauth from "oauth4webapi";
import { readAnswer, type ToolOutcome, toolRequest } from "./tool-call.ts";

/** Where the client goes, and as whom. */
export interface DemoClientOptions {
  readonly mcpUrl: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where it listens for answers. */
  readonly redirectUri: string;
}

/** One authorization that was begun, with what only this client knows of it. */
export interface Begun {
  /** Where a person has to go. */
  readonly url: URL;
  readonly state: string;
  readonly verifier: string;
  readonly challenge: string;
}

export type Tokens = oauth.TokenEndpointResponse;

/** How each request is sent. */
interface Http {
  readonly [oauth.customFetch]: (
    url: string,
    init: oauth.CustomFetchOptions<string, oauth.ProtectedResourceRequestBody>,
  ) => Promise<Response>;
  readonly [oauth.allowInsecureRequests]: boolean;
}

/** Whether what goes there stays on this computer. */
export function isLoopback({ hostname }: URL): boolean {
  return ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
}

/** One installation of it. */
export class DemoClient {
  readonly wire = new Wire();
  readonly #options: DemoClientOptions;
  readonly #client: oauth.Client;
  readonly #secret: oauth.ClientAuth;
  readonly #http: Http;
  #server: oauth.AuthorizationServer | undefined;

  constructor(options: DemoClientOptions) {
    this.#options = options;
    this.#client = { client_id: options.clientId };
    this.#secret = oauth.ClientSecretBasic(options.clientSecret);
    this.#http = {
      [oauth.customFetch]: (url, { body = null, ...init }) => this.wire.fetch(url, { ...init, body }),
      [oauth.allowInsecureRequests]: isLoopback(options.mcpUrl),
    };
  }

  /** Asks for a tool without a token. */
  async knock(): Promise<Response> {
    return this.wire.fetch(this.#options.mcpUrl, { method: "POST", ...toolRequest("whoami") });
  }

  /** Asks the resource which authorization server it trusts, and that server where its endpoints are. RFC 9728, RFC 8414. */
  async discover(): Promise<oauth.AuthorizationServer> {
    const { mcpUrl } = this.#options;
    const { authorization_servers = [] } = await oauth.processResourceDiscoveryResponse(
      mcpUrl,
      await oauth.resourceDiscoveryRequest(mcpUrl, this.#http),
    );
    const issuer = new URL(authorization_servers[0] ?? mcpUrl);
    const answer = await oauth.discoveryRequest(issuer, { ...this.#http, algorithm: "oauth2" });
    this.#server = await oauth.processDiscoveryResponse(issuer, answer);
    return this.#server;
  }

  /** Begins an authorization: a verifier that stays here, its challenge that goes out, and a state. RFC 7636 §4, RFC 6749 §4.1.1. */
  async begin(scope: string): Promise<Begun> {
    const { mcpUrl, clientId, redirectUri } = this.#options;
    const [state, verifier] = [oauth.generateRandomState(), oauth.generateRandomCodeVerifier()];
    const challenge = await oauth.calculatePKCECodeChallenge(verifier);
    const url = new URL(this.#known.authorization_endpoint ?? "");
    url.search = new URLSearchParams({
      response_type: "code",
      client_id: clientId,
      redirect_uri: redirectUri,
      scope,
      state,
      code_challenge: challenge,
      code_challenge_method: "S256",
      resource: mcpUrl.href,
    }).toString();
    return { url, state, verifier, challenge };
  }

  /** Checks `state`, and `iss` (RFC 9207). @throws {oauth.OperationProcessingError} for an answer that is not ours, {oauth.AuthorizationResponseError} for a refusal */
  accept(callback: URL, state: string): URLSearchParams {
    return oauth.validateAuthResponse(this.#known, this.#client, callback, state);
  }

  /** @throws {oauth.ResponseBodyError} where the server refuses */
  async redeem(accepted: URLSearchParams, verifier: string): Promise<Tokens> {
    const { mcpUrl, redirectUri } = this.#options;
    const answer = await oauth.authorizationCodeGrantRequest(
      this.#known,
      this.#client,
      this.#secret,
      accepted,
      redirectUri,
      verifier,
      { ...this.#http, additionalParameters: { resource: mcpUrl.href } },
    );
    return oauth.processAuthorizationCodeResponse(this.#known, this.#client, answer);
  }

  /** @throws {oauth.ResponseBodyError} where the server refuses */
  async refresh(refreshToken: string): Promise<Tokens> {
    const answer = await oauth.refreshTokenGrantRequest(
      this.#known,
      this.#client,
      this.#secret,
      refreshToken,
      this.#http,
    );
    return oauth.processRefreshTokenResponse(this.#known, this.#client, answer);
  }

  /** RFC 7009. @throws {oauth.ResponseBodyError} where the server refuses */
  async revoke(token: string): Promise<void> {
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(this.#known, this.#client, this.#secret, token, this.#http),
    );
  }

  /** Uses a tool. */
  async call(tool: string, accessToken: string): Promise<ToolOutcome> {
    const { headers, body } = toolRequest(tool);
    try {
      const { mcpUrl } = this.#options;
      const answer = await oauth.protectedResourceRequest(accessToken, "POST", mcpUrl, headers, body, this.#http);
      return { answer: await readAnswer(answer) };
    } catch (error) {
      if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
      await error.response.body?.cancel();
      const { error: word, scope } = error.cause[0]?.parameters ?? {};
      return { status: error.status, error: word, scope };
    }
  }

  get #known(): oauth.AuthorizationServer {
    if (this.#server === undefined) throw new Error("The server has not been discovered.");
    return this.#server;
  }
}

/** The word with which the token endpoint refuses; undefined where it does not. RFC 6749 §5.2. */
export async function refusalOf(request: Promise<unknown>): Promise<string | undefined> {
  try {
    await request;
    return undefined;
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError) return error.error;
    throw error;
  }
}
