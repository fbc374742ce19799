/** Beside version 1 of the MCP SDK, which declares `auth` for every request of Express: its type and ours agree. */
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import type { AuthInfo } from "@modelcontextprotocol/sdk/server/auth/types.js";
import type { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { OAuthProxy } from "@sallyport/oauth-core";
import express from "express";
import { protect } from "../../src/index.ts";

export function build1(auth: OAuthProxy, transport: StreamableHTTPServerTransport): express.Express {
  const app = express();
  const verifier = { verifyAccessToken: async (): Promise<AuthInfo> => Promise.reject(new Error("not used")) };
  app.get("/old", requireBearerAuth({ verifier }));
  app.post(
    "/mcp",
    protect(auth, {}, async (req, res) => {
      const info: AuthInfo = req.auth;
      const subject: string = req.auth.subject;
      res.set("x-subject", `${subject} ${info.clientId}`);
      await transport.handleRequest(req, res, req.body);
    }),
  );
  app.get("/mcp", protect(auth), async (req, res) => {
    const info: AuthInfo | undefined = req.auth;
    res.json(info?.scopes);
    await transport.handleRequest(req, res);
  });
  return app;
}
