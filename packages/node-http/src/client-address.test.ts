import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { tellsAddress } from "../../contracts/test/mounted.ts";
import { serve } from "../test/loopback.ts";
import type { AdapterOptions } from "./answer.ts";
import { toNodeHandler } from "./node-handler.ts";
import { oauth } from "./oauth.ts";

/** What the server is told of a request with this header. */
async function told(options: AdapterOptions, forwarded?: string): Promise<string> {
  const port = await serve(oauth(tellsAddress, options));
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  return (await fetch(`http://127.0.0.1:${port}/where`, { headers })).text();
}

/** As the README has it. */
const lastForwarded = (req: IncomingMessage) =>
  req.headersDistinct["x-forwarded-for"]?.at(-1)?.split(",").at(-1)?.trim();

test("the address is the socket's, whatever a header says", async () => {
  expect(await told({})).toBe("127.0.0.1");
  expect(await told({}, "203.0.113.7")).toBe("127.0.0.1");
});

test("what another middleware has written on the request is not believed either", async () => {
  const endpoints = oauth(tellsAddress);
  const port = await serve((req, res) => void endpoints(Object.assign(req, { ip: "203.0.113.7" }), res));
  expect(await (await fetch(`http://127.0.0.1:${port}/where`)).text()).toBe("127.0.0.1");
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["198.51.100.1, 203.0.113.7", "203.0.113.7"],
  [undefined, "unknown"],
])("the option clientAddress decides: with X-Forwarded-For: %s it is %s", async (forwarded, expected) => {
  expect(await told({ clientAddress: lastForwarded }, forwarded)).toBe(expected);
});

test("of a header that is sent twice, the last line is the proxy's", async () => {
  const port = await serve(oauth(tellsAddress, { clientAddress: lastForwarded }));
  const asked = request({
    port,
    path: "/where",
    headers: { "x-forwarded-for": ["198.51.100.1", "203.0.113.7"] },
  }).end();
  const [answer] = await once(asked, "response");
  expect(await text(answer)).toBe("203.0.113.7");
});

test("what the option throws becomes a bare 500, and is reported", async () => {
  const reported: unknown[] = [];
  const failure = new Error("no such header");
  const clientAddress = () => {
    throw failure;
  };
  const port = await serve(oauth(tellsAddress, { clientAddress, onError: (error) => reported.push(error) }));
  expect((await fetch(`http://127.0.0.1:${port}/where`)).status).toBe(500);
  expect(reported).toEqual([failure]);
});

test("nobody looks for the address of a request that is none of the server's, or of one for a document", async () => {
  let looked = 0;
  const clientAddress = () => {
    looked += 1;
    return undefined;
  };
  const document = { status: 200, headers: [], body: "{}" } as const;
  const owns = (target: string) => target !== "/mcp";
  const documentAt = (target: string) => (target === "/document" ? document : undefined);
  const port = await serve(oauth({ ...tellsAddress, owns, documentAt }, { clientAddress }));
  const statuses = [];
  for (const path of ["/mcp", "/document", "/where"])
    statuses.push([(await fetch(`http://127.0.0.1:${port}${path}`)).status, looked]);
  expect(statuses).toEqual([
    [404, 0],
    [200, 0],
    [200, 1],
  ]);
});

test("a function from Request to Response is told it as well", async () => {
  const port = await serve(toNodeHandler((_, { clientAddress = "unknown" }) => new Response(clientAddress)));
  expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("127.0.0.1");
});

test.skipIf(process.platform === "win32")("over a Unix socket there is no address", async () => {
  const directory = await mkdtemp(join(tmpdir(), "sallyport-"));
  const socketPath = join(directory, "socket");
  const server = createServer(oauth(tellsAddress)).listen(socketPath);
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await rm(directory, { recursive: true });
  });
  await once(server, "listening");
  const [answer] = await once(request({ socketPath, path: "/where" }).end(), "response");
  expect(await text(answer)).toBe("unknown");
});
