/** The official MCP client, second generation: `@modelcontextprotocol/client`. */
import { Client, refreshAuthorization, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { answerOf } from "../tool-call.ts";
import type { Generation, Setting } from "./official-client.ts";

const transportOf = ({ mcpUrl, keychain, fetch }: Setting) =>
  new StreamableHTTPClientTransport(mcpUrl, { authProvider: keychain, fetch });

export const sdkV2: Generation = {
  name: "@modelcontextprotocol/client",
  async connect(setting) {
    const client = new Client({ name: "e2e", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(transportOf(setting));
    return { call: async (name) => answerOf(await client.callTool({ name })), close: () => client.close() };
  },
  finish: (setting, callback) => transportOf(setting).finishAuth(callback.searchParams),
  refreshAuthorization,
};
