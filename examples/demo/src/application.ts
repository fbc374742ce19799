/** The application of the story: the official MCP client, and a wire that is watched. */
import { type CallToolResult, Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Credentials } from "./credentials.ts";
import { Wire } from "./wire.ts";

/** An application that uses one MCP server. */
export class Application {
  readonly wire = new Wire();
  readonly credentials = new Credentials();
  readonly #mcpUrl: URL;
  #client: Client | undefined;

  constructor(mcpUrl: URL) {
    this.#mcpUrl = mcpUrl;
  }

  /** @throws {UnauthorizedError} where a person has to sign in first */
  async connect(): Promise<void> {
    this.#client = new Client({ name: "sallyport-demo", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
    await this.#client.connect(this.#transport());
  }

  /** Takes what came to the callback. */
  async finishSignIn(callback: URL): Promise<void> {
    await this.#transport().finishAuth(callback.searchParams);
  }

  /** @throws {UnauthorizedError} where a person has to sign in first */
  async call(tool: string): Promise<CallToolResult> {
    if (this.#client === undefined) throw new Error("The application is not connected.");
    return this.#client.callTool({ name: tool });
  }

  async close(): Promise<void> {
    await this.#client?.close();
  }

  #transport(): StreamableHTTPClientTransport {
    return new StreamableHTTPClientTransport(this.#mcpUrl, { authProvider: this.credentials, fetch: this.wire.fetch });
  }
}
