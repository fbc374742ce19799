/** An application on the official MCP client, of either generation: what the two have in common. */
import type { FetchLike, refreshAuthorization } from "@modelcontextprotocol/client";
import type { ToolAnswer } from "../tool-call.ts";
import { Wire } from "../wire.ts";
import { Keychain } from "./keychain.ts";
import { type RealClient, type Tokens, tokensOf } from "./real-client.ts";

/** A connection to an MCP server. */
export interface Connection {
  call(tool: string): Promise<ToolAnswer>;
  close(): Promise<void>;
}

/** What the library is handed. */
export interface Setting {
  readonly mcpUrl: URL;
  readonly keychain: Keychain;
  readonly fetch: FetchLike;
}

/** What a generation of the library does in its own way. */
export interface Generation {
  readonly name: string;
  /** Connects; rejects where a person has to sign in first. */
  connect(setting: Setting): Promise<Connection>;
  /** Takes what came to the callback. */
  finish(setting: Setting, callback: URL): Promise<void>;
  readonly refreshAuthorization: typeof refreshAuthorization;
}

/** An application with a keychain of its own. */
export class OfficialClient implements RealClient {
  readonly wire = new Wire();
  readonly #generation: Generation;
  readonly #setting: Setting;
  #connection: Connection | undefined;

  constructor(generation: Generation, mcpUrl: URL, keychain = new Keychain(generation.name)) {
    this.#generation = generation;
    this.#setting = { mcpUrl, keychain, fetch: this.wire.fetch };
  }

  /** Another window of the same application, with the same keychain. */
  newWindow(): OfficialClient {
    return new OfficialClient(this.#generation, this.#setting.mcpUrl, this.#keychain);
  }

  get tokens(): Tokens {
    if (this.#keychain.held === undefined) throw new Error("The client has no tokens.");
    return tokensOf(this.#keychain.held);
  }
  set tokens({ access_token, refresh_token }: Tokens) {
    this.#keychain.held = { token_type: "Bearer", ...this.#keychain.held, access_token, refresh_token };
  }

  async knock(): Promise<URL> {
    const refused = await this.#connected().then(
      () => undefined,
      (error: unknown) => error,
    );
    const { authorizationUrl } = this.#keychain;
    if (authorizationUrl === undefined) throw new Error("The client did not ask for a person.", { cause: refused });
    return authorizationUrl;
  }

  async finish(callback: URL): Promise<void> {
    // The library leaves this check to the application.
    if (callback.searchParams.get("state") !== this.#keychain.expectedState) throw new Error("The state is wrong.");
    await this.#generation.finish(this.#setting, callback);
  }

  async call(tool: string): Promise<ToolAnswer> {
    return (await this.#connected()).call(tool);
  }

  async refresh(): Promise<Tokens> {
    const { registration, discovery, held } = this.#keychain;
    if (registration === undefined || discovery?.authorizationServerMetadata === undefined)
      throw new Error("The client is not registered.");
    return tokensOf(
      await this.#generation.refreshAuthorization(discovery.authorizationServerUrl, {
        metadata: discovery.authorizationServerMetadata,
        clientInformation: registration,
        refreshToken: held?.refresh_token ?? "",
        resource: this.#setting.mcpUrl,
        fetchFn: this.#setting.fetch,
      }),
    );
  }

  /** By hand: the library can't, in either generation. */
  async revoke(): Promise<void> {
    const metadata = this.#keychain.discovery?.authorizationServerMetadata ?? {};
    const endpoint = "revocation_endpoint" in metadata ? metadata.revocation_endpoint : undefined;
    if (typeof endpoint !== "string") throw new Error("There is no revocation endpoint.");
    const { client_id = "" } = this.#keychain.registration ?? {};
    const body = new URLSearchParams({ token: this.tokens.refresh_token, client_id });
    const { ok } = await this.#setting.fetch(endpoint, { method: "POST", body });
    if (!ok) throw new Error("The revocation was refused.");
  }

  async close(): Promise<void> {
    await this.#connection?.close();
  }

  get #keychain(): Keychain {
    return this.#setting.keychain;
  }

  async #connected(): Promise<Connection> {
    this.#connection ??= await this.#generation.connect(this.#setting);
    return this.#connection;
  }
}
