/** A small identity provider that posts its answers, as Apple does; at `localhost`, which is another site than 127.0.0.1. OAuth 2.0 Form Post Response Mode. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { defineUpstream, type UpstreamProvider } from "@sallyport/oauth-core/upstream";

/** One that listens. */
export interface FormPostingProvider {
  readonly provider: UpstreamProvider;
  close(): Promise<void>;
}

/** Starts it. Everybody who presses its one button is carol. */
export async function startFormPostingProvider(): Promise<FormPostingProvider> {
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? "/", "http://localhost");
    const json = (value: unknown) => res.setHeader("content-type", "application/json").end(JSON.stringify(value));
    if (pathname === "/token") json({ access_token: "opaque", token_type: "Bearer", expires_in: 3600 });
    else if (pathname === "/userinfo") json({ sub: "carol", email: "carol@example.com", email_verified: true });
    else {
      const action = searchParams.get("redirect_uri") ?? "";
      const state = searchParams.get("state") ?? "";
      res.setHeader("content-type", "text/html; charset=utf-8");
      res.end(
        `<!doctype html><title>Forms</title><link rel="icon" href="data:,"><form method="post" action="${action}">
        <input type="hidden" name="state" value="${state}"><button name="code" value="c0de">Sign in</button></form>`,
      );
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  return {
    provider: defineUpstream({
      id: "forms",
      name: "Forms",
      clientId: "sallyport-e2e",
      clientSecret: "the secret of the provider with the forms",
      scopes: ["name"],
      responseMode: "form_post",
      endpoints: { authorization: `${origin}/authorize`, token: `${origin}/token`, userinfo: `${origin}/userinfo` },
    }),
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
