import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { getConnInfo } from "@hono/node-server/conninfo";
import { type Context, Hono } from "hono";
import { getConnInfo as getWorkersConnInfo } from "hono/cloudflare-workers";
import { expect, onTestFinished, test } from "vitest";
import { tellsAddress } from "../../contracts/test/mounted.ts";
import { oauth } from "./index.ts";

const HEADERS = { "x-forwarded-for": "198.51.100.1, 203.0.113.7", "cf-connecting-ip": "192.0.2.2" };
const asked = () => new Request("https://mcp.example.com/where", { headers: HEADERS });

const appWith = (options = {}) => new Hono().use(oauth(tellsAddress, options)).get("/login", (c) => c.text("the app"));

/** What the server is told on `@hono/node-server`. */
async function askOnNode(app: Hono): Promise<string> {
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return (await fetch(`http://127.0.0.1:${port}/where`, { headers: { ...HEADERS, connection: "close" } })).text();
}

test("on `@hono/node-server` the address is the socket's, whatever a header says", async () => {
  expect(await askOnNode(appWith())).toBe("127.0.0.1");
});

test.each([
  ["no environment", undefined],
  ["bindings", { KV: {}, incoming: "a binding of that name" }],
  ["another binding of that name", { incoming: { socket: null } }],
  ["what Deno hands over", { remoteAddr: { transport: "tcp", hostname: "203.0.113.7", port: 4711 } }],
  ["an address that is none", { incoming: { socket: { remoteAddress: 1 } } }],
])("where the runtime does not say it in that way, it is unknown: %s", async (_, env) => {
  expect(await (await appWith().fetch(asked(), env)).text()).toBe("unknown");
});

test.each<[string, (c: Context) => string | undefined, string]>([
  ["a header that the runtime sets", (c) => getWorkersConnInfo(c).remote.address, "192.0.2.2"],
  [
    "the entry that the proxy has added",
    (c) => c.req.header("x-forwarded-for")?.split(",").at(-1)?.trim(),
    "203.0.113.7",
  ],
  ["nothing", () => undefined, "unknown"],
])("the option clientAddress decides: %s", async (_, clientAddress, expected) => {
  expect(await (await appWith({ clientAddress }).fetch(asked())).text()).toBe(expected);
  expect(await askOnNode(appWith({ clientAddress }))).toBe(expected);
});

test("the runtime's own getConnInfo is such an option", async () => {
  const clientAddress = (c: Context) => `it is ${getConnInfo(c).remote.address}`;
  expect(await askOnNode(appWith({ clientAddress }))).toBe("it is 127.0.0.1");
});

test("what the option throws becomes a bare 500, and is reported", async () => {
  const reported: unknown[] = [];
  const failure = new Error("no such header");
  const clientAddress = () => {
    throw failure;
  };
  const answer = await appWith({ clientAddress, onError: (error: unknown) => reported.push(error) }).fetch(asked());
  expect([answer.status, await answer.text(), reported]).toEqual([500, "", [failure]]);
});

test("nobody looks for the address of a request that is none of the server's", async () => {
  let looked = 0;
  const app = appWith({
    clientAddress: () => {
      looked += 1;
      return undefined;
    },
  });
  expect([await (await app.request("/login")).text(), looked]).toEqual(["the app", 0]);
  expect([await (await app.request("/where")).text(), looked]).toEqual(["unknown", 1]);
});
