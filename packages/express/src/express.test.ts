import { requireRole, requireScopes } from "@sallyport/oauth-core";
import express, { type ErrorRequestHandler, type Express } from "express";
import express4 from "express4";
import { describe, expect, test } from "vitest";
import { serve } from "../../node-http/test/loopback.ts";
import { type Guard, type ProtectedHandler, protect } from "./index.ts";

/** Lets everybody in as alice. */
const open: Guard = {
  protect: async () => ({
    token: "t",
    clientId: "client",
    scopes: ["mcp:tools"],
    expiresAt: 4_000_000_000,
    resource: "https://mcp.example.com/mcp",
    subject: "alice",
    claims: { roles: ["admin"] },
  }),
  corsHeaders: () => ({}),
};

describe.each([
  ["Express 5", express],
  ["Express 4", express4],
])("%s", (_, create) => {
  /** A server with one protected route, and an error handler of the app's own. */
  async function protectedBy(handler: ProtectedHandler, guard = open) {
    const caught: unknown[] = [];
    const onError: ErrorRequestHandler = (error, _req, res, _next) => {
      caught.push(error);
      res.status(418).send("the app's own error page");
    };
    const app: Express = create();
    app.get("/mcp", protect(guard, {}, handler, { onError: () => undefined }));
    app.use(onError);
    const port = await serve(app);
    return { caught, ask: () => fetch(`http://127.0.0.1:${port}/mcp`) };
  }

  test("req.auth is what the MCP SDK reads, and what the helpers of the core read", async () => {
    const { ask } = await protectedBy(({ auth }, res) => {
      const passes = requireRole("admin")(auth) && requireScopes("mcp:tools")(auth) && !requireRole("owner")(auth);
      res.json({ ...auth, isUrl: auth.resource instanceof URL, passes });
    });
    expect(await (await ask()).json()).toEqual({
      token: "t",
      clientId: "client",
      scopes: ["mcp:tools"],
      expiresAt: 4_000_000_000,
      resource: "https://mcp.example.com/mcp",
      extra: { subject: "alice", claims: { roles: ["admin"] } },
      subject: "alice",
      claims: { roles: ["admin"] },
      isUrl: true,
      passes: true,
    });
  });

  test.each<[string, ProtectedHandler]>([
    [
      "at once",
      () => {
        throw new Error("of the app");
      },
    ],
    ["later", () => Promise.reject(new Error("of the app"))],
    ["by next", (_req, _res, next) => next(new Error("of the app"))],
  ])("what a handler throws %s is the app's: its error handling gets it", async (_when, handler) => {
    const { ask, caught } = await protectedBy(handler);
    const answer = await ask();
    expect([answer.status, await answer.text()]).toEqual([418, "the app's own error page"]);
    expect(caught).toMatchObject([{ message: "of the app" }]);
  });

  test("what the guard throws is not the app's: a bare 500, and the app's error handling hears nothing", async () => {
    const broken: Guard = { ...open, protect: () => Promise.reject(new Error("of the server")) };
    const { ask, caught } = await protectedBy((_req, res) => res.send("in"), broken);
    const answer = await ask();
    expect([answer.status, await answer.text(), caught]).toEqual([500, "", []]);
  });
});
