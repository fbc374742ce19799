import type { Access } from "@sallyport/oauth-core";
import { Hono } from "hono";
import { expect, expectTypeOf, onTestFinished, test, vi } from "vitest";
import { access, authorization, guard, server } from "../../contracts/test/mounted.ts";
import { type ProtectedEnv, protect } from "./index.ts";

const ORIGIN = "https://mcp.example.com";
const signedIn = { headers: { authorization } };

test("a guarded route finds the access in c.get and c.var, and knows its type", async () => {
  const app = new Hono().get("/mcp", protect(guard, { scopes: ["mcp:tools"] }), (c) => {
    expectTypeOf(c.get("auth")).toEqualTypeOf<Access>();
    expectTypeOf(c.var.auth).toEqualTypeOf<Access>();
    return c.json(c.get("auth"));
  });
  expect(await (await app.request("/mcp", signedIn)).json()).toEqual(access);
});

test("an app whose environment says so knows the type behind app.use", async () => {
  const app = new Hono<ProtectedEnv>().use("/mcp/*", protect(guard));
  app.get("/mcp/a", (c) => {
    expectTypeOf(c.get("auth")).toEqualTypeOf<Access>();
    return c.text(c.get("auth").subject);
  });
  expect(await (await app.request("/mcp/a", signedIn)).text()).toBe("alice");
  expect((await app.request("/mcp/a")).status).toBe(401);
});

test.each([
  "/mcp",
  "/MCP",
  "/mcp/",
  "//mcp",
  "/%6dcp",
  "/x/../mcp",
  "/mcp;a=b",
  "/mcp?a=b",
  "/mcp%2f",
  "/mcp/%2e%2e/mcp",
])("nobody gets to a route by the spelling %s without a token", async (path) => {
  let reached = 0;
  const app = new Hono({ strict: false }).use("/mcp/*", protect(server()));
  app.all("/mcp/*", (c) => {
    reached += 1;
    return c.text("in");
  });
  const headers = { "x-authorization": authorization, authorization_: authorization };
  for (const method of ["GET", "HEAD", "POST"])
    expect([401, 404]).toContain((await app.request(ORIGIN + path, { method, headers })).status);
  expect(reached).toBe(0);
});

test("a refusal stays one where somebody has replaced the global Response, as @hono/node-server does", async () => {
  let reached = false;
  const native = Response;
  const refusing = { ...guard, protect: async () => new native(null, { status: 401 }) };
  const app = new Hono().get("/mcp", protect(refusing), (c) => {
    reached = true;
    return c.text("in");
  });
  vi.stubGlobal("Response", class extends Response {});
  onTestFinished(() => void vi.unstubAllGlobals());
  expect((await app.request("/mcp")).status).toBe(401);
  expect(reached).toBe(false);
});

test("a page of an admitted origin can read the answer, and the route's own Vary stays", async () => {
  const app = new Hono().get(
    "/mcp",
    protect({ ...guard, corsHeaders: () => ({ "x-cors": "1", vary: "Origin" }) }),
    () => Response.json({}, { headers: { vary: "Accept", "x-own": "1" } }),
  );
  const { headers } = await app.request("/mcp", signedIn);
  expect([headers.get("x-cors"), headers.get("vary"), headers.get("x-own")]).toEqual(["1", "Accept, Origin", "1"]);
});

test("what the route throws is the app's to handle", async () => {
  const app = new Hono().get("/mcp", protect(guard), () => {
    throw new Error("the app's");
  });
  app.onError((error, c) => c.text(error.message, 418));
  const answer = await app.request("/mcp", signedIn);
  expect([answer.status, await answer.text()]).toEqual([418, "the app's"]);
});

test("what the guard throws lets nobody in, and is reported", async () => {
  const reported: unknown[] = [];
  const app = new Hono().get(
    "/mcp",
    protect(server(), { resource: "https://other.example/mcp" }, { onError: (error) => reported.push(error) }),
    (c) => c.text("in"),
  );
  const answer = await app.request("/mcp", signedIn);
  expect([answer.status, await answer.text()]).toEqual([500, ""]);
  expect(reported).toMatchObject([{ name: "ConfigurationError" }]);
});
