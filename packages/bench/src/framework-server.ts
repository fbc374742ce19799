/**
 * The program that serves one framework, bare or with the adapter mounted: `framework-server.ts NAME bare|mounted`. It tells its parent
 * its port, and whenever it is asked how many milliseconds of a processor it has used.
 */

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { OAuthProxy } from "@sallyport/oauth-core";
import { frameworks, PATHS } from "./frameworks.ts";

const [, , name = "", how = ""] = process.argv;
const framework = frameworks[name];
if (framework === undefined || !["bare", "mounted"].includes(how)) throw new Error(`There is no ${name} ${how}.`);

const auth = new OAuthProxy({
  baseUrl: "https://mcp.example.com",
  upstreamAuthorizationEndpoint: "https://id.example.com/authorize",
  upstreamTokenEndpoint: "https://id.example.com/token",
  upstreamClientId: "bench",
  upstreamClientSecret: "a secret that is long enough for a measurement",
  onEvent: () => undefined,
});
const document = await auth.fetch(new Request(`https://mcp.example.com${PATHS.metadata}`));
const pages = { login: "fine", metadata: await document.text() };
const server = await framework(pages, how === "mounted" ? auth : undefined);
// Connections wait while other contenders have their turn.
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1");
await once(server, "listening");
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1000);
});
process.send?.((server.address() as AddressInfo).port);
