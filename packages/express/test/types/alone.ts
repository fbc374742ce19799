/** Without any SDK: `auth` is typed in the handler that `protect` is given, and nothing is declared for everybody else. */
import type { OAuthProxy } from "@sallyport/oauth-core";
import express from "express";
import { type Auth, oauth, protect } from "../../src/index.ts";

export function build(auth: OAuthProxy): express.Express {
  const app = express();
  app.use(oauth(auth));
  app.use("/outer", oauth(auth, { onError: console.error, strippedPrefix: "/auth" }));
  app.post(
    "/mcp",
    protect(auth, { scopes: ["mcp:tools"], resource: "https://mcp.example.com/mcp" }, (req, res, next) => {
      const { token, clientId, scopes, expiresAt, resource, subject, claims, extra }: Auth = req.auth;
      const strings: string[] = [token, clientId, subject, extra.subject, resource.href, ...scopes];
      if (expiresAt > 0 && claims["role"] !== "admin") res.json(strings);
      else next();
    }),
  );
  app.get("/api", protect(auth), protect(auth, {}, { onError: console.error }), (_req, res) => res.json({}));
  return app;
}
