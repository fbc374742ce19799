import { expect, test } from "vitest";
import { RESOURCE, World } from "../test/harness.ts";
import { toAuthInfo } from "./auth-info.ts";
import type { Access } from "./domain/bearers.ts";

const access: Access = {
  token: "a-token",
  clientId: "a-client",
  scopes: ["read", "mcp:tools"],
  expiresAt: 1_800_003_600,
  resource: RESOURCE,
  subject: "alice",
  claims: { role: "admin" },
};

test("what the SDK has a member for stands there, and the rest in extra", () => {
  expect(toAuthInfo(access)).toEqual({
    token: "a-token",
    clientId: "a-client",
    scopes: ["read", "mcp:tools"],
    expiresAt: 1_800_003_600,
    resource: new URL(RESOURCE),
    extra: { subject: "alice", claims: { role: "admin" } },
  });
});

test("two requests with one access share nothing that a handler could change", () => {
  const mine = toAuthInfo(access);
  mine.scopes.push("admin");
  mine.resource.pathname = "/elsewhere";
  mine.extra.subject = "mallory";

  expect(toAuthInfo(access)).toMatchObject({ scopes: ["read", "mcp:tools"], resource: new URL(RESOURCE) });
  expect(toAuthInfo(access).extra.subject).toBe("alice");
});

test("RFC 8707 §2: it names the resource that the guard checked the token for", async () => {
  const server = new World().server();
  const { client, tokens } = await server.signIn();
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  const passed = await server.auth.protect(new Request(RESOURCE, { method: "POST", headers }));
  if (passed instanceof Response) throw new Error("the guard refused");

  expect(toAuthInfo(passed)).toMatchObject({
    token: tokens.access_token,
    clientId: client.clientId,
    resource: new URL(RESOURCE),
    extra: { subject: passed.subject, claims: { aud: RESOURCE } },
  });
});
