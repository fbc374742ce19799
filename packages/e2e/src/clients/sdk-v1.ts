/** The official MCP client, first generation: `@modelcontextprotocol/sdk`. */
import { refreshAuthorization } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CallToolResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { answerOf } from "../tool-call.ts";
import type { Generation, Setting } from "./official-client.ts";

const transportOf = ({ mcpUrl, keychain, fetch }: Setting) =>
  new StreamableHTTPClientTransport(mcpUrl, { authProvider: keychain, fetch });

export const sdkV1: Generation = {
  name: "@modelcontextprotocol/sdk",
  async connect(setting) {
    const client = new Client({ name: "e2e", version: "1.0.0" });
    await client.connect(transportOf(setting));
    return {
      call: async (name) => answerOf(CallToolResultSchema.parse(await client.callTool({ name }))),
      close: () => client.close(),
    };
  },
  finish: (setting, callback) => transportOf(setting).finishAuth(callback.searchParams.get("code") ?? ""),
  refreshAuthorization,
};
