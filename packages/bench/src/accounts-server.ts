/** Servers with users of their own, as they are measured, and as a program: `accounts-server.ts` serves one and tells its parent the port. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Accounts, OAuthServer } from "@sallyport/accounts";
import { oauth, protect } from "@sallyport/node-http";
import { MemoryTokenStorage, type TokenStorage } from "@sallyport/oauth-core";

export const CLIENT_ID = "bench";
export const CALLBACK = "https://client.example/callback";
export const PASSWORD = "correct horse battery staple";
/** How many sign in at once. */
export const PEOPLE = 32;
/** Who sits behind one address is slowed down together: everybody says another one. */
export const ADDRESS_HEADER = "x-address";

/** A server that knows `person1` to `person32`, with the password of them all. */
export async function accountsServer(baseUrl: string, tokenStorage: TokenStorage): Promise<OAuthServer> {
  const accounts = new Accounts({ clientAddress: (request) => request.headers.get(ADDRESS_HEADER) ?? undefined });
  const auth = new OAuthServer({
    baseUrl,
    secret: "a secret that the measurement has made up, of 32 bytes and more",
    accounts,
    tokenStorage,
    scopes: ["notes:read"],
    clients: [{ clientId: CLIENT_ID, clientName: "Bench", redirectUris: [CALLBACK] }],
    onEvent: () => undefined,
  });
  for (let person = 1; person <= PEOPLE; person += 1)
    await accounts.createUser({ username: `person${person}`, password: PASSWORD });
  return auth;
}

if (process.send !== undefined) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const auth = await accountsServer(`http://127.0.0.1:${port}`, new MemoryTokenStorage());
  const guarded = protect(auth, { scopes: ["notes:read"] }, (_, res) => res.end("fine"));
  const endpoints = oauth(auth);
  server.on("request", (req, res) => (req.url === "/mcp" ? guarded(req, res) : endpoints(req, res)));
  // Connections wait while others have their turn.
  server.keepAliveTimeout = 0;
  // A parent that failed leaves nobody behind.
  process.once("disconnect", () => process.exit());
  process.send(port);
}
