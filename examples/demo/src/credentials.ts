/** What an application keeps for the official MCP client: its registration, its tokens, and where to send a person. */
import { randomBytes } from "node:crypto";
import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from "@modelcontextprotocol/client";

/** Keeps everything in memory, and remembers the authorization URL instead of opening a browser. */
export class Credentials implements OAuthClientProvider {
  readonly redirectUrl = "http://127.0.0.1:33333/callback";
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: "Sallyport demo client",
    redirect_uris: [this.redirectUrl],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  readonly expectedState = randomBytes(16).toString("base64url");
  /** Where a person has to go, once the client has asked for it. */
  authorizationUrl: URL | undefined;
  #registration: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #codeVerifier = "";
  #discovery: OAuthDiscoveryState | undefined;

  state(): string {
    return this.expectedState;
  }
  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#registration;
  }
  saveClientInformation(registration: StoredOAuthClientInformation): void {
    this.#registration = registration;
  }
  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens;
  }
  /** The tokens, at a point of the story at which there are some. */
  get held(): StoredOAuthTokens {
    if (this.#tokens === undefined) throw new Error("The client has no tokens.");
    return this.#tokens;
  }
  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }
  redirectToAuthorization(url: URL): void {
    this.authorizationUrl = url;
  }
  saveCodeVerifier(codeVerifier: string): void {
    this.#codeVerifier = codeVerifier;
  }
  codeVerifier(): string {
    return this.#codeVerifier;
  }
  saveDiscoveryState(state: OAuthDiscoveryState): void {
    this.#discovery = state;
  }
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovery;
  }
  invalidateCredentials(what: "all" | "client" | "tokens" | "verifier" | "discovery"): void {
    if (what === "all" || what === "tokens") this.#tokens = undefined;
    if (what === "all" || what === "client") this.#registration = undefined;
    if (what === "all" || what === "discovery") this.#discovery = undefined;
  }
}
