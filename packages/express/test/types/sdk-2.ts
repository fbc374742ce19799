/** Beside version 2 of the MCP SDK and its middleware for Express, which declares `auth` as well. */
import { requireBearerAuth } from "@modelcontextprotocol/express";
import type { AuthInfo } from "@modelcontextprotocol/server";
import type { OAuthProxy } from "@sallyport/oauth-core";
import express from "express";
import { protect } from "../../src/index.ts";

export function build2(auth: OAuthProxy, handle: (info: AuthInfo) => Promise<string>): express.Express {
  const app = express();
  const verifier = { verifyAccessToken: async (): Promise<AuthInfo> => Promise.reject(new Error("not used")) };
  app.get("/old", requireBearerAuth({ verifier }));
  app.post(
    "/mcp",
    protect(auth, {}, async (req, res) => {
      const subject: string = req.auth.subject;
      res.send(subject + (await handle(req.auth)));
    }),
  );
  app.get("/mcp", protect(auth), async (req, res) => {
    const info: AuthInfo | undefined = req.auth;
    res.json(info?.scopes);
  });
  return app;
}
