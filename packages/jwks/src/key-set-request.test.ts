import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { AUDIENCE, ISSUER, Issuer } from "../test/issuer.ts";
import { JWKSVerifier } from "./index.ts";
import { fetchKeySet } from "./key-set-request.ts";

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A server on a port of its own. */
async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
}

/** What comes of verifying a good token whose keys are to be had from there, with the real clock and the real `fetch`. */
async function verified(listener: RequestListener, requestTimeoutMs = 5000) {
  const issuer = await Issuer.create();
  issuer.now = Math.floor(Date.now() / 1000);
  const jwksUri = await serve(listener);
  const verifier = new JWKSVerifier({ jwksUri, issuer: ISSUER, audience: AUDIENCE, requestTimeoutMs });
  return verifier.verify(await issuer.token());
}

const unavailable = (reason: string) =>
  expect.objectContaining({ error: "keys_unavailable", temporary: true, cause: expect.objectContaining({ reason }) });

test("keys come over real HTTP, whatever type they are said to be of", async () => {
  const issuer = await Issuer.create();
  issuer.now = Math.floor(Date.now() / 1000);
  const jwksUri = await serve((req, res) => {
    expect(req.headers.accept).toContain("application/jwk-set+json");
    res.setHeader("content-type", "text/plain").end(JSON.stringify({ keys: issuer.published }));
  });
  const verifier = new JWKSVerifier({ jwksUri, issuer: ISSUER, audience: AUDIENCE });
  expect(await verifier.verify(await issuer.token())).toMatchObject({ valid: true });
});

test("a redirect is not followed, neither to another host nor to another path", async () => {
  const asked: string[] = [];
  const inner = await serve((req, res) => {
    asked.push(req.url ?? "");
    res.end('{"keys":[]}');
  });
  for (const status of [301, 302, 303, 307, 308])
    expect(await verified((_, res) => res.writeHead(status, { location: inner }).end())).toEqual(
      unavailable("redirect"),
    );
  expect(asked).toEqual([]);
});

test.each([204, 400, 401, 404, 429, 500, 503])("a %s has no keys, whatever its body says", async (status) => {
  expect(await verified((_, res) => res.writeHead(status).end())).toEqual(unavailable("status"));
});

test("HTML is no key set", async () => {
  const html = (_: unknown, res: Parameters<RequestListener>[1]) =>
    res.setHeader("content-type", "text/html").end("<!doctype html><title>Sign in</title>");
  expect(await verified(html)).toEqual(unavailable("malformed"));
});

test("broken UTF-8 is no key set", async () => {
  expect(await verified((_, res) => res.end(Buffer.from([0x7b, 0xff, 0x7d])))).toEqual(unavailable("malformed"));
});

test("of an answer without end no more is read than a key set has, and the connection is let go", async () => {
  let letGo: Promise<unknown> | undefined;
  const result = await verified((_, res) => {
    letGo = once(res, "close");
    const chunk = Buffer.alloc(65_536, "x");
    const more = (): void => {
      if (res.destroyed) return;
      if (res.write(chunk)) setImmediate(more);
      else res.once("drain", more);
    };
    more();
  });
  expect(result).toEqual(unavailable("too_large"));
  await letGo;
});

test("10 MB of zeros that are 10 KB on the wire are counted as what they become", async () => {
  const bomb = gzipSync(Buffer.alloc(10_000_000));
  expect(await verified((_, res) => res.setHeader("content-encoding", "gzip").end(bomb))).toEqual(
    unavailable("too_large"),
  );
});

test("a server that never answers, or never ends, is left", async () => {
  expect(await verified(() => undefined, 50)).toEqual(unavailable("timeout"));
  expect(await verified((_, res) => res.write('{"keys":['), 50)).toEqual(unavailable("timeout"));
});

test("a server that cuts the connection, and one that is not there", async () => {
  expect(await verified((req) => req.socket.destroy())).toEqual(unavailable("unreachable"));
  await expect(fetchKeySet(fetch, "http://127.0.0.1:1/keys", 5000)).rejects.toMatchObject({ reason: "unreachable" });
});

test("a fetch that does not listen to its signal holds up nobody, nor does such a body", async () => {
  const never = new Promise<never>(() => undefined);
  await expect(fetchKeySet(() => never, "https://id.example.com/", 20)).rejects.toMatchObject({ reason: "timeout" });
  const endless = async () => new Response(new ReadableStream({ pull: () => never, cancel: () => never }));
  await expect(fetchKeySet(endless, "https://id.example.com/", 20)).rejects.toMatchObject({ reason: "timeout" });
});
