/** A server inside the test, on plain `node:http`: its one tool tells who is asking, and its clock can be set forward. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { oauth, protect } from "@sallyport/node-http";
import type { OAuthProxy } from "@sallyport/oauth-core";

/** A server that listens. */
export interface WhoamiServer<Auth extends OAuthProxy> {
  readonly auth: Auth;
  readonly mcpUrl: URL;
  /** Lets the server's clock jump ahead; everybody else's stays. */
  advance(seconds: number): void;
  close(): Promise<void>;
}

/** Starts one around what `create` makes of its address and its clock. */
export async function startWhoamiServer<Auth extends OAuthProxy>(
  create: (baseUrl: string, now: () => number) => Promise<Auth> | Auth,
): Promise<WhoamiServer<Auth>> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let ahead = 0;
  const auth = await create(baseUrl, () => Math.floor(Date.now() / 1000) + ahead);

  const endpointsOf = oauth(auth);
  const whoami = protect(auth, {}, ({ auth: { subject } }, res) => {
    const content = [{ type: "text", text: JSON.stringify({ subject }) }];
    res.setHeader("content-type", "application/json").end(JSON.stringify({ result: { content } }));
  });
  server.on("request", (req, res) => void endpointsOf(req, res, () => whoami(req, res)));

  return {
    auth,
    mcpUrl: new URL(`${baseUrl}/mcp`),
    advance: (seconds) => {
      ahead += seconds;
    },
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      auth.destroy();
    },
  };
}
