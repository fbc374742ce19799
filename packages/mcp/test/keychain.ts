/** What an application keeps for an official MCP client of either version, in memory. */
import type {
  OAuthClientMetadata,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from "@modelcontextprotocol/client";
import { REDIRECT_URI } from "./world.ts";

/** Remembers where a person was to be sent, instead of opening a browser. */
export class Keychain {
  readonly redirectUrl = REDIRECT_URI;
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: "a client",
    redirect_uris: [REDIRECT_URI],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
  authorizationUrl: URL | undefined;
  registration: StoredOAuthClientInformation | undefined;
  held: StoredOAuthTokens | undefined;
  discovery: OAuthDiscoveryState | undefined;
  #codeVerifier = "";

  /** The authorization URL that the client came with since this was last asked. */
  taken(): URL {
    const url = this.authorizationUrl;
    this.authorizationUrl = undefined;
    if (url === undefined) throw new Error("The client did not ask for a person.");
    return url;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.registration;
  }
  saveClientInformation(registration: StoredOAuthClientInformation): void {
    this.registration = registration;
  }
  tokens(): StoredOAuthTokens | undefined {
    return this.held;
  }
  saveTokens(tokens: StoredOAuthTokens): void {
    this.held = tokens;
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
    this.discovery = state;
  }
  discoveryState(): OAuthDiscoveryState | undefined {
    return this.discovery;
  }
}
