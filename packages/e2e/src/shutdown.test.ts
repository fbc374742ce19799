/** SIGTERM: what was begun is finished, what never ends is ended, and the process goes. */
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { beforeEach, expect, test, vi } from "vitest";
import { StrictClient } from "./clients/oauth4webapi.ts";
import { Person } from "./person.ts";
import { type Site, startSite } from "./site.ts";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const CLEAN = { code: 0, signal: null };

let site: Site;
let client: StrictClient;
beforeEach(async () => {
  site = await startSite();
  client = new StrictClient(site.example.mcpUrl, "none");
  await client.finish(await new Person("alice").signIn(await client.knock()));
  return () => site.close();
});

test("a server with an open subscription closes cleanly, and the client is told", async () => {
  const { access_token } = client.tokens;
  const mcp = new Client({ name: "e2e", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await mcp.connect(
    new StreamableHTTPClientTransport(site.example.mcpUrl, {
      requestInit: { headers: { authorization: `Bearer ${access_token}` } },
    }),
  );
  const subscription = await mcp.listen({ toolsListChanged: true });

  expect(await site.example.stop()).toEqual(CLEAN);
  expect(await subscription.closed).toBe("graceful");
  expect(await site.example.complaints).not.toMatch(/error|unhandled/i);
  await mcp.close();
});

test("a tool call that is under way is answered before the server goes", async () => {
  const gate = site.upstream.gate("userinfo");
  const call = client.call("upstream_profile");
  await gate.waiting(1);
  site.example.terminate();
  // Nobody new is let in; only then is the slow call answered.
  await vi.waitFor(() => expect(fetch(site.example.baseUrl)).rejects.toThrow(), { timeout: 20_000, interval: 20 });
  expect(site.example.isUp).toBe(true);
  gate.open();

  expect(JSON.parse((await call).text)).toMatchObject({ email: "alice@example.com" });
  expect(await site.example.exited).toEqual(CLEAN);
});

test("idle connections that are kept alive don't hold the server up", async () => {
  await Promise.all(Array.from({ length: 10 }, () => fetch(site.example.baseUrl).then((answer) => answer.text())));

  expect(await site.example.stop()).toEqual(CLEAN);
});
