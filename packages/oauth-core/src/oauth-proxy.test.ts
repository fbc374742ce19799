import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { World } from "../test/harness.ts";

test("a client registers, a person approves and signs in, and the token opens the resource until it is revoked", async () => {
  const server = new World().server();
  const { client, tokens } = await server.signIn();

  expect(await server.call(undefined)).toBe(401);
  expect(await server.call(tokens.access_token)).toBe(200);
  const refreshed = await server.refresh(client, tokens.refresh_token);
  expect(refreshed.status).toBe(200);
  expect(await server.auth.loadUpstreamTokens(tokens.access_token)).toMatchObject({ accessToken: "upstream-access-1" });

  const revoked = await server.post("/oauth/revoke", { token: tokens.refresh_token, client_id: client.clientId });
  expect(revoked.status).toBe(200);
  expect(await server.call(tokens.access_token)).toBe(401);
});

test("a scope is found in the broader one that contains it, over several steps and not the other way", () => {
  const { auth } = new World().server({
    resourceScopes: ["admin", "write"],
    scopeHierarchy: { admin: ["write"], write: ["read-notes"] },
  });

  expect(auth.impliedScopes(["admin", "other"])).toEqual(["admin", "other", "write", "read-notes"]);
  expect(auth.impliedScopes(["read-notes", "constructor"])).toEqual(["read-notes", "constructor"]);
});

test("a server is made without randomness, which Workers have not got before their first request", async () => {
  let isServing = false;
  const randomBytesOf = (size: number) => {
    if (!isServing) throw new Error("There is no randomness here.");
    return randomBytes(size);
  };
  const { auth } = new World().server({ runtime: { randomBytes: randomBytesOf } });
  isServing = true;

  expect(await auth.registerClient({ redirect_uris: ["http://127.0.0.1/cb"] })).toHaveProperty("client_id");
});
