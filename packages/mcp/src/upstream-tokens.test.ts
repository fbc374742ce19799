import { toAuthInfo } from "@sallyport/oauth-core";
import { expect, test } from "vitest";
import { World } from "../test/world.ts";
import { getAuthSession } from "./auth-session.ts";
import { upstreamTokens, vouchFor } from "./upstream-tokens.ts";

async function signedIn(world: World) {
  const headers = { authorization: `Bearer ${await world.token("alice")}` };
  const access = await world.auth.protect(new Request(world.resource, { method: "POST", headers }));
  if (access instanceof Response) throw new Error("the guard refused");
  return toAuthInfo(access);
}

test("the tokens of whoever calls, in the contexts of both versions, also when a middleware copied the AuthInfo", async () => {
  const world = new World();
  const authInfo = await signedIn(world);
  vouchFor(authInfo, world.auth);
  const copy = { ...authInfo, resourceMetadataUrl: "https://mcp.example.com/x" };

  expect(await upstreamTokens({ authInfo })).toMatchObject({ accessToken: "upstream-token-of-alice" });
  expect(await upstreamTokens({ http: { authInfo: copy } })).toMatchObject({ accessToken: "upstream-token-of-alice" });
});

test("a server that is named is asked; without one that is known, nothing is", async () => {
  const world = new World();
  const authInfo = await signedIn(world);

  expect(await upstreamTokens({ authInfo }, world.auth)).toMatchObject({ accessToken: "upstream-token-of-alice" });
  await expect(upstreamTokens({ authInfo })).rejects.toThrow("No server is known");
  await expect(upstreamTokens({}, world.auth)).rejects.toThrow("No server is known");
});

test("what is over is null, and a storage that is down is told as such", async () => {
  const world = new World();
  const authInfo = await signedIn(world);

  expect(await upstreamTokens({ authInfo: { ...authInfo, token: "nonsense" } }, world.auth)).toBeNull();
  world.storageIsDown = true;
  await expect(upstreamTokens({ authInfo }, world.auth)).rejects.toMatchObject({ code: "temporarily_unavailable" });
});

test("a context of version 2 without a verified request is nobody's, whatever else it carries", async () => {
  const authInfo = await signedIn(new World());

  expect(getAuthSession({ authInfo })).toMatchObject({
    subject: expect.stringContaining("alice"),
    scopes: ["openid", "mcp:tools"],
  });
  expect(getAuthSession({ authInfo })).not.toHaveProperty("token");
  expect(() => getAuthSession({ http: {}, authInfo })).toThrow("Nobody is signed in");
  expect(() => getAuthSession({})).toThrow("Nobody is signed in");
});
