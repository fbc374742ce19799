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
