import { expect, test, vi } from "vitest";
import { World } from "../../oauth-core/test/harness.ts";

const { loaded } = vi.hoisted(() => ({ loaded: { jose: false } }));
vi.mock("jose", async (original) => {
  loaded.jose = true;
  return original();
});

test("a server without asymmetric keys never loads jose: not for a sign-in, a refresh, a tool or a token of somebody else", async () => {
  await import("./index.ts");
  const server = new World().server();
  const { client, tokens } = await server.signIn();
  expect(await server.call(tokens.access_token)).toBe(200);
  expect((await server.refresh(client, tokens.refresh_token)).status).toBe(200);
  expect(await server.call("e30.e30.AA")).toBe(401);
  expect(loaded.jose).toBe(false);
});

test("a server with them loads it with the first token that it verifies, and not by its construction or its key set", async () => {
  const { SigningKeys } = await import("./index.ts");
  const server = new World().server({ signing: new SigningKeys() });
  expect((await server.get("/oauth/jwks")).status).toBe(200);
  const { tokens } = await server.signIn();
  expect(loaded.jose).toBe(false);
  expect(await server.call(tokens.access_token)).toBe(200);
  expect(loaded.jose).toBe(true);
});
