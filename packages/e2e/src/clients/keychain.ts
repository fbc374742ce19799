/** What an application keeps for an official MCP client of either generation. */
import { randomBytes } from "node:crypto";
import type {
  OAuthClientMetadata,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from "@modelcontextprotocol/client";
import { REDIRECT_URI } from "../person.ts";

/** Keeps everything in memory, and remembers the authorization URL instead of opening a browser. */
export class Keychain {
  readonly redirectUrl = REDIRECT_URI;
  readonly clientMetadata: OAuthClientMetadata;
  readonly expectedState = randomBytes(16).toString("base64url");
  authorizationUrl: URL | undefined;
  registration: StoredOAuthClientInformation | undefined;
  held: StoredOAuthTokens | undefined;
  discovery: OAuthDiscoveryState | undefined;
  #codeVerifier = "";

  constructor(clientName: string) {
    this.clientMetadata = {
      client_name: clientName,
      redirect_uris: [REDIRECT_URI],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    };
  }

  state(): string {
    return this.expectedState;
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
  invalidateCredentials(what: "all" | "client" | "tokens" | "verifier" | "discovery"): void {
    if (what === "all" || what === "tokens") this.held = undefined;
    if (what === "all" || what === "client") this.registration = undefined;
    if (what === "all" || what === "discovery") this.discovery = undefined;
  }
}
