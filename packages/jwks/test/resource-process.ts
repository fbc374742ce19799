/** Another service, in a process of its own: guards its resource by the key set that our server publishes, and knows nothing else of it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { oauth, protect } from "@sallyport/node-http";
import { ResourceServer } from "@sallyport/oauth-core";
import { JWKSVerifier } from "../src/index.ts";

const [issuer = "", resource = "", jwksUri = ""] = process.argv.slice(2);
const auth = new ResourceServer({
  resource,
  authorizationServers: [issuer],
  tokenVerifier: new JWKSVerifier({
    jwksUri,
    issuer,
    audience: resource,
    tokenType: "at+jwt",
    // Every token makes it look again, so that a test need not wait.
    cacheDuration: 1,
    staleDuration: 0,
    cooldownDuration: 0,
  }),
  scopes: ["read"],
});
const endpoints = oauth(auth);
const tools = protect(auth, { scopes: ["read"] }, (req, res) => res.end(`hello ${req.auth.subject}`));
const server = createServer((req, res) => endpoints(req, res, () => tools(req, res)));
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`));
