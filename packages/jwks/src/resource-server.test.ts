import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { oauth, protect } from "@sallyport/node-http";
import { ResourceServer } from "@sallyport/oauth-core";
import { afterEach, expect, test } from "vitest";
import { ISSUER, Issuer, newKey } from "../test/issuer.ts";
import { JWKSVerifier } from "./index.ts";

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  );
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** An MCP server over HTTP whose tokens come from an issuer over HTTP, and no authorization server of ours between them. */
async function running() {
  const issuer = await Issuer.create("RS256");
  issuer.now = Math.floor(Date.now() / 1000);
  const keys = { down: false };
  const issuerUrl = await listen(
    createServer((_, res) => {
      if (keys.down) res.writeHead(503).end();
      else res.end(JSON.stringify({ keys: issuer.published }));
    }),
  );
  const server = createServer();
  const url = await listen(server);
  const resource = `${url}/mcp`;
  const auth = new ResourceServer({
    resource,
    authorizationServers: [ISSUER],
    tokenVerifier: new JWKSVerifier({ jwksUri: `${issuerUrl}/keys`, issuer: ISSUER, audience: resource }),
    scopes: ["mcp:tools"],
    onEvent: () => undefined,
  });
  const endpoints = oauth(auth);
  const tools = protect(auth, { scopes: ["mcp:tools"] }, (req, res) => res.end(`hello ${req.auth.subject}`));
  server.on("request", (req, res) => endpoints(req, res, () => tools(req, res)));
  const call = (token?: string) =>
    fetch(resource, { method: "POST", headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  return { issuer, keys, url, resource, call };
}

test("a client finds the issuer through the challenge, and its token opens the resource", async () => {
  const { issuer, url, resource, call } = await running();
  const challenge = (await call()).headers.get("www-authenticate") ?? "";
  const [, metadataUrl = ""] = /resource_metadata="([^"]+)"/.exec(challenge) ?? [];
  expect(metadataUrl).toBe(`${url}/.well-known/oauth-protected-resource/mcp`);
  expect(await (await fetch(metadataUrl)).json()).toMatchObject({ resource, authorization_servers: [ISSUER] });

  const answer = await call(await issuer.token({ aud: resource, azp: "app", scope: "openid mcp:tools" }));
  expect([answer.status, await answer.text()]).toEqual([200, "hello alice"]);
});

test("tokens for others, of others, without the scope, and what is no token stay outside", async () => {
  const { issuer, resource, call } = await running();
  const good = { aud: resource, scope: "mcp:tools" };
  expect((await call(await issuer.token({ ...good, aud: `${resource}/other` }))).status).toBe(401);
  expect((await call(await issuer.token({ ...good, iss: "https://evil.example" }))).status).toBe(401);
  expect((await call(await issuer.token(good, {}, await newKey("one", "RS256")))).status).toBe(401);
  expect((await call(await issuer.token({ ...good, exp: issuer.now - 60 }))).status).toBe(401);
  expect((await call("nonsense")).status).toBe(401);
  expect((await call(await issuer.token({ ...good, scope: "openid" }))).status).toBe(403);
});

test("while the issuer's keys can't be fetched the answer is 503 and no reason to sign in again", async () => {
  const { issuer, keys, resource, call } = await running();
  keys.down = true;
  const answer = await call(await issuer.token({ aud: resource, scope: "mcp:tools" }));
  expect(answer.status).toBe(503);
  expect(answer.headers.has("www-authenticate")).toBe(false);
});
